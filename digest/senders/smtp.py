"""Hands messages to a mail server by SMTP (RFC 5321), one at a time over connections that are used again.

The service hands its mail to a relay; it looks up no MX records and signs nothing here.

The order of one message: MAIL, RCPT, DATA, the body, then ``hand_over``, then the final dot. Before that dot the
server has promised nothing (RFC 5321 4.2.5); after it, a connection that breaks leaves the outcome unknown.
"""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal, cast

from digest.domain.mail import Message, SendResult
from digest.errors import MessageError, SenderRefused, SenderUnavailable
from digest.senders.base import HandOver
from digest.senders.dsn import Dsn, wrong
from digest.senders.envelope import check_lines, wire_address
from digest.senders.smtp_session import Broken, Session

Tls = Literal["none", "opportunistic", "required", "verified"]
FRUITLESS = 2
"""Connections in a row that may end without any answer to a message, before the server counts as unavailable."""


class SmtpSender:
    """A mail server, by ``smtp://`` (STARTTLS by policy) or ``smtps://`` (TLS from the first byte, RFC 8314).

    Safe to use from several threads: each call of :meth:`send` takes a connection of its own from the pool.
    """

    idempotent = False
    batch = 100

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
        per_connection: int = 100,
        ehlo: str = "",
    ) -> None:
        self.name = f"smtp {host}:{port}"
        self._host, self._port = host, port
        self._user, self._password = user, password
        self._tls, self._implicit = tls, implicit
        self._timeout, self._per_connection = timeout, per_connection
        self._own_name = ehlo
        self._idle: list[Session] = []
        self._lock = threading.Lock()

    @classmethod
    def from_dsn(cls, dsn: Dsn) -> "SmtpSender":
        """``smtp[s]://[USER:PASSWORD@]HOST[:PORT]?tls=…&timeout=60&per_connection=100&ehlo=NAME``.

        ``tls`` is ``none``, ``opportunistic`` (used when offered, not verified), ``required`` (not verified) or
        ``verified``. The default is ``verified`` where a password or a whole connection is at stake, else
        ``opportunistic``. Ports: 587 with a user, 25 without, 465 for ``smtps``.

        Raises:
            ConfigError: no host, a user without password, an option that is not known.
        """
        dsn.allow("tls", "timeout", "per_connection", "ehlo")
        if not dsn.host:
            raise wrong(f"names no host: write {dsn.scheme}://[USER:PASSWORD@]HOST[:PORT]")
        if bool(dsn.user) != bool(dsn.password):
            raise wrong("needs both user and password, or neither")
        if dsn.path not in ("", "/"):
            raise wrong(f"has a path after the host: write {dsn.scheme}://[USER:PASSWORD@]HOST[:PORT]")
        implicit = dsn.scheme == "smtps"
        policies = ("required", "verified") if implicit else ("none", "opportunistic", "required", "verified")
        tls = dsn.choice("tls", "verified" if implicit or dsn.user else "opportunistic", *policies)
        return cls(
            dsn.host,
            dsn.port or (465 if implicit else 587 if dsn.user else 25),
            user=dsn.user,
            password=dsn.password,
            tls=cast(Tls, tls),
            implicit=implicit,
            timeout=dsn.number("timeout", 60),
            per_connection=dsn.number("per_connection", 100),
            ehlo=dsn.options.get("ehlo", ""),
        )

    def send(self, messages: Sequence[Message], hand_over: HandOver) -> Iterator[SendResult]:
        """See :class:`digest.senders.base.Sender`. 4xx is ``deferred``, 5xx ``failed``.

        A 421 or a lost connection ends the connection; the message that met it is deferred (it may be the cause)
        and a new connection takes the next one. When two in a row end so, the server counts as unavailable.

        Raises:
            SenderUnavailable, SenderRefused: with the server's words.
        """
        session: Session | None = None
        fruitless = 0
        try:
            for message in messages:
                try:
                    check_lines(message)
                    wire_address(message.recipient)
                    wire_address(message.envelope_from)
                except MessageError as error:
                    yield SendResult(message, "failed", code="553 5.1.3", detail=str(error))
                    continue
                if session is None or session.handled >= self._per_connection:
                    session = self._next(session)
                try:
                    result = session.transfer(message, hand_over)
                except Broken as broken:
                    session.abandon()
                    session, fruitless = None, fruitless + 1
                    yield SendResult(message, "deferred", code=broken.code, detail=broken.words)
                    if fruitless >= FRUITLESS:
                        words = f"{broken.code} {broken.words}".strip()
                        raise SenderUnavailable(f"{self.name} ended the connection: {words}") from broken
                    continue
                if session.is_closed:
                    session = None
                fruitless = 0
                yield result
        except BaseException:
            # Whatever happened, perhaps in the middle of DATA: this connection must never be used again,
            # and it ends without the final dot, so that the server drops what it has.
            if session is not None:
                session.abandon()
            raise
        if session is not None:
            self._give_back(session)

    def close(self) -> None:
        """End idle connections politely. The sender may be used again afterwards."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.quit()

    def _next(self, used_up: Session | None) -> Session:
        if used_up is not None:
            used_up.quit()
            return self._connect()
        while (session := self._pooled()) is not None:
            if session.handled < self._per_connection and session.is_alive():
                return session
            session.abandon()
        return self._connect()

    def _pooled(self) -> Session | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, session: Session) -> None:
        with self._lock:
            self._idle.append(session)

    @cached_property
    def _ehlo(self) -> str:
        # getfqdn may ask a name server, so it is asked once.
        return self._own_name or socket.getfqdn()

    def _connect(self) -> Session:
        """A connection that has greeted, is as secret as the policy asks, and is signed in."""
        client: smtplib.SMTP | None = None
        try:
            client = self._greet()
            self._secure(client)
            self._sign_in(client)
        except (OSError, smtplib.SMTPException) as error:
            if client is not None:
                client.close()
            raise self._trouble(error) from error
        except BaseException:
            if client is not None:
                client.close()
            raise
        return Session(client)

    def _greet(self) -> smtplib.SMTP:
        # Made without a host, so that the greeting is ours to judge and the object ours to close.
        client = (
            smtplib.SMTP_SSL(local_hostname=self._ehlo, timeout=self._timeout, context=self._context())
            if self._implicit
            else smtplib.SMTP(local_hostname=self._ehlo, timeout=self._timeout)
        )
        client._host = self._host  # type: ignore[attr-defined]  # what STARTTLS verifies; only __init__ sets it
        try:
            code, words = client.connect(self._host, self._port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, words)
            sock = client.sock
            assert sock is not None
            # The final dot is a write of its own; Nagle would hold it back until the body is acknowledged.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.ehlo_or_helo_if_needed()
        except BaseException:
            client.close()
            raise
        return client

    def _secure(self, client: smtplib.SMTP) -> None:
        if self._implicit or self._tls == "none":
            return
        if client.has_extn("starttls"):
            client.starttls(context=self._context())
            client.ehlo_or_helo_if_needed()
        elif self._tls != "opportunistic":
            raise SenderRefused(
                f"{self.name} does not offer STARTTLS, and the sender's policy is tls={self._tls}: "
                "use another port, or allow plain text with ?tls=none on a network that you trust"
            )

    def _sign_in(self, client: smtplib.SMTP) -> None:
        if not self._user:
            return
        try:
            client.login(self._user, self._password)
        except smtplib.SMTPAuthenticationError as error:
            words = f"{error.smtp_code} {_text(error.smtp_error)}"
            if error.smtp_code // 100 == 5:
                raise SenderRefused(f"{self.name} refuses to sign us in: {words}") from error
            raise SenderUnavailable(f"{self.name} can't sign us in now: {words}") from error
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException as error:
            raise SenderRefused(
                f"{self.name} offers no sign-in that we know: take user and password out of the sender, "
                "or use the port for submission (587 or 465)"
            ) from error

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._tls != "verified":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _trouble(self, error: OSError | smtplib.SMTPException) -> SenderRefused | SenderUnavailable:
        """What kept a connection from being made, in words, and whether waiting can help."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return SenderRefused(
                f"the certificate of {self.name} can't be trusted: {error.verify_message}; "
                "with ?tls=required it is not verified"
            )
        if isinstance(error, smtplib.SMTPResponseException):
            words = f"{self.name} does not take us: {error.smtp_code} {_text(error.smtp_error)}"
            return SenderRefused(words) if error.smtp_code // 100 == 5 else SenderUnavailable(words)
        if isinstance(error, TimeoutError):
            return SenderUnavailable(f"{self.name} did not answer within {self._timeout:.0f} s")
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        return SenderUnavailable(f"can't reach {self.name}: {reason}")


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
