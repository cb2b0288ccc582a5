"""The whole application behind a real socket, and a browser's simplest stand-in: requests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from digest.store.database import Database
from digest.web.app import create_app
from digest.workflows.context import Context
from tests.conftest import Clock
from tests.web.house import listening_socket, make_context, served


class Client(requests.Session):
    """Asks for paths instead of whole addresses; like a browser it says that it wants HTML."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self.origin = origin
        self.trust_env = False
        self.headers["Accept"] = "text/html,*/*"

    def request(self, method: str, url: str, *args: object, **options: object) -> requests.Response:  # type: ignore[override]
        options.setdefault("timeout", 10)
        return super().request(method, url if "://" in url else self.origin + url, *args, **options)  # type: ignore[arg-type]


@pytest.fixture
def site(sqlite_db: Database, clock: Clock, tmp_path: Path) -> Iterator[tuple[Context, Client]]:
    """The house's context, and a client of its pages."""
    listener = listening_socket()
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ctx = make_context(sqlite_db, clock, tmp_path, origin)
    with served(create_app(ctx, trusted_proxies=()), listener), Client(origin) as client:
        yield ctx, client


@pytest.fixture
def ctx(site: tuple[Context, Client]) -> Context:
    return site[0]


@pytest.fixture
def client(site: tuple[Context, Client]) -> Client:
    return site[1]
