"""How a connection begins: greeting, extensions, TLS by policy, sign-in (RFC 5321 3.1, 3.2; RFC 3207; RFC 4954).

The dialogue of EHLO and AUTH is the standard library's; its bytes go over our wire, which has a deadline.
"""

import smtplib
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from digest.errors import SenderRefused, SenderUnavailable
from digest.senders.smtp_wire import Lost, Wire

Tls = Literal["none", "opportunistic", "required", "verified"]


@dataclass(frozen=True)
class Entrance:
    """Where and how to connect.

    Attributes:
        tls: ``opportunistic`` uses TLS when it is offered, ``required`` fails without it, ``verified`` also checks
            the certificate against the host's name.
        implicit: TLS from the first byte (RFC 8314).
        timeout: seconds for all of it, from the connection to the sign-in.
        own_name: what EHLO says; asked of the system once if empty.
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: Tls = "opportunistic"
    implicit: bool = False
    timeout: float = 60
    own_name: str = ""

    def __repr__(self) -> str:
        return f"Entrance({self.name})"

    @property
    def name(self) -> str:
        """For people; without user and password."""
        return f"smtp {self.host}:{self.port}"

    def enter(self) -> tuple[Wire, Mapping[str, str]]:
        """A connection that has greeted, is as secret as the policy asks, and is signed in; and what EHLO offered.

        Raises:
            SenderUnavailable: not now: nobody answers, in time, or with words of that kind (4xx).
            SenderRefused: not before somebody changes something: certificate, password, policy, our address (5xx).
        """
        until = time.monotonic() + self.timeout
        wire: Wire | None = None
        try:
            wire = Wire.to(self.host, self.port, until)
            return wire, self._introduce(wire, until)
        except (Lost, OSError, smtplib.SMTPException) as error:
            if wire is not None:
                wire.close()
            raise self._trouble(error) from error
        except BaseException:
            if wire is not None:
                wire.close()
            raise

    def _introduce(self, wire: Wire, until: float) -> Mapping[str, str]:
        if self.implicit:
            wire.start_tls(self._context, self.host, _left(until))
        dialogue = _Dialogue(wire, self._ehlo, until)
        code, words = dialogue.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        dialogue.ehlo_or_helo_if_needed()
        if not self.implicit and self.tls != "none":
            self._start_tls(dialogue, until)
        if self.user:
            self._sign_in(dialogue)
        return dialogue.esmtp_features

    def _start_tls(self, dialogue: "_Dialogue", until: float) -> None:
        if dialogue.has_extn("starttls"):
            code, words = dialogue.docmd("STARTTLS")
            if code == 220:
                dialogue.wire.start_tls(self._context, self.host, _left(until))
                dialogue.begin_again()
                return
            if self.tls != "opportunistic":
                raise smtplib.SMTPResponseException(code, words)
        elif self.tls != "opportunistic":
            raise SenderRefused(
                f"{self.name} does not offer STARTTLS, and the sender's policy is tls={self.tls}: "
                "use another port, or allow plain text with ?tls=none on a network that you trust"
            )

    def _sign_in(self, dialogue: "_Dialogue") -> None:
        try:
            dialogue.login(self.user, self.password)
        except smtplib.SMTPAuthenticationError as error:
            words = f"{error.smtp_code} {_text(error.smtp_error)}"
            if error.smtp_code // 100 == 5:
                raise SenderRefused(f"{self.name} refuses to sign us in: {words}") from error
            raise SenderUnavailable(f"{self.name} can't sign us in now: {words}") from error
        except UnicodeError as error:
            raise SenderRefused(f"user and password for {self.name} must be ASCII (RFC 4954)") from error
        except (smtplib.SMTPException, ValueError) as error:  # ValueError: a challenge that is no base64
            raise SenderRefused(
                f"{self.name} offers no sign-in that we know: take user and password out of the sender, "
                "or use the port for submission (587 or 465)"
            ) from error

    @cached_property
    def _ehlo(self) -> str:
        return self.own_name or socket.getfqdn()  # may ask a name server, so it is asked once

    @cached_property
    def _context(self) -> ssl.SSLContext:
        if self.tls == "verified":
            return ssl.create_default_context()  # reads the system's certificates, so it is made once
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def _trouble(self, error: Exception) -> SenderRefused | SenderUnavailable:
        """What kept a connection from being made, in words, and whether waiting can help."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return SenderRefused(
                f"the certificate of {self.name} can't be trusted: {error.verify_message}; "
                "with ?tls=required it is not verified"
            )
        if isinstance(error, smtplib.SMTPResponseException):
            words = f"{self.name} does not take us: {error.smtp_code} {_text(error.smtp_error)}"
            return SenderRefused(words) if error.smtp_code // 100 == 5 else SenderUnavailable(words)
        if isinstance(error, TimeoutError) or str(error) == "timed out":
            return SenderUnavailable(f"{self.name} did not answer within {self.timeout:g} s")
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        return SenderUnavailable(f"can't reach {self.name}: {reason}")


class _Dialogue(smtplib.SMTP):
    """The library's commands over our wire."""

    def __init__(self, wire: Wire, own_name: str, until: float) -> None:
        super().__init__(local_hostname=own_name)
        self.wire = wire
        self._until = until

    def getreply(self) -> tuple[int, bytes]:
        reply = self.wire.reply(_left(self._until))
        return reply.code, reply.words

    def send(self, s: "str | bytes | bytearray | memoryview") -> None:  # type: ignore[override]
        self.wire.write(s.encode(self.command_encoding) if isinstance(s, str) else bytes(s), _left(self._until))

    def begin_again(self) -> None:
        """Forget what was offered in clear, and ask again (RFC 3207 4.2)."""
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False
        self.ehlo_or_helo_if_needed()


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise Lost("timed out")
    return left


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
