"""Hands messages to a mail server by SMTP (RFC 5321), over connections that are used again.

The service hands its mail to a relay; it looks up no MX records and signs nothing here.
"""

from collections.abc import Iterable, Iterator
from typing import cast

from digest.domain.mail import Message, SendResult
from digest.senders.base import HandOver
from digest.senders.dsn import Dsn, wrong
from digest.senders.smtp_abreast import Abreast
from digest.senders.smtp_opening import Entrance, Tls
from digest.senders.smtp_pool import Pool


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
        per_connection: int = 1000,
        ehlo: str = "",
    ) -> None:
        self._entrance = Entrance(host, port, user, password, tls, implicit, timeout, ehlo)
        self.name = self._entrance.name
        self._pool = Pool(self._entrance, timeout, final_timeout or 10 * timeout, per_connection)

    @classmethod
    def from_dsn(cls, dsn: Dsn) -> "SmtpSender":
        """``smtp[s]://[USER:PASSWORD@]HOST[:PORT]?tls=…&timeout=60&final_timeout=600&per_connection=1000&ehlo=NAME``.

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
            per_connection=dsn.number("per_connection", 1000),
            ehlo=dsn.options.get("ehlo", ""),
        )

    def send(self, messages: Iterable[Message], hand_over: HandOver) -> Iterator[SendResult]:
        """See :class:`digest.senders.base.Sender`; over one connection."""
        return self.send_abreast(messages, hand_over, 1)

    def send_abreast(self, messages: Iterable[Message], hand_over: HandOver, connections: int) -> Iterator[SendResult]:
        """See :class:`digest.senders.base.SenderAbreast`. 4xx is ``deferred``, 5xx ``failed``.

        A 421 or a lost connection ends the connection; the message that met it is deferred (it may be the cause)
        and another connection takes the next one. When two in a row end so, the server counts as unavailable.

        Raises:
            SenderUnavailable, SenderRefused: with the server's words.
        """
        return Abreast(self._pool, messages, hand_over, connections).run()

    def close(self) -> None:
        """End idle connections politely. The sender may be used again afterwards."""
        self._pool.close()
