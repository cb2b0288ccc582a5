"""A mail server on loopback that misbehaves on demand, and keeps what it accepted.

What it does to a recipient is chosen by the local part of the address: ``hard-anything@example.com`` is answered
with 550, every name that is not in ``RCPT`` or ``AFTER_DATA`` is accepted.
"""

import base64
import contextlib
import socket
import ssl
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parent / "data"

RCPT = {
    "hard": b"550 5.1.1 no such user",
    "full": b"552 5.2.2 mailbox full",
    "soft": b"450 4.2.0 greylisted",
    "spam": b"550-5.7.1 blocked\r\n550 5.7.1 see our pages",
    "busy": b"421 4.7.0 too many connections",
    "garbage": b"what?",
}
AFTER_DATA = {"refused": b"554 5.7.1 refused by policy", "later": b"451 4.3.0 try later", "shutdown": b"421 4.3.2 bye"}


@dataclass(frozen=True)
class Accepted:
    """A message that the server took; ``data`` as it stood before dots were doubled."""

    sender: str
    recipient: str
    data: bytes
    tls: bool
    connection: int


@dataclass
class MailServer:
    """Starts on a free port.

    Attributes:
        banner, ehlo: first answers; ``ehlo`` lists the extensions.
        user: if set, "user:password" that AUTH must bring.
        sender_answer: the answer to MAIL.
        places: connections that it takes at once; whoever comes besides is turned away with 421.
        crowd: no message is answered before so many connections have come.
        per_connection: messages after which the connection ends with 421.
        pipelining: say in EHLO that commands may come in groups (they may always).
    """

    banner: bytes = b"220 here"
    ehlo: tuple[str, ...] = ("8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 1000000")
    user: str = ""
    sender_answer: bytes = b"250 2.1.0 ok"
    places: int = 0
    crowd: int = 0
    per_connection: int = 0
    tls: bool = False
    pipelining: bool = False
    accepted: list[Accepted] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> "MailServer":
        self._lock = threading.Lock()
        self._came = threading.Condition(self._lock)
        self._open: set[socket.socket] = set()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(DATA / "localhost.pem", DATA / "localhost.key")
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # shutdown, as close alone does not wake the thread that accepts.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @property
    def recipients(self) -> list[str]:
        """Who got a message, in the order of acceptance."""
        with self._lock:
            return [mail.recipient for mail in self.accepted]

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                number = self.connections
                self._open.add(connection)
                self._came.notify_all()
            threading.Thread(target=self._safely, args=(connection, number), daemon=True).start()

    def _safely(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            self._talk(connection, number)
        with self._lock:
            self._open.discard(connection)
        with contextlib.suppress(OSError):
            connection.close()

    def _talk(self, connection: socket.socket, number: int) -> None:
        lines = connection.makefile("rb")
        secure = False

        def say(answer: bytes) -> None:
            connection.sendall(answer + b"\r\n")

        with self._lock:
            full = 0 < self.places < len(self._open)
        say(b"421 4.7.0 too many connections" if full else self.banner)
        if full or not self.banner.startswith(b"220"):
            return
        sender = recipient = ""
        taken = 0
        while line := lines.readline():
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            with self._lock:
                self.commands.append(command)
            verb = command.split(" ")[0].upper()
            if verb == "EHLO":
                offers = ["here", *self.ehlo, *(["AUTH PLAIN"] if self.user else [])]
                offers += ["PIPELINING"] if self.pipelining else []
                offers += ["STARTTLS"] if self.tls and not secure else []
                say(b"\r\n".join(f"250{'-' if offer != offers[-1] else ' '}{offer}".encode() for offer in offers))
            elif verb == "STARTTLS":
                say(b"220 go")
                connection = self._context.wrap_socket(connection, server_side=True)
                lines, secure = connection.makefile("rb"), True
            elif verb == "AUTH":
                given = base64.b64decode(command.split(" ")[2]).decode().split("\0")[1:]
                say(b"235 welcome" if given == self.user.split(":") else b"535 5.7.8 wrong user or password")
            elif verb == "MAIL":
                if self.per_connection and taken >= self.per_connection:
                    say(b"421 4.3.2 enough for this connection")
                    return
                sender, recipient = _address(command), ""
                say(self.sender_answer)
            elif verb == "RCPT":
                name = _address(command).split("@")[0].split("-")[0]
                with self._lock:
                    self.seen[_address(command)] += 1
                    first = self.seen[_address(command)] == 1
                answer = b"450 4.7.1 once" if name == "once" and first else RCPT.get(name, b"250 2.1.5 ok")
                say(answer)
                if answer.startswith(b"421"):
                    return
                recipient = _address(command) if answer.startswith(b"250") else ""
            elif verb == "DATA":
                if not recipient:
                    say(b"503 5.5.1 no recipient")
                    continue
                say(b"354 go")
                name = recipient.split("@")[0].split("-")[0]
                body = self._body(lines, half=name == "half")
                if body is None:
                    return
                if name == "drop":
                    return
                if name == "babble":
                    say(b"thanks, got it")
                    return
                if name == "silence":
                    lines.readline()
                    return
                answer = AFTER_DATA.get(name, b"250 2.0.0 queued")
                with self._lock:
                    assert self._came.wait_for(lambda: self.connections >= self.crowd, timeout=60)
                if answer.startswith(b"250"):
                    with self._lock:
                        self.accepted.append(Accepted(sender, recipient, body, secure, number))
                    taken += 1
                say(answer)
                if answer.startswith(b"421"):
                    return
            elif verb == "QUIT":
                say(b"221 bye")
                return
            elif verb in ("RSET", "NOOP"):
                say(b"250 ok")
            else:
                say(b"502 5.5.2 unknown")

    def _body(self, lines: socket.SocketIO, *, half: bool) -> bytes | None:
        body = []
        while line := lines.readline():
            if line == b".\r\n":
                return b"".join(body)
            body.append(line[1:] if line.startswith(b".") else line)
            if half:
                return None
        return None


def _address(command: str) -> str:
    return command.partition("<")[2].partition(">")[0]
