"""The line to a mail server: bytes out, replies in, and no wait without an end.

Nothing here waits unless it is asked to: ``put`` and ``get`` do what the line lets them do at this moment, so that one
thread can keep many lines busy; ``write`` and ``reply`` wait for so many seconds at most, whatever the server does (a
byte a minute, a reply of endless lines, silence in the middle of TLS).
"""

import contextlib
import select
import socket
import ssl
import time
from typing import NamedTuple

TIMED_OUT = "timed out"
_MORE = getattr(socket, "MSG_MORE", 0)
LONGEST_REPLY = 65_536
"""Bytes of one reply at most. RFC 5321 4.5.3.1.5 allows 512 a line and does not count lines."""


class Reply(NamedTuple):
    """What a server answered (RFC 5321 4.2): 200–599, and the words of all lines without the code, by LF."""

    code: int
    words: bytes


class Lost(Exception):
    """The line can't be used any more; the words say why."""


class Wire:
    """A connected socket, in clear or over TLS, for one thread at a time.

    Attributes:
        awaits: what the last step that could not go on waits for, as ``select.poll`` names it.
    """

    def __init__(self, sock: socket.socket) -> None:
        # A final dot is often a write of its own; Nagle would hold it back until the body is acknowledged.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        self._sock = sock
        self._news = select.poll()  # kept, as each message asks
        self._news.register(sock, select.POLLIN)
        self._got = b""
        self._at = 0
        self._lines: list[bytes] = []
        self._size = 0
        self.awaits = select.POLLIN

    @classmethod
    def to(cls, host: str, port: int, until: float) -> "Wire":
        """Connect to the first address of the host that answers before ``until`` (``time.monotonic``).

        Raises:
            OSError: none does.
        """
        trouble: OSError = TimeoutError("timed out")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            remaining = until - time.monotonic()
            if remaining <= 0:
                break
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(remaining)
                sock.connect(address)
                return cls(sock)
            except OSError as error:
                sock.close()
                trouble = error
        raise trouble

    @property
    def is_secret(self) -> bool:
        """Whether TLS is on."""
        return isinstance(self._sock, ssl.SSLSocket)

    def fileno(self) -> int:
        """For ``select.poll``."""
        return self._sock.fileno()

    def start_tls(self, context: ssl.SSLContext, host: str, within: float) -> None:
        """Go on over TLS; whatever came before in clear and was not read is forgotten (RFC 3207 4.2, 6).

        Raises:
            OSError: the handshake failed (``ssl.SSLError``), or took longer.
        """
        self._got, self._at = b"", 0
        self._sock.settimeout(within)
        self._sock = context.wrap_socket(self._sock, server_hostname=host)
        self._sock.setblocking(False)

    def put(self, data: "bytes | memoryview", *, more: bool = False) -> int:
        """Send as much as the line takes now; how many bytes that were, and ``awaits`` if it was not all.

        Args:
            more: something follows soon: its end may wait for that (Linux's MSG_MORE: for 200 ms), so that both go in
                one packet and wake the server once.

        Raises:
            Lost: the line is gone.
        """
        try:
            sent = self._sock.send(data, _MORE) if more and not self.is_secret else self._sock.send(data)
        except (BlockingIOError, ssl.SSLWantWriteError):
            sent = 0
        except ssl.SSLWantReadError:
            self.awaits = select.POLLIN
            return 0
        except OSError as error:
            raise Lost(_why(error)) from error
        if sent < len(data):
            self.awaits = select.POLLOUT
        return sent

    def get(self) -> Reply | None:
        """The next reply if all of it is here, else None.

        Raises:
            Lost: the server hung up, or says what is no reply (RFC 5321 4.2.1).
        """
        while True:
            end = self._got.find(b"\n", self._at)
            if end < 0:
                if not self._receive():
                    return None
                continue
            line = self._got[self._at : end].rstrip(b"\r")
            self._at = end + 1
            digits, mark = line[:3], line[3:4]
            if not digits.isdigit() or not b"200" <= digits <= b"599" or mark not in (b" ", b"-", b""):
                raise Lost(f"an answer that is no SMTP: {_shown(line)}")
            if self._lines and digits != self._lines[0][:3]:
                raise Lost(f"an answer that is no SMTP: {int(self._lines[0][:3])} goes on as {_shown(line)}")
            if mark != b"-" and not self._lines:  # as nearly always
                return Reply(int(digits), line[4:].strip())
            self._lines.append(line)
            self._size += len(line)
            if self._size > LONGEST_REPLY:
                raise Lost("an answer without end")
            if mark != b"-":
                lines, self._lines, self._size = self._lines, [], 0
                return Reply(int(digits), b"\n".join(line[4:].strip() for line in lines))

    def got(self, replies: bytes) -> bool:
        """Whether exactly these bytes come next and are here already: then they count as read. Nothing never comes."""
        if self._lines or not replies or not self._got.startswith(replies, self._at):
            return False
        self._at += len(replies)
        return True

    def write(self, data: bytes, within: float) -> None:
        """Send all of it, and wait for that.

        Raises:
            Lost: it could not be sent in time.
        """
        until, rest = time.monotonic() + within, memoryview(data)
        while rest := rest[self.put(rest) :]:
            self._wait(until)

    def reply(self, within: float) -> Reply:
        """The next reply, and wait for it.

        Raises:
            Lost: it did not come in time and whole, or is none (RFC 5321 4.2.1).
        """
        until = time.monotonic() + within
        while (reply := self.get()) is None:
            self._wait(until)
        return reply

    def has_news(self) -> bool:
        """Whether the server spoke or hung up unasked."""
        if self._at < len(self._got):
            return True
        if not isinstance(self._sock, ssl.SSLSocket):
            return bool(self._news.poll(0))
        try:
            return self._receive()  # what has come may be TLS's own talk
        except Lost:
            return True

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._sock.close()

    def _receive(self) -> bool:
        """Take in what has come; whether there was anything."""
        if self._size + len(self._got) - self._at > LONGEST_REPLY:
            raise Lost("an answer without end")
        try:
            more = self._sock.recv(16_384)
        except (BlockingIOError, ssl.SSLWantReadError):
            self.awaits = select.POLLIN
            return False
        except ssl.SSLWantWriteError:
            self.awaits = select.POLLOUT
            return False
        except OSError as error:
            raise Lost(_why(error)) from error
        if not more:
            raise Lost("the server hung up")
        self._got = self._got[self._at :] + more
        self._at = 0
        return True

    def _wait(self, until: float) -> None:
        left = until - time.monotonic()
        if left <= 0 or not _ready(self._sock, self.awaits, left):
            raise Lost(TIMED_OUT)


def _ready(sock: socket.socket, events: int, seconds: float) -> bool:
    waiting = select.poll()
    waiting.register(sock, events)
    return bool(waiting.poll(seconds * 1000))


def _why(error: OSError) -> str:
    return TIMED_OUT if isinstance(error, TimeoutError) else error.strerror or str(error) or type(error).__name__


def _shown(line: bytes) -> str:
    return repr(line[:80].decode("utf-8", "replace"))
