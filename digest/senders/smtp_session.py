"""Messages over one connection (RFC 5321 3.3, 4.1), pipelined where the server offers it (RFC 2920).

::

    client                                       server
    MAIL RCPT DATA                          →
                                            ←    250 250 354
    body …  (hand_over)  . MAIL RCPT DATA   →                    the next envelope goes behind the final dot
                                            ←    250             the answer to this message
                                            ←    250 250 354     to the next envelope

So a message takes one turn of the line instead of four. DATA ends every group, and the body goes only after 354
(RFC 2920 3.1). Before the final dot the server has promised nothing (RFC 5321 4.2.5); after it, a connection that
breaks leaves the outcome unknown. Only one final dot is ever without its answer.
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from digest.domain.mail import Message, Outcome, SendResult
from digest.errors import MessageError, SenderRefused
from digest.senders.base import HandOver
from digest.senders.envelope import check_lines, wire_address
from digest.senders.smtp_wire import Lost, Reply, Wire

SHUTTING_DOWN = 421
GOODBYE = 2.0
"""Seconds that a server gets to say goodbye."""

_DOT = b".\r\n"
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_STUFF = re.compile(rb"^\.", re.MULTILINE)


class Broken(Exception):
    """The connection can't be used any more, and the message at hand was surely not accepted.

    Attributes:
        greeted_next: whether it ended at MAIL, so that its recipient can't be the reason.
    """

    def __init__(self, words: str, code: str = "", *, greeted_next: bool = False) -> None:
        super().__init__(words)
        self.words, self.code, self.greeted_next = words, code, greeted_next


class _Unfit(Exception):
    """This server can never take this message."""


@dataclass(slots=True)
class _Envelope:
    """The commands that announce a message, the last of them DATA."""

    message: Message
    commands: tuple[bytes, ...]


class Waiting:
    """Messages that are still to be tried: made one by one, and only the next one is looked at ahead of its turn."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._rest = iter(messages)
        self._first: Message | None = None

    @property
    def first(self) -> Message | None:
        """Whose turn it is; None when all were tried."""
        if self._first is None:
            self._first = next(self._rest, None)
        return self._first

    def pop(self) -> None:
        """The first one's turn is over."""
        self._first = None


class Session:
    """A connection that has greeted, is secured and signed in.

    Args:
        offers: the extensions that EHLO named, in lower case, with their parameters.
        timeout: seconds for the answer to a command, and for a body to leave.
        final_timeout: seconds for the answer to a whole message; RFC 5321 4.5.3.2.6 asks for ten minutes, as giving
            up earlier leaves mails unknown that were accepted.

    Attributes:
        announced: messages that were tried over it.
        answered: messages that it answered, with whatever words.
        is_closed: whether it ended; nothing more may be sent over it.
        idle_since: ``time.monotonic`` of its last use.
    """

    def __init__(self, wire: Wire, offers: Mapping[str, str], timeout: float, final_timeout: float) -> None:
        self._wire, self._offers = wire, offers
        self._timeout, self._final_timeout = timeout, final_timeout
        self._pipelines = "pipelining" in offers
        self._needs_reset = False
        self.announced = self.answered = 0
        self.is_closed = False
        self.idle_since = time.monotonic()

    def transfer(self, waiting: Waiting, hand_over: HandOver, most: int) -> Iterator[SendResult]:
        """Try messages from the front of ``waiting``, until it is empty, the connection ended, or has had its share.

        A message leaves ``waiting`` when its result is known, or ``hand_over`` was called for it. After the final
        dot every way out is a result.

        Args:
            most: messages that may be tried over this connection in its life.

        Raises:
            Broken: 421, a lost connection or a reply that is no SMTP, before the final dot of ``waiting.first``.
            SenderRefused: the server does not take mail from our sender at all.
        """
        under_way: _Envelope | None = None
        while not self.is_closed and (under_way or self.announced < most):
            message = waiting.first
            if message is None:
                return
            try:
                envelope = under_way or self._announce(self._envelope(message))
            except _Unfit as unfit:
                waiting.pop()
                yield SendResult(message, "failed", *unfit.args)
                continue
            under_way = None
            refusal = self._refusal_of(envelope)
            if refusal is not None:
                waiting.pop()
                yield self._answered(message, refusal)
                continue
            self._write_body(message)
            hand_over(message)
            waiting.pop()
            if self._pipelines and self.announced < most and (following := waiting.first) is not None:
                under_way = self._next_envelope(following)
            result = self._finish(message, under_way)
            yield result

    def is_alive(self, *, after: float) -> bool:
        """Whether it can be used again: nothing came meanwhile, and after that many idle seconds, NOOP is answered."""
        if self._wire.has_news():
            return False
        if time.monotonic() - self.idle_since < after:
            return True
        try:
            self._wire.write(b"NOOP\r\n", GOODBYE)
            return self._wire.reply(GOODBYE).code == 250
        except Lost:
            return False

    def quit(self) -> None:
        """Say goodbye (RFC 5321 4.1.1.10), without waiting long for the answer."""
        self.is_closed = True
        try:
            self._wire.write(b"QUIT\r\n", GOODBYE)
            self._wire.reply(GOODBYE)
        except Lost:
            pass  # it is over either way
        self._wire.close()

    def abandon(self) -> None:
        """Hang up: without a final dot, the server drops what it has of a message (RFC 5321 4.1.1.4)."""
        self.is_closed = True
        self._wire.close()

    def _envelope(self, message: Message) -> _Envelope:
        """The commands for a message; nothing is sent yet.

        Raises:
            _Unfit: with code and words.
        """
        try:
            sender, recipient = wire_address(message.envelope_from), wire_address(message.recipient)
            check_lines(message)
        except MessageError as error:
            raise _Unfit("553 5.1.3", str(error)) from None
        offers, size = self._offers, len(message.data)
        options = ""
        if "size" in offers:  # RFC 1870
            limit = offers["size"]
            if limit.isdigit() and 0 < int(limit) < size:
                raise _Unfit("552 5.3.4", f"the message has {size} bytes, the server takes {limit} (RFC 1870)")
            options = f" SIZE={size}"
        if not message.data.isascii():  # RFC 6152
            if "8bitmime" not in offers:
                raise _Unfit("554 5.6.3", "the message has 8-bit bytes, the server offers no 8BITMIME (RFC 6152)")
            options += " BODY=8BITMIME"
        if not recipient.isascii():  # RFC 6531
            if "smtputf8" not in offers:
                raise _Unfit("553 5.6.7", "the address needs SMTPUTF8, the server does not offer it (RFC 6531)")
            options += " SMTPUTF8"
        mail, rcpt = f"MAIL FROM:<{sender}>{options}\r\n", f"RCPT TO:<{recipient}>\r\n"
        return _Envelope(message, (mail.encode(), rcpt.encode(), b"DATA\r\n"))

    def _next_envelope(self, message: Message) -> _Envelope | None:
        try:
            return self._envelope(message)
        except _Unfit:
            return None  # said in its turn

    def _announce(self, envelope: _Envelope) -> _Envelope:
        """Send the envelope as one group; without PIPELINING its commands go one by one, in ``_refusal_of``."""
        if self._pipelines:
            self._send((b"RSET\r\n" if self._needs_reset else b"") + b"".join(envelope.commands))
        self.announced += 1
        return envelope

    def _refusal_of(self, envelope: _Envelope) -> Reply | None:
        """None when the server waits for the message, else the reply that stands in the way."""
        if self._needs_reset:
            if not self._pipelines:
                self._send(b"RSET\r\n")
            if self._reply().code != 250:
                raise Broken("the server does not forget a message that it refused (RSET)", greeted_next=True)
            self._needs_reset = False
        if self._pipelines:
            mail = self._reply(greeted_next=True)
            rcpt, data = self._reply(), self._reply()
        else:
            mail, rcpt, data = self._step_by_step(envelope.commands)
        if mail.code // 100 == 2 and rcpt.code // 100 == 2 and data.code == 354:
            return None
        if 3 in (mail.code // 100, rcpt.code // 100) or (data.code // 100 == 3 and data.code != 354):
            raise Broken("the server answers out of turn")
        if data.code == 354:
            # RFC 2920 3.1: a server may say so although it took no recipient; an empty message ends it.
            self._send(_DOT)
            self._reply()
        else:
            self._needs_reset = True
        if mail.code // 100 == 5 and not _speaks_of_the_message(mail):
            words = " ".join(_read(mail))
            raise SenderRefused(f"the mail server does not take mail from {envelope.message.envelope_from}: {words}")
        return next(reply for reply in (mail, rcpt, data) if reply.code // 100 != 2)

    def _step_by_step(self, commands: tuple[bytes, ...]) -> list[Reply]:
        replies: list[Reply] = []
        for command in commands:
            if replies and replies[-1].code // 100 != 2:
                replies.append(replies[-1])  # not asked any more
                continue
            self._send(command)
            replies.append(self._reply(greeted_next=not replies))
        return replies

    def _write_body(self, message: Message) -> None:
        """All but the final dot."""
        ready = message.prepared and message.data.endswith(b"\r\n")
        data = message.data if ready else stuffed(message.data)
        self._send(data)
        if self._wire.has_news():
            raise Broken("the server broke off in the middle of the message")

    def _finish(self, message: Message, following: _Envelope | None) -> SendResult:
        """The final dot, the next envelope behind it, and the answer to this message."""
        group = _DOT
        if following is not None:
            group += b"".join(following.commands)
            self.announced += 1
        has_left = False
        try:
            self._wire.write(group, self._timeout)
            has_left = True
            reply = self._wire.reply(self._final_timeout)
        except Lost as lost:
            self.abandon()
            if not has_left and lost.written < len(_DOT):  # so the server never saw the end
                return SendResult(message, "deferred", detail=f"the connection was lost: {lost}")
            return SendResult(message, "unknown", detail=f"no answer to the whole message: {lost}")
        if reply.code // 100 == 3:
            self.abandon()
            return SendResult(message, "unknown", detail=f"an answer out of turn: {' '.join(_read(reply))}")
        return self._answered(message, reply)

    def _answered(self, message: Message, reply: Reply) -> SendResult:
        self.answered += 1
        self.idle_since = time.monotonic()
        if reply.code == SHUTTING_DOWN:
            self.abandon()
        outcome: Outcome = "sent" if reply.code // 100 == 2 else "deferred" if reply.code // 100 == 4 else "failed"
        return SendResult(message, outcome, *_read(reply))

    def _send(self, data: bytes) -> None:
        try:
            self._wire.write(data, self._timeout)
        except Lost as lost:
            raise Broken(f"the connection was lost: {lost}") from lost

    def _reply(self, *, greeted_next: bool = False) -> Reply:
        try:
            reply = self._wire.reply(self._timeout)
        except Lost as lost:
            raise Broken(f"the connection was lost: {lost}", greeted_next=greeted_next) from lost
        if reply.code == SHUTTING_DOWN:
            code, words = _read(reply)
            raise Broken(words, code, greeted_next=greeted_next)
        return reply


def stuffed(data: bytes) -> bytes:
    """With dots doubled at line starts (RFC 5321 4.5.2), ending in CRLF. The lines were checked before."""
    body = _STUFF.sub(b"..", data) if data.startswith(b".") or b"\n." in data else data
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _speaks_of_the_message(mail: Reply) -> bool:
    """Whether a refused MAIL is about size or content (RFC 1870 6.1, RFC 6531 3.5), and not about our address."""
    return mail.code == 552 or bool(re.match(rb"5\.(3\.4|6\.\d+)\b", mail.words))


def _read(reply: Reply) -> tuple[str, str]:
    """A reply as status, with the enhanced code (RFC 2034) where there is one, and words without it."""
    words = reply.words.decode("utf-8", "replace")
    enhanced = _ENHANCED.match(words)
    if enhanced and "\n" not in words:  # as nearly always
        return f"{reply.code} {enhanced[0]}", words[enhanced.end() :].strip()
    lines = words.split("\n")
    if not enhanced:
        return str(reply.code), " ".join(lines)
    text = " ".join(_ENHANCED.sub("", line, count=1).strip() if _ENHANCED.match(line) else line for line in lines)
    return f"{reply.code} {enhanced[0]}", text
