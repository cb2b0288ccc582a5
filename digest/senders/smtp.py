"""Hands messages to a mail server by SMTP (RFC 5321), over connections that are used again.

The service hands its mail to a relay; it looks up no MX records and signs nothing here.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import cast

from digest.domain.mail import Message, SendResult
from digest.errors import SenderUnavailable
from digest.senders.base import HandOver
from digest.senders.dsn import Dsn, wrong
from digest.senders.smtp_opening import Entrance, Tls
from digest.senders.smtp_session import Broken, Session, Waiting

FRUITLESS = 2
"""Connections in a row that may end without any answer to a message, before the server counts as unavailable."""

IDLE = 20.0
"""Seconds after which a connection is asked whether it still lives before it is used again."""


class SmtpSender:
    """A mail server, by ``smtp://`` (STARTTLS by policy) or ``smtps://`` (TLS from the first byte, RFC 8314).

    Safe to use from several threads: each call of :meth:`send` takes a connection of its own from the pool.
    """

    idempotent = False
    batch = 250

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str = "",
        password: str = "",
        tls: Tls = "opportunistic",
        implicit: bool = False,
        timeout: float = 60,
        final_timeout: float | None = None,
        per_connection: int = 100,
        ehlo: str = "",
    ) -> None:
        self._entrance = Entrance(host, port, user, password, tls, implicit, timeout, ehlo)
        self.name = self._entrance.name
        self._timeout, self._final_timeout = timeout, final_timeout or 10 * timeout
        self._per_connection = per_connection
        self._idle: list[Session] = []
        self._lock = threading.Lock()

    @classmethod
    def from_dsn(cls, dsn: Dsn) -> "SmtpSender":
        """``smtp[s]://[USER:PASSWORD@]HOST[:PORT]?tls=…&timeout=60&final_timeout=600&per_connection=100&ehlo=NAME``.

        ``tls`` is ``none``, ``opportunistic`` (used when offered, not verified), ``required`` (not verified) or
        ``verified``. The default is ``verified`` where a password or a whole connection is at stake, else
        ``opportunistic``. Ports: 587 with a user, 25 without, 465 for ``smtps``. ``timeout`` is for each step,
        ``final_timeout`` for the answer to a whole message: ten times as long if it is not given.

        Raises:
            ConfigError: no host, a user without password, an option that is not known.
        """
        dsn.allow("tls", "timeout", "final_timeout", "per_connection", "ehlo")
        if not dsn.host:
            raise wrong(f"names no host: write {dsn.scheme}://[USER:PASSWORD@]HOST[:PORT]")
        if bool(dsn.user) != bool(dsn.password):
            raise wrong("needs both user and password, or neither")
        if dsn.path not in ("", "/"):
            raise wrong(f"has a path after the host: write {dsn.scheme}://[USER:PASSWORD@]HOST[:PORT]")
        implicit = dsn.scheme == "smtps"
        policies = ("required", "verified") if implicit else ("none", "opportunistic", "required", "verified")
        tls = dsn.choice("tls", "verified" if implicit or dsn.user else "opportunistic", *policies)
        timeout = dsn.number("timeout", 60)
        return cls(
            dsn.host,
            dsn.port or (465 if implicit else 587 if dsn.user else 25),
            user=dsn.user,
            password=dsn.password,
            tls=cast(Tls, tls),
            implicit=implicit,
            timeout=timeout,
            final_timeout=dsn.number("final_timeout", 10 * timeout),
            per_connection=dsn.number("per_connection", 100),
            ehlo=dsn.options.get("ehlo", ""),
        )

    def send(self, messages: Iterable[Message], hand_over: HandOver) -> Iterator[SendResult]:
        """See :class:`digest.senders.base.Sender`. 4xx is ``deferred``, 5xx ``failed``.

        A 421 or a lost connection ends the connection; the message that met it is deferred (it may be the cause)
        and a new connection takes the next one. When two in a row end so, the server counts as unavailable.

        Raises:
            SenderUnavailable, SenderRefused: with the server's words.
        """
        waiting = Waiting(messages)
        session: Session | None = None
        fruitless = 0
        innocent: Message | None = None
        try:
            while waiting.first is not None:
                session = self._acquire()
                was_used, answered = session.announced > 0, session.answered
                try:
                    for result in session.transfer(waiting, hand_over, self._per_connection):
                        fruitless = fruitless + 1 if result.outcome == "unknown" else 0
                        yield result
                except Broken as broken:
                    session.abandon()
                    if session.answered > answered:
                        fruitless = 0
                    elif was_used:
                        continue  # the server had tired of waiting: that speaks of nobody
                    message = waiting.first
                    assert message is not None
                    if broken.greeted_next and session.answered > answered and message is not innocent:
                        innocent = message  # the server ends connections after some messages
                        continue
                    fruitless += 1
                    waiting.pop()
                    yield SendResult(message, "deferred", code=broken.code, detail=broken.words)
                    if fruitless >= FRUITLESS:
                        words = f"{broken.code} {broken.words}".strip()
                        raise SenderUnavailable(f"{self.name} ended the connection: {words}") from broken
                else:
                    if fruitless >= FRUITLESS:
                        raise SenderUnavailable(f"{self.name} gives no answer to whole messages")
                    self._give_back(session)
                session = None
        except BaseException:
            # Whatever happened, perhaps in the middle of DATA: this connection must never be used again,
            # and it ends without the final dot, so that the server drops what it has.
            if session is not None:
                session.abandon()
            raise

    def close(self) -> None:
        """End idle connections politely. The sender may be used again afterwards."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.quit()

    def _acquire(self) -> Session:
        while (session := self._pooled()) is not None:
            if session.is_alive(after=IDLE):
                return session
            session.abandon()
        return Session(*self._entrance.enter(), self._timeout, self._final_timeout)

    def _pooled(self) -> Session | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, session: Session) -> None:
        if session.is_closed:
            return
        if session.announced >= self._per_connection:
            session.quit()
            return
        session.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(session)
