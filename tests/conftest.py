"""Fixtures that every room's tests share: a clock to travel with, and each test on both databases."""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy.engine import make_url
from sqlmodel import SQLModel

import digest.store.tables  # noqa: F401  (registers the tables)
from digest.store.database import Database

settings.register_profile("project", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

SERVER = os.environ.get("DIGEST_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
NOW = datetime(2026, 3, 12, 11, 0, tzinfo=UTC)  # a Thursday


CHROMIUM = Path(os.environ.get("DIGEST_TEST_CHROMIUM", "/usr/bin/chromium"))
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


def _server_answers() -> bool:
    try:
        with psycopg.connect(_psycopg(SERVER), connect_timeout=3):
            return True
    except psycopg.OperationalError:
        return False


def _psycopg(url: str, database: str | None = None) -> str:
    parsed = make_url(url).set(drivername="postgresql")
    return (parsed.set(database=database) if database else parsed).render_as_string(hide_password=False)


POSTGRESQL = pytest.param(
    "postgresql",
    marks=pytest.mark.skipif(
        not os.environ.get("DIGEST_TEST_REQUIRE_POSTGRESQL") and not _server_answers(),
        reason="no PostgreSQL at 127.0.0.1:5432; set DIGEST_TEST_DATABASE_URL to one",
    ),
)


@pytest.fixture(params=["sqlite", POSTGRESQL])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, empty database: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    name = f"digest_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(_psycopg(SERVER), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield _psycopg(SERVER, name)
        finally:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database with all tables, on SQLite and on PostgreSQL."""
    database = Database(database_url)
    SQLModel.metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite_db(tmp_path: Path) -> Iterator[Database]:
    """A database on SQLite alone, for tests that aren't about the database."""
    database = Database(f"sqlite:///{tmp_path / 'plain.db'}")
    SQLModel.metadata.create_all(database.engine)
    yield database
    database.close()


def shared_data() -> Path | None:
    """The folder of real feeds and labelled articles, if this machine has one (``DIGEST_TEST_DATA``)."""
    value = os.environ.get("DIGEST_TEST_DATA") or str(Path(__file__).resolve().parents[2] / "shared" / "data")
    return Path(value) if Path(value).is_dir() else None


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Real Chromium, one for each process: playwright allows no second loop."""
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: install the system's package, or set DIGEST_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
