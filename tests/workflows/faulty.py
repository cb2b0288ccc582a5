"""The misbehaving mail server that stands beside the test data, in a process of its own; tests skip where it is not."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import shared_data  # type: ignore[import-not-found]

DATA = Path(__file__).resolve().parents[1] / "senders" / "data"


class Faulty:
    """One server that runs. Its behaviour is the recipient's local part."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self._folder = port, folder

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self._folder / "log").read_text().splitlines()]

    @property
    def accepted(self) -> list[str]:
        """Who got a mail, sorted: the local parts."""
        return sorted(event["rcpt"][0].split("@")[0] for event in self.events if event["ev"] == "accepted")

    @property
    def over_tls(self) -> set[bool]:
        return {event["tls"] for event in self.events if event["ev"] == "accepted"}

    @property
    def mails(self) -> list[bytes]:
        """What arrived, without the server's own three lines."""
        return [path.read_bytes().split(b"\r\n", 3)[3] for path in sorted((self._folder / "mail").glob("*.eml"))]


@contextmanager
def faulty(folder: Path, mode: str = "ok", *, tls: bool = False, pipelining: bool = True) -> Iterator[Faulty]:
    data = shared_data()
    tool = data.parent / "tools" / "faulty_smtp.py" if data else None
    if tool is None or not tool.exists():
        pytest.skip("the misbehaving mail server is not there")
    folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable, str(tool), "--port", str(port), "--mode", mode, "--maildir", str(folder / "mail"),
        "--log", str(folder / "log"), "--seconds", "60",
    ]  # fmt: skip
    command += ["--cert", str(DATA / "localhost.pem"), "--key", str(DATA / "localhost.key")] if tls else []
    command += [] if pipelining else ["--no-pipelining"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 20
        while not (folder / "log").exists() or '"listening"' not in (folder / "log").read_text():
            assert time.monotonic() < end, "the misbehaving mail server does not start"
            assert process.poll() is None, "the misbehaving mail server ended at once"
            time.sleep(0.02)
        yield Faulty(port, folder)
    finally:
        process.kill()
        process.wait()
