"""Fixtures that every room's tests share: a clock to travel with, and each test on both databases."""

import os
import shutil
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


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Templates"]:
    """Databases that already have all tables, to copy: making the tables anew takes four times as long."""
    templates = Templates(tmp_path_factory.mktemp("templates"))
    yield templates
    templates.close()


class Templates:
    """One template for each kind of database, made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "tables.db"
        self._name = f"digest_template_{uuid.uuid4().hex[:12]}"
        self._made = False

    def sqlite(self, path: Path) -> str:
        if not self._file.exists():
            self._create_tables(f"sqlite:///{self._file}")
        shutil.copyfile(self._file, path)
        return f"sqlite:///{path}"

    def postgresql(self) -> str:
        if not self._made:
            with psycopg.connect(_psycopg(SERVER), autocommit=True) as admin:
                admin.execute(f'CREATE DATABASE "{self._name}"')
            self._made = True
            self._create_tables(_psycopg(SERVER, self._name))
        return self._name

    def close(self) -> None:
        if self._made:
            with psycopg.connect(_psycopg(SERVER), autocommit=True) as admin:
                admin.execute(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')

    def _create_tables(self, url: str) -> None:
        database = Database(url)
        SQLModel.metadata.create_all(database.engine)
        database.close()


@pytest.fixture(params=["sqlite", POSTGRESQL])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, templates: Templates) -> Iterator[str]:
    """The URL of a database of the test's own, on SQLite and on PostgreSQL: empty, or with all tables if ``db`` is asked for."""
    with_tables = "db" in request.fixturenames
    if request.param == "sqlite":
        file = tmp_path / "test.db"
        yield templates.sqlite(file) if with_tables else f"sqlite:///{file}"
        return
    name = f"digest_test_{uuid.uuid4().hex[:12]}"
    template = f'TEMPLATE "{templates.postgresql()}"' if with_tables else ""
    with psycopg.connect(_psycopg(SERVER), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" {template}')
        try:
            yield _psycopg(SERVER, name)
        finally:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database with all tables, on SQLite and on PostgreSQL."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite_db(tmp_path: Path, templates: Templates) -> Iterator[Database]:
    """A database on SQLite alone, for tests that aren't about the database."""
    database = Database(templates.sqlite(tmp_path / "plain.db"))
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
