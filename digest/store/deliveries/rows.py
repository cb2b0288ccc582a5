"""What is true of a row of the ledger in whichever half it stands: its name, and how the halves are asked together."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, insert, literal, literal_column, or_
from sqlalchemy import delete as core_delete
from sqlalchemy import select as core_select
from sqlmodel import Session

from digest.store.tables import LedgerRow, QueueRow

QUEUE = QueueRow.__table__  # type: ignore[attr-defined]  # sets of rows move below the ORM
LEDGER = LedgerRow.__table__  # type: ignore[attr-defined]

# As a parameter, the databases could not see that an index of only these rows serves.
QUEUED: Any = literal_column("'queued'")
UNSENT: Any = LEDGER.c.state != literal_column("'sent'")

_SHIFT = 32
_READER = (1 << _SHIFT) - 1

FORMER = 1 << _SHIFT
"""Below it are ids that rows had before they were named by issue and reader."""


COUNTED = {"preserve_rowcount": True}
"""How a statement is executed of which one wants to know how many rows it inserted."""


def row_id(issue_id: int, subscriber_id: int) -> int:
    """The name of a row in journals and at providers: the same for ever, and in no other row. It needs no index."""
    return issue_id << _SHIFT | subscriber_id


def issue_of(row: int) -> int:
    """The issue that a row is of."""
    return row >> _SHIFT


def reader_of(row: int) -> int:
    """The subscriber that a row is for."""
    return row & _READER


def these(ids: Iterable[int]) -> ColumnElement[bool]:
    """The rows of the queue with these ids."""
    readers: dict[int, list[int]] = {}
    for row in ids:
        readers.setdefault(issue_of(row), []).append(reader_of(row))
    found = (and_(QUEUE.c.issue_id == issue, QUEUE.c.subscriber_id.in_(each)) for issue, each in readers.items())
    return or_(false(), *found)


def either(condition: Callable[[Any], Iterable[Any]]) -> ColumnElement[bool]:
    """Whether there is a row, in one of the halves, of which that holds; for use within another statement.

    The view would do, but there SQLite would put both halves together for every row of the other statement.
    """
    return or_(*(exists().where(*condition(table)) for table in (QUEUE, LEDGER)))


def settle(session: Session, condition: Any, state: str, reason: str) -> int:
    """Move rows from the queue into the ledger, where they stay; returns how many."""
    names = ["issue_id", "subscriber_id", "subscription_id"]
    if state != "skipped":  # who was skipped has no mail that could be shown
        names += ["cut_id", "dated_at"]
    kept = [QUEUE.c[name] for name in names]
    said = [literal(state).label("state"), literal(reason).label("reason")]
    into = insert(LEDGER)
    if session.get_bind().dialect.name == "postgresql":
        gone = core_delete(QUEUE).where(condition).returning(*kept).cte("gone")
        moved = into.from_select([*names, "state", "reason"], core_select(*gone.c, *said))
        result = session.execute(moved, execution_options=COUNTED)
    else:
        session.execute(into.from_select([*names, "state", "reason"], core_select(*kept, *said).where(condition)))
        result = session.execute(core_delete(QUEUE).where(condition))
    return int(result.rowcount)  # type: ignore[attr-defined]
