"""The line to a mail server: bytes out, replies in, and no wait without an end.

Whatever the server does (a byte a minute, a reply of endless lines, silence in the middle of TLS), every method here
comes back within the seconds that it was given.
"""

import contextlib
import select
import socket
import ssl
import struct
import time
from typing import NamedTuple

LONGEST_REPLY = 65_536
"""Bytes of one reply at most. RFC 5321 4.5.3.1.5 allows 512 a line and does not count lines."""


class Reply(NamedTuple):
    """What a server answered (RFC 5321 4.2): 200–599, and the words of all lines without the code, by LF."""

    code: int
    words: bytes


class Lost(Exception):
    """The line can't be used any more.

    Attributes:
        written: bytes of the last write that had left for sure; what stands behind them has surely not left.
    """

    def __init__(self, words: str, written: int = 0) -> None:
        super().__init__(words)
        self.written = written


class Wire:
    """A connected socket, in clear or over TLS, for one thread at a time."""

    def __init__(self, sock: socket.socket) -> None:
        # A final dot is often a write of its own; Nagle would hold it back until the body is acknowledged.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._sends_within = self._receives_within = -1.0
        self._news = select.poll()
        self._news.register(sock, select.POLLIN)
        self._got = b""
        self._at = 0

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

    def start_tls(self, context: ssl.SSLContext, host: str, within: float) -> None:
        """Go on over TLS; whatever came before in clear and was not read is forgotten (RFC 3207 4.2, 6).

        Raises:
            OSError: the handshake failed (``ssl.SSLError``), or took longer.
        """
        self._got, self._at = b"", 0
        self._sock.settimeout(within)
        self._sends_within = self._receives_within = within
        self._sock = context.wrap_socket(self._sock, server_hostname=host)

    def write(self, data: bytes, within: float) -> None:
        """Send all of it.

        Raises:
            Lost: it could not be sent in time; ``written`` says how much was.
        """
        written, until = 0, time.monotonic() + within
        try:
            if within != self._sends_within:
                self._patience(within, socket.SO_SNDTIMEO)
            written = self._sock.send(data)
            if written < len(data):
                view = memoryview(data)
                while written < len(data):
                    if (left := until - time.monotonic()) <= 0:
                        raise TimeoutError
                    self._patience(left, socket.SO_SNDTIMEO)
                    written += self._sock.send(view[written:])
        except OSError as error:
            raise Lost(_why(error), written) from error

    def reply(self, within: float) -> Reply:
        """The next reply.

        Raises:
            Lost: it did not come in time and whole, or is none (RFC 5321 4.2.1).
        """
        until = 0.0
        size = code = 0
        words: list[bytes] = []
        while True:
            end = self._got.find(b"\n", self._at)
            if end < 0:
                waiting = len(self._got) - self._at
                if size + waiting > LONGEST_REPLY:
                    raise Lost("an answer without end")
                if not until:  # the usual reply comes at once and whole: it costs no new timeout
                    until = time.monotonic() + within
                    self._receive(within)
                else:
                    self._receive(until - time.monotonic())
                continue
            line = self._got[self._at : end].rstrip(b"\r")
            self._at = end + 1
            digits, mark = line[:3], line[3:4]
            if not digits.isdigit() or not b"200" <= digits <= b"599" or mark not in (b" ", b"-", b""):
                raise Lost(f"an answer that is no SMTP: {_shown(line)}")
            if code and int(digits) != code:
                raise Lost(f"an answer that is no SMTP: {code} goes on as {_shown(line)}")
            code = int(digits)
            words.append(line[4:].strip())
            if mark != b"-":
                return Reply(code, words[0] if len(words) == 1 else b"\n".join(words))
            size += len(line)
            if size > LONGEST_REPLY:
                raise Lost("an answer without end")

    def has_news(self) -> bool:
        """Whether the server spoke or hung up unasked. Over TLS a hang-up goes unseen: it may be TLS's own talk."""
        if self._at < len(self._got):
            return True
        if isinstance(self._sock, ssl.SSLSocket):
            return self._sock.pending() > 0
        return bool(self._news.poll(0))

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._sock.close()

    def _receive(self, within: float) -> None:
        if within <= 0:
            raise Lost("timed out")
        try:
            if within != self._receives_within:
                self._patience(within, socket.SO_RCVTIMEO)
            more = self._sock.recv(16_384)
        except OSError as error:
            raise Lost(_why(error)) from error
        if not more:
            raise Lost("the server hung up")
        self._got = self._got[self._at :] + more
        self._at = 0

    def _patience(self, seconds: float, option: int) -> None:
        """How long the next sends, or receives, may take.

        In clear the kernel keeps the time (SO_SNDTIMEO, SO_RCVTIMEO): with a timeout of its own Python would poll before
        every call. TLS needs Python's.
        """
        if isinstance(self._sock, ssl.SSLSocket):
            self._sock.settimeout(seconds)
            self._sends_within = self._receives_within = seconds
            return
        if self._sends_within < 0 and self._receives_within < 0:
            self._sock.settimeout(None)
        whole, part = divmod(max(int(seconds * 1_000_000), 1), 1_000_000)  # 0 would be for ever
        self._sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", whole, part))
        if option == socket.SO_SNDTIMEO:
            self._sends_within = seconds
        else:
            self._receives_within = seconds


def _why(error: OSError) -> str:
    return (
        "timed out"
        if isinstance(error, TimeoutError | BlockingIOError)
        else error.strerror or str(error) or type(error).__name__
    )


def _shown(line: bytes) -> str:
    return repr(line[:80].decode("utf-8", "replace"))
