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
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import lru_cache
from select import POLLIN
from typing import NamedTuple

from digest.domain.mail import Message, Outcome, SendResult
from digest.errors import MessageError, SenderRefused
from digest.senders.base import HandOver
from digest.senders.envelope import check_lines, wire_address
from digest.senders.smtp_waiting import Waiting
from digest.senders.smtp_wire import TIMED_OUT, Lost, Reply, Wire

SHUTTING_DOWN = 421
GOODBYE = 2.0
"""Seconds that a server gets to say goodbye."""

_DOT = b".\r\n"
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_STUFF = re.compile(rb"^\.", re.MULTILINE)

Steps = Generator[None, None, None]
"""Goes on when the line does: each None says that it can't for now."""


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


class _Envelope(NamedTuple):
    """The lines that announce a message: MAIL, RCPT, DATA."""

    message: Message
    commands: bytes


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
        at_hand: the message that was announced and not handed over yet: surely not accepted.
        is_committed: whether a final dot is on its way without its answer.
        until: ``time.monotonic`` when what :meth:`transfer` waits for is overdue.
    """

    def __init__(self, wire: Wire, offers: Mapping[str, str], timeout: float, final_timeout: float) -> None:
        self.wire, self._offers = wire, offers
        self._timeout, self._final_timeout = timeout, final_timeout
        self._pipelines = "pipelining" in offers
        self._needs_reset = False
        self._usual = b""
        self.announced = self.answered = 0
        self.is_closed = self.is_committed = False
        self.idle_since = time.monotonic()
        self.at_hand: Message | None = None
        self.until = 0.0

    def transfer(self, waiting: Waiting, hand_over: HandOver, most: int) -> Iterator[SendResult | None]:
        """Try messages from the front of ``waiting``, until it is empty, the connection ended, or has had its share.

        Waits for nothing itself: None says that it can't go on before the line does (``wire.awaits``), or ``until``.
        A message leaves ``waiting`` when it is announced; as long as it is ``at_hand``, it may be put back. After
        the final dot every way out is a result.

        Args:
            most: messages that may be tried over this connection in its life.

        Raises:
            Broken: 421, a lost connection or a reply that is no SMTP, before the final dot of what is ``at_hand``.
            SenderRefused: the server does not take mail from our sender at all.
        """
        envelope: _Envelope | None = None
        while not (self.is_closed or waiting.is_over):
            if envelope is None:
                if self.announced >= most or (message := waiting.take()) is None:
                    return
                try:
                    envelope = self._envelope(message)
                except _Unfit as unfit:
                    yield SendResult(message, "failed", *unfit.args)
                    continue
                yield from self._announce(envelope)
            message = envelope.message
            refusal = yield from self._refusal_of(envelope)
            if refusal is not None:
                self.at_hand = envelope = None
                yield self._answered(message, refusal)
                continue
            yield from self._write_body(message)
            envelope = self._following(waiting, most)  # first: if it can't be made, nothing was handed over
            hand_over(message)
            self.at_hand = None
            yield (yield from self._finish(message, envelope))

    def is_alive(self, *, after: float) -> bool:
        """Whether it can be used again: nothing came meanwhile, and after that many idle seconds, NOOP is answered."""
        if self.wire.has_news():
            return False
        if time.monotonic() - self.idle_since < after:
            return True
        try:
            self.wire.write(b"NOOP\r\n", GOODBYE)
            return self.wire.reply(GOODBYE).code == 250
        except Lost:
            return False

    def quit(self) -> None:
        """Say goodbye (RFC 5321 4.1.1.10), without waiting long for the answer."""
        self.is_closed = True
        try:
            self.wire.write(b"QUIT\r\n", GOODBYE)
            self.wire.reply(GOODBYE)
        except Lost:
            pass  # it is over either way
        self.wire.close()

    def abandon(self) -> None:
        """Hang up: without a final dot, the server drops what it has of a message (RFC 5321 4.1.1.4)."""
        self.is_closed = True
        self.wire.close()

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
        if not (message.prepared or message.data.isascii()):  # RFC 6152
            if "8bitmime" not in offers:
                raise _Unfit("554 5.6.3", "the message has 8-bit bytes, the server offers no 8BITMIME (RFC 6152)")
            options += " BODY=8BITMIME"
        if not recipient.isascii():  # RFC 6531
            if "smtputf8" not in offers:
                raise _Unfit("553 5.6.7", "the address needs SMTPUTF8, the server does not offer it (RFC 6531)")
            options += " SMTPUTF8"
        return _Envelope(message, f"MAIL FROM:<{sender}>{options}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode())

    def _following(self, waiting: Waiting, most: int) -> "_Envelope | None":
        """The envelope that may go behind a final dot."""
        if not self._pipelines or self.announced >= most or (message := waiting.take()) is None:
            return None
        try:
            return self._envelope(message)
        except _Unfit:
            waiting.put_back(message)  # said in its turn
            return None

    def _announce(self, envelope: _Envelope) -> Steps:
        """Send the envelope as one group; without PIPELINING its commands go one by one, in ``_refusal_of``."""
        self.at_hand = envelope.message
        self.announced += 1
        if self._pipelines:
            yield from self._send((b"RSET\r\n" if self._needs_reset else b"") + envelope.commands)

    def _refusal_of(self, envelope: _Envelope) -> Generator[None, None, Reply | None]:
        """None when the server waits for the message, else the reply that stands in the way."""
        if self._needs_reset:
            if not self._pipelines:
                yield from self._send(b"RSET\r\n")
            if (yield from self._reply()).code != 250:
                raise Broken("the server does not forget a message that it refused (RSET)", greeted_next=True)
            self._needs_reset = False
        if not self._pipelines:
            mail, rcpt, data = yield from self._step_by_step(envelope.commands.splitlines(keepends=True))
        elif self.wire.got(self._usual):  # the words of the last time
            return None
        else:
            mail = yield from self._reply(greeted_next=True)
            rcpt = yield from self._reply()
            data = yield from self._reply()
        if mail.code // 100 == 2 and rcpt.code // 100 == 2 and data.code == 354:
            self._usual = b"".join(b"%d %s\r\n" % reply for reply in (mail, rcpt, data))
            return None
        if 3 in (mail.code // 100, rcpt.code // 100) or (data.code < 400 and data.code != 354):
            raise Broken("the server answers out of turn")
        if data.code == 354:
            # RFC 2920 3.1: a server may say so although it took no recipient; an empty message ends it.
            yield from self._send(_DOT)
            yield from self._reply()
        else:
            self._needs_reset = True
        if mail.code // 100 == 5 and not _speaks_of_the_message(mail):
            words = " ".join(_read(mail))
            raise SenderRefused(f"the mail server does not take mail from {envelope.message.envelope_from}: {words}")
        return next(reply for reply in (mail, rcpt, data) if reply.code // 100 != 2)

    def _step_by_step(self, commands: Sequence[bytes]) -> Generator[None, None, list[Reply]]:
        replies: list[Reply] = []
        for command in commands:
            if replies and replies[-1].code // 100 != 2:
                replies.append(replies[-1])  # not asked any more
                continue
            yield from self._send(command)
            replies.append((yield from self._reply(greeted_next=not replies)))
        return replies

    def _write_body(self, message: Message) -> Steps:
        """All but the final dot."""
        ready = message.prepared and message.data.endswith(b"\r\n")
        yield from self._send(message.data if ready else stuffed(message.data), more=True)
        if self.wire.has_news():
            raise Broken("the server broke off in the middle of the message")

    def _finish(self, message: Message, following: _Envelope | None) -> Generator[None, None, SendResult]:
        """The final dot, the next envelope behind it, and the answer to this message."""
        group = _DOT
        if following is not None:
            group += following.commands
            self.at_hand = following.message
            self.announced += 1
        self.is_committed = True
        written = 0
        try:
            written = self.wire.put(group)
            until = time.monotonic() + self._timeout
            while written < len(group):
                yield from self._pause(until)
                written += self.wire.put(group[written:])
            self.wire.awaits = POLLIN  # the answer can't be here yet: it costs no look
            until = self.until = time.monotonic() + self._final_timeout
            yield
            while (reply := self.wire.get()) is None:
                yield from self._pause(until)
        except Lost as lost:
            self.abandon()
            if written < len(_DOT):  # so the server never saw the end
                return SendResult(message, "deferred", detail=f"the connection was lost: {lost}")
            return SendResult(message, "unknown", detail=f"no answer to the whole message: {lost}")
        finally:
            self.is_committed = False
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

    def _send(self, data: bytes, *, more: bool = False) -> Steps:
        try:
            if (written := self.wire.put(data, more=more)) == len(data):
                return
            rest, until = memoryview(data)[written:], time.monotonic() + self._timeout
            while rest:
                yield from self._pause(until)
                rest = rest[self.wire.put(rest) :]
        except Lost as lost:
            raise Broken(f"the connection was lost: {lost}") from lost

    def _reply(self, *, greeted_next: bool = False) -> Generator[None, None, Reply]:
        try:
            if (reply := self.wire.get()) is None:
                until = time.monotonic() + self._timeout
                while (reply := self.wire.get()) is None:
                    yield from self._pause(until)
        except Lost as lost:
            raise Broken(f"the connection was lost: {lost}", greeted_next=greeted_next) from lost
        if reply.code == SHUTTING_DOWN:
            code, words = _read(reply)
            raise Broken(words, code, greeted_next=greeted_next)
        return reply

    def _pause(self, until: float) -> Steps:
        """Let others go on.

        Raises:
            Lost: it took too long.
        """
        if time.monotonic() >= until:
            raise Lost(TIMED_OUT)
        self.until = until
        yield


def stuffed(data: bytes) -> bytes:
    """With dots doubled at line starts (RFC 5321 4.5.2), ending in CRLF. The lines were checked before."""
    body = _STUFF.sub(b"..", data) if data.startswith(b".") or b"\n." in data else data
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _speaks_of_the_message(mail: Reply) -> bool:
    """Whether a refused MAIL is about size or content (RFC 1870 6.1, RFC 6531 3.5), and not about our address."""
    return mail.code == 552 or bool(re.match(rb"5\.(3\.4|6\.\d+)\b", mail.words))


@lru_cache(maxsize=64)
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
