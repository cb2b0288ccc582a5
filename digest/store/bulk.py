"""Many rows at once, given to the driver as it takes them.

SQLAlchemy prepares every value of every row by itself, which takes longer than to write the rows. What is written here
is prepared by whoever calls: JSON as text, moments as text with :func:`zone`. Names of tables and columns are our own.
"""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session


def zone(session: Session) -> str:
    """What follows a moment's text (:func:`digest.domain.incoming.as_text`) when it is given to the session's driver."""
    return "+00" if _is_postgresql(session) else ""


def insert_or_ignore(
    session: Session, table: type[Any], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows, and leave alone those that are already there."""
    if rows:
        session.connection().exec_driver_sql(_insert(session, table, columns), list(rows))


def insert_returning_ids(
    session: Session, table: type[Any], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> dict[str, int]:
    """Insert rows, and leave alone those that are already there; the ids of the new ones, by their first column.

    On SQLite the session must be one that writes (:meth:`Database.write`): nobody else then adds rows meanwhile.
    """
    if not rows:
        return {}
    connection, key = session.connection(), columns[0]
    insert = _insert(session, table, columns)
    if _is_postgresql(session):
        cursor: Any = connection.connection.cursor()
        try:
            # One after the other, without waiting for answers (pipeline mode).
            cursor.executemany(f"{insert} RETURNING {key}, id", list(rows), returning=True)
            found = cursor.fetchall()
            while cursor.nextset():
                found += cursor.fetchall()
        finally:
            cursor.close()
        return dict(found)
    name = table.__tablename__
    last = connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {name}").scalar_one()  # noqa: S608
    connection.exec_driver_sql(insert, list(rows))
    # An integer primary key of SQLite grows by one from the largest.
    added = connection.exec_driver_sql(f"SELECT {key}, id FROM {name} WHERE id > ?", (last,))  # noqa: S608
    return {value: ident for value, ident in added}  # noqa: C416


def _insert(session: Session, table: type[Any], columns: Sequence[str]) -> str:
    place = "%s" if _is_postgresql(session) else "?"
    places = ", ".join([place] * len(columns))
    return f"INSERT INTO {table.__tablename__} ({', '.join(columns)}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
