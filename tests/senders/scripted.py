"""A mail server whose every byte is written in the test, for what no server in its right mind would do."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from digest.senders.smtp import SmtpSender

Talk = Callable[["Line"], None]


class Line:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.number = 0
        self.got = b""

    def say(self, *lines: bytes) -> None:
        self.sock.sendall(b"".join(line + b"\r\n" for line in lines))

    def read_to(self, end: bytes) -> bytes:
        """What the client sent, up to and with ``end``; the connection ends the talk if the client hangs up."""
        while end not in self.got:
            more = self.sock.recv(65_536)
            if not more:
                raise ConnectionError
            self.got += more
        part, _, self.got = self.got.partition(end)
        return part + end

    def greet(self, *offers: bytes) -> None:
        self.say(b"220 here")
        self.read_to(b"\r\n")
        offers = (b"here", *offers)
        self.say(*[b"250" + (b" " if offer == offers[-1] else b"-") + offer for offer in offers])

    def wait_for_hang_up(self) -> None:
        while (more := self.sock.recv(65_536)) and not more.endswith(b"QUIT\r\n"):
            pass


@contextmanager
def scripted(talk: Talk, *, timeout: float = 0.4, **options: Any) -> Iterator[SmtpSender]:
    """A sender whose every connection is answered by ``talk``; it waits that many seconds for each step."""
    listening = socket.create_server(("127.0.0.1", 0))
    open_lines: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                sock, _ = listening.accept()
            except OSError:
                return
            open_lines.append(sock)
            line = Line(sock)
            line.number = len(open_lines)
            threading.Thread(target=safely, args=(line,), daemon=True).start()

    def safely(line: Line) -> None:
        with contextlib.suppress(OSError):
            talk(line)
        with contextlib.suppress(OSError):
            line.sock.close()

    threading.Thread(target=serve, daemon=True).start()
    options = {"tls": "none", "final_timeout": timeout, "timeout": timeout, "ehlo": "client.example", **options}
    sender = SmtpSender("127.0.0.1", listening.getsockname()[1], **options)
    try:
        yield sender
    finally:
        sender.close()
        for sock in (listening, *open_lines):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
