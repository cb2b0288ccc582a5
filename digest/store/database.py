"""The database behind everything: SQLite (one process) or PostgreSQL (many), by URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlmodel import Session

from digest.errors import ConfigError

BUSY_TIMEOUT = 30
"""Seconds that a SQLite connection waits for another writer."""


class Database:
    """Opens sessions on one database.

    Args:
        url: ``sqlite:///path`` or ``postgresql://…`` (psycopg 3 is used whatever driver it names).

    Raises:
        ConfigError: the URL names another kind of database or can't be read.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise ConfigError(
                "write sqlite:///PATH or postgresql://USER@HOST/NAME", file="DIGEST_DATABASE_URL"
            ) from None
        self.is_postgresql = parsed.get_backend_name() in ("postgresql", "postgres")
        if self.is_postgresql:
            self.engine: Engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_pre_ping=True,
                pool_size=10,
                max_overflow=20,
                hide_parameters=True,
            )
        elif parsed.get_backend_name() == "sqlite":
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT}, hide_parameters=True)
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            raise ConfigError(
                f"{parsed.get_backend_name()} is not supported: use sqlite or postgresql", file="DIGEST_DATABASE_URL"
            )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; nothing is committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that commits at the end, or leaves nothing behind if the block raises.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that a transaction never fails halfway
        because another one wrote first. Keep it short: no network inside.
        """
        engine = self.engine.execution_options(digest_begin="IMMEDIATE")
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Without an isolation level the driver leaves BEGIN to _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('digest_begin', 'DEFERRED')}")
