"""A mail server that misbehaves by lot, and keeps whose mails it took. The lots are drawn from a seed."""

import contextlib
import random
import socket
import ssl
import threading

from tests.senders.misbehaving import DATA
from tests.senders.scripted import Line

MISHAPS = (
    "421 instead of a greeting", "hangs up at MAIL", "421 at MAIL", "hangs up at DATA", "refuses", "puts off", "refuses MAIL",
    "354 to a refused recipient", "250 to DATA", "hangs up in the body", "answers in the body", "refuses the whole",
    "takes and hangs up", "puts off the whole with 421", "takes and babbles", "takes and falls silent", "says too much",
    "hangs up after the answer",
)  # fmt: skip


class Fickle:
    """Listens on a free port.

    Args:
        calm: how many of a hundred mails are taken as they should be.

    Attributes:
        taken: recipients of the mails that it accepted, in order; whoever is here was sent to.
        happened: the mishaps so far.
    """

    def __init__(self, seed: int, *, calm: int, pipelining: bool, tls: bool) -> None:
        self.calm, self.pipelining, self._seed = calm, pipelining, seed
        self.taken: list[str] = []
        self.happened: list[str] = []
        self._context: ssl.SSLContext | None = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(DATA / "localhost.pem", DATA / "localhost.key")
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._lines: list[socket.socket] = []

    def __enter__(self) -> "Fickle":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (self._listening, *self._lines):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        number = 0
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lines.append(sock)
            number += 1
            lot = random.Random(f"{self._seed} {number}")
            threading.Thread(target=self._safely, args=(sock, lot), daemon=True).start()

    def _safely(self, sock: socket.socket, lot: random.Random) -> None:
        with contextlib.suppress(OSError):
            sock.settimeout(10)
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
                self._lines.append(sock)
            _Talk(self, Line(sock), lot).run()
        with contextlib.suppress(OSError):
            sock.close()


class _Talk:
    """One connection."""

    def __init__(self, server: Fickle, line: Line, lot: random.Random) -> None:
        self._server, self._line, self._lot = server, line, lot
        self._mishap = ""

    def run(self) -> None:
        if self._drawn() == "421 instead of a greeting":
            self._line.say(b"421 4.7.0 too many connections")
            return
        self._line.greet(*([b"PIPELINING"] if self._server.pipelining else []))
        while self._one():
            pass

    def _drawn(self) -> str:
        calm = self._lot.randrange(100) < self._server.calm
        self._mishap = "" if calm else self._lot.choice(MISHAPS)
        if self._mishap:
            self._server.happened.append(self._mishap)
        return self._mishap

    def _say(self, *replies: bytes) -> None:
        """In one piece or in several, perhaps with bare LF."""
        end = b"\n" if self._lot.randrange(10) == 0 else b"\r\n"
        said = b"".join(reply + end for reply in replies)
        cut = self._lot.randrange(len(said)) if self._lot.randrange(4) == 0 else 0
        for part in (said[:cut], said[cut:]):
            if part:
                self._line.sock.sendall(part)

    def _one(self) -> bool:
        """One mail; whether the connection goes on."""
        line, mishap = self._line, self._drawn()
        command = line.read_to(b"\r\n")
        if command == b"QUIT\r\n":
            self._say(b"221 bye")
            return False
        if not command.startswith(b"MAIL"):  # RSET, NOOP
            self._say(b"250 ok")
            return True
        if mishap == "hangs up at MAIL":
            return False
        if mishap == "421 at MAIL":
            self._say(b"421 4.3.2 enough")
            return False
        if mishap == "refuses MAIL":
            answer = self._lot.choice([b"452 4.3.1 full", b"552 5.3.4 too big"])
            if self._server.pipelining:
                line.read_to(b"DATA\r\n")
            self._say(answer, *([b"503 no", b"503 no"] if self._server.pipelining else []))
            return True
        if not self._server.pipelining:
            self._say(b"250 ok")
        recipient = line.read_to(b"\r\n").partition(b"<")[2].partition(b">")[0].decode()
        refusal = {"refuses": b"550 5.1.1 who?", "puts off": b"450 4.2.0 later"}.get(mishap)
        if refusal is not None:
            if not self._server.pipelining:
                self._say(refusal)
                return True
            line.read_to(b"\r\n")
            self._say(b"250 ok", refusal, b"503 no")
            return True
        if mishap == "354 to a refused recipient" and self._server.pipelining:
            line.read_to(b"\r\n")
            self._say(b"250 ok", b"550 5.1.1 who?", b"354 go")
            line.read_to(b".\r\n")
            self._say(b"554 no recipient")
            return True
        if not self._server.pipelining:
            self._say(b"250 ok")
        line.read_to(b"\r\n")
        if mishap == "hangs up at DATA":
            return False
        if mishap == "250 to DATA":
            self._say(*([b"250 ok", b"250 ok"] if self._server.pipelining else []), b"250 ok")
            return True
        self._say(*([b"250 ok", b"250 ok"] if self._server.pipelining else []), b"354 go")
        return self._body(recipient, mishap)

    def _body(self, recipient: str, mishap: str) -> bool:
        line = self._line
        if mishap in ("hangs up in the body", "answers in the body"):
            line.read_to(b"\r\n")
            if mishap == "answers in the body":
                self._say(b"452 4.3.1 disk full")
            return False
        line.read_to(b"\r\n.\r\n")
        if mishap == "refuses the whole":
            self._say(b"554 5.7.1 no")
            return True
        if mishap == "puts off the whole with 421":
            self._say(b"421 4.3.2 bye")
            return False
        self._server.taken.append(recipient)
        if mishap == "takes and hangs up":
            return False
        if mishap == "takes and babbles":
            self._say(b"thanks!")
            return False
        if mishap == "takes and falls silent":
            line.wait_for_hang_up()
            return False
        self._say(*([b"250 taken"] * (2 if mishap == "says too much" else 1)))
        return mishap != "hangs up after the answer"
