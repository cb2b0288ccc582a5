"""A running sample server on a free port, with a clock to travel with."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from digest.sample import SampleServer
from tests.conftest import Clock

SAMPLE = Path(__file__).resolve().parents[2] / "config" / "sample"


@pytest.fixture
def start(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., SampleServer]]:
    """Starts servers that are stopped at the end of the test."""
    started: list[SampleServer] = []

    def begin(folder: Path = SAMPLE, port: int = 0, anchor: str = "anchor.json") -> SampleServer:
        server = SampleServer(folder, port, tmp_path / "var" / anchor, clock)
        server.start()
        started.append(server)
        return server

    yield begin
    for server in started:
        server.stop()


@pytest.fixture
def server(start: Callable[..., SampleServer]) -> SampleServer:
    return start()


@pytest.fixture
def get(server: SampleServer) -> Iterator[Callable[..., requests.Response]]:
    """GET a path of the running server."""
    with requests.Session() as session:
        session.trust_env = False
        yield lambda path, **headers: session.get(
            f"{server.base}/{path}", headers={name.replace("_", "-"): value for name, value in headers.items()}, timeout=10
        )  # fmt: skip
