"""One SMTP connection and the transfer of one message over it (RFC 5321 3.3, 4.1, 4.5.2)."""

import contextlib
import re
import select
import smtplib
import ssl

from digest.domain.mail import Message, Outcome, SendResult
from digest.errors import SenderRefused
from digest.senders.base import HandOver
from digest.senders.envelope import wire_address

SHUTTING_DOWN = 421
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_STUFF = re.compile(rb"^\.", re.MULTILINE)


class Broken(Exception):
    """The connection can't be used any more, and the message at hand was not accepted."""

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(words)
        self.words, self.code = words, code


class Session:
    """A connection that has greeted, is secured and signed in.

    Attributes:
        handled: messages that were tried over it.
        is_closed: whether it ended; nothing more may be sent over it.
    """

    def __init__(self, client: smtplib.SMTP) -> None:
        self._client = client
        self.handled = 0
        self.is_closed = False

    def transfer(self, message: Message, hand_over: HandOver) -> SendResult:
        """Try one message. After the final dot every way out is a result.

        Raises:
            Broken: 421, a lost connection or a reply that is no SMTP, before the final dot.
            SenderRefused: the server does not take mail from our sender at all.
        """
        self.handled += 1
        refusal = self._unsuitable(message)
        if refusal:
            return SendResult(message, "failed", *refusal)
        try:
            reply = self._envelope(message)
            if reply is not None:
                return self._refused(message, *reply)
            self._client.send(_stuffed(message.data))
        except (smtplib.SMTPException, OSError) as error:
            raise Broken(f"the connection was lost: {_words(error)}") from error
        if self._was_interrupted():
            raise Broken("the server broke off in the middle of the message")
        hand_over(message)
        return self._final_dot(message)

    def is_alive(self) -> bool:
        """Whether the server still answers; it may have tired of waiting since the last message."""
        try:
            code, _ = self._client.noop()
        except (smtplib.SMTPException, OSError):
            return False
        return code == 250

    def quit(self) -> None:
        """Say goodbye."""
        self.is_closed = True
        with contextlib.suppress(smtplib.SMTPException, OSError):
            self._client.quit()
        self._client.close()

    def abandon(self) -> None:
        """Hang up: without a final dot, the server drops what it has of a message (RFC 5321 4.1.1.4)."""
        self.is_closed = True
        self._client.close()

    def _unsuitable(self, message: Message) -> tuple[str, str] | None:
        """Why this server can never take this message, before anything is sent."""
        limit = self._client.esmtp_features.get("size", "")
        if limit.isdigit() and 0 < int(limit) < len(message.data):
            return "552 5.3.4", f"the message has {len(message.data)} bytes, the server takes {limit} (RFC 1870)"
        if not message.data.isascii() and not self._client.has_extn("8bitmime"):
            return "554 5.6.3", "the message has 8-bit bytes and the server does not offer 8BITMIME (RFC 6152)"
        if not message.recipient.rpartition("@")[0].isascii() and not self._client.has_extn("smtputf8"):
            return "553 5.6.7", "the address needs SMTPUTF8 and the server does not offer it (RFC 6531)"
        return None

    def _envelope(self, message: Message) -> tuple[int, bytes] | None:
        """MAIL, RCPT, DATA. None when the server waits for the message, else the reply that stands in the way."""
        sender, recipient = wire_address(message.envelope_from), wire_address(message.recipient)
        options = [f"size={len(message.data)}"] if self._client.has_extn("size") else []
        if not message.data.isascii():
            options.append("BODY=8BITMIME")
        if not recipient.isascii():
            options.append("SMTPUTF8")
        self._client.command_encoding = "utf-8" if not recipient.isascii() else "ascii"
        code, words = self._checked(*self._client.mail(sender, options))
        if code // 100 == 5 and code != 552:
            raise SenderRefused(f"the mail server does not take mail from {sender}: {_shown(code, words)}")
        if code // 100 != 2:
            return code, words
        code, words = self._checked(*self._client.rcpt(recipient))
        if code // 100 != 2:
            return code, words
        code, words = self._checked(*self._client.docmd("DATA"))
        return None if code == 354 else (code, words)

    def _was_interrupted(self) -> bool:
        """Whether the server hung up or spoke before the final dot: one look that spares an unknown outcome.

        A TLS connection may have something to read that is no reply, so there it says nothing.
        """
        sock = self._client.sock
        if sock is None or isinstance(sock, ssl.SSLSocket):
            return sock is None
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))

    def _refused(self, message: Message, code: int, words: bytes) -> SendResult:
        """The result of a refusal; the connection is made ready for the next message."""
        try:
            reset, _ = self._client.rset()
        except (smtplib.SMTPException, OSError):
            reset = -1
        if reset != 250:
            self.abandon()
        return _result(message, code, words)

    def _final_dot(self, message: Message) -> SendResult:
        """From here on the server may have the message, whatever becomes of the connection."""
        try:
            self._client.send(b".\r\n")
            code, words = self._client.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self.abandon()
            return SendResult(message, "unknown", detail=f"no answer to the whole message: {_words(error)}")
        if not 200 <= code < 600:
            self.abandon()
            return SendResult(message, "unknown", detail=f"an answer that is no SMTP: {_shown(code, words)}")
        if code == SHUTTING_DOWN:
            self.abandon()
        return _result(message, code, words)

    def _checked(self, code: int, words: bytes) -> tuple[int, bytes]:
        if code == SHUTTING_DOWN:
            status, text = _read(code, words)
            raise Broken(text, status)
        if not 200 <= code < 600:
            raise Broken(f"an answer that is no SMTP: {words[:80]!r}")
        return code, words


def _stuffed(data: bytes) -> bytes:
    """With dots doubled at line starts (RFC 5321 4.5.2), ending in CRLF. The lines were checked before."""
    body = _STUFF.sub(b"..", data) if data.startswith(b".") or b"\n." in data else data
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _result(message: Message, code: int, words: bytes) -> SendResult:
    outcome: Outcome = "sent" if code // 100 == 2 else "deferred" if code // 100 == 4 else "failed"
    return SendResult(message, outcome, *_read(code, words))


def _read(code: int, words: bytes) -> tuple[str, str]:
    """A reply as status, with the enhanced code (RFC 2034) where there is one, and words without it."""
    lines = words.decode("utf-8", "replace").split("\n")
    enhanced = _ENHANCED.match(lines[0])
    text = " ".join(_ENHANCED.sub("", line, count=1).strip() if _ENHANCED.match(line) else line for line in lines)
    return (f"{code} {enhanced[0]}" if enhanced else str(code)), text


def _shown(code: int, words: bytes) -> str:
    return f"{code} {words.decode('utf-8', 'replace')}".replace("\n", " ")


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
