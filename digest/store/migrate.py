"""Bring a database's schema up to date, and tell whether it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from digest.errors import StateConflict
from digest.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where it is used: to start it takes a process an eighth of a second.

MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(db: Database) -> str:
    """Apply every migration that is missing, in one transaction, and return the revision reached.

    Two processes may call it at once: on SQLite the write lock, on PostgreSQL an advisory lock makes one wait.
    """
    from alembic import command
    from alembic.runtime.migration import MigrationContext

    engine = db.engine if db.is_postgresql else db.engine.execution_options(digest_begin="IMMEDIATE")
    with engine.connect() as connection, _tables_may_be_rebuilt(connection, db.is_postgresql), connection.begin():
        if db.is_postgresql:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7410219)")
        if MigrationContext.configure(connection).get_current_revision() != head():
            command.upgrade(_config(connection), "head")
            if not db.is_postgresql:
                _check_references(connection)
    return head()


def _check_references(connection: Connection) -> None:
    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StateConflict(
            f"the database can't be brought up to date: row {broken[1]} of {broken[0]} refers to a row of {broken[2]} "
            "that is not there; mend it or restore a backup"
        )


@contextmanager
def _tables_may_be_rebuilt(connection: Connection, is_postgresql: bool) -> Iterator[None]:
    """SQLite changes a table by copying it and dropping the old one, which rows that refer to it must not prevent.

    The switch works only outside of a transaction (https://www.sqlite.org/lang_altertable.html, section 7).
    """
    raw = connection.connection.driver_connection
    if is_postgresql or raw is None:
        yield
        return
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


def head() -> str:
    """The newest revision that this version knows."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(db: Database) -> str:
    """The revision that the database is at, "" for an empty one."""
    from alembic.runtime.migration import MigrationContext

    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def differences(db: Database) -> list[object]:
    """What Alembic would change to make the database match the tables; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from sqlmodel import SQLModel

    with db.engine.connect() as connection:

        def is_made_here(what: Any, _name: str | None, _kind: str, reflected: bool, _other: object) -> bool:
            condition = None if reflected else getattr(what, "_ddl_if", None)
            return condition is None or condition.dialect == connection.dialect.name

        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": is_made_here})
        return list(compare_metadata(context, SQLModel.metadata))


def _config(connection: object | None = None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
