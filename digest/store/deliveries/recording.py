"""What became of rows, and rows that wait, were lost, or need wait no longer."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import case, or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from digest.store.tables import Delivery, Issue

WAITING = "waiting for the mail server"
"""The reason of a row that was put off because the server can't be reached, not because of its recipient."""

CANCELLED = "the issue was cancelled"

SUPERSEDED = "a newer issue is out, and the day's number had no place for this one"

LOST = "the worker was lost after it may have handed the mail over"

_ROWS = Delivery.__table__  # type: ignore[attr-defined]  # the hot path stays below the ORM


class Change(NamedTuple):
    """What a row becomes when its worker is done with it."""

    delivery_id: int
    state: str
    reason: str = ""
    not_before: datetime | None = None
    finished_at: datetime | None = None
    provider_id: str = ""


def record(session: Session, worker: str, changes: Sequence[Change]) -> int:
    """Write what became of a worker's rows, in bulk; returns how many were still its own.

    A row that was given up as unknown meanwhile (its worker overslept its lease) still takes the worker's word. A row
    that is finished belongs to nobody, and a worker's name would take a fifth of it.
    """
    if not changes:
        return 0
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        columns = [list(column) for column in zip(*(_values(change) for change in changes), strict=True)]
        return int(connection.exec_driver_sql(_RECORD_POSTGRESQL, (*columns, worker)).rowcount)
    kept = partial(_ROWS.c.finished_at.type.process_bind_param, dialect=connection.dialect)
    rows = [
        (state, reason, kept(later), kept(finished), provider_id, state, row, worker, state)
        for row, state, reason, later, finished, provider_id in map(_values, changes)
    ]
    return int(connection.exec_driver_sql(_RECORD_SQLITE, rows).rowcount)


def _values(change: Change) -> tuple[int, str, str, datetime | None, datetime | None, str]:
    # PostgreSQL keeps no NUL, and a server may say anything.
    reason = change.reason.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return change.delivery_id, change.state, reason, change.not_before, change.finished_at, change.provider_id


# Written by hand for each database: one statement for all rows, and no value is processed on its way.
_RECORD_POSTGRESQL = """
    UPDATE delivery SET state = new.state, reason = new.reason, not_before = new.not_before,
        finished_at = new.finished_at, provider_id = new.provider_id, lease_until = NULL,
        worker = CASE WHEN new.state IN ('sent', 'failed', 'skipped') THEN '' ELSE delivery.worker END
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[])
        AS new (id, state, reason, not_before, finished_at, provider_id)
    WHERE delivery.id = new.id AND delivery.worker = %s
        AND (delivery.state = 'sending' OR (delivery.state = 'unknown' AND new.state IN ('sent', 'failed')))
"""
_RECORD_SQLITE = """
    UPDATE delivery SET state = ?, reason = ?, not_before = ?, finished_at = ?, provider_id = ?, lease_until = NULL,
        worker = CASE WHEN ? IN ('sent', 'failed', 'skipped') THEN '' ELSE worker END
    WHERE id = ? AND worker = ? AND (state = 'sending' OR (state = 'unknown' AND ? IN ('sent', 'failed')))
"""


def put_off(session: Session, issue_id: int, until: datetime) -> None:
    """Let all rows of an issue that are due wait until the server may be back."""
    due = or_(_ROWS.c.not_before.is_(None), _ROWS.c.not_before < until)
    session.execute(
        update(_ROWS)
        .where(_ROWS.c.issue_id == issue_id, _ROWS.c.state == "queued", due)
        .values(
            not_before=until,
            # A row that waits for its own sake keeps its own reason, and is not woken with the others.
            reason=case((_ROWS.c.reason == "", WAITING), else_=_ROWS.c.reason),
        )
    )


def note_problem(session: Session, issue_id: int, words: str) -> None:
    """Say on an issue that is being sent what keeps it; "" when nothing does any more."""
    session.execute(update(Issue).where(col(Issue.id) == issue_id, col(Issue.state) == "sending").values(reason=words))


def wake(session: Session, issue_id: int) -> None:
    """Let rows go on now that wait only for the server."""
    session.execute(
        update(_ROWS)
        .where(_ROWS.c.issue_id == issue_id, _ROWS.c.state == "queued", _ROWS.c.reason == WAITING)
        .values(not_before=None, reason="")
    )


def sweep(session: Session, now: datetime, alive: Iterable[str], *, idempotent: bool) -> int:
    """Settle rows whose lease ended and whose worker is gone without a journal here.

    Such a worker may have handed the mail over, so the row becomes unknown; with an idempotent sender it is
    queued again. Workers in ``alive`` are only slow and keep their rows.
    """
    values: dict[str, Any] = (
        {"state": "queued", "lease_until": None}
        if idempotent
        else {"state": "unknown", "reason": LOST, "finished_at": now, "lease_until": None}
    )
    result = session.execute(
        update(_ROWS)
        .where(_ROWS.c.state == "sending", _ROWS.c.lease_until < now, _ROWS.c.worker.not_in(list(alive)))
        .values(**values)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def skip_cancelled(session: Session, now: datetime) -> int:
    """Rows that wait for an issue that was cancelled need wait no longer."""
    cancelled = core_select(col(Issue.id)).where(col(Issue.state) == "cancelled")
    result = session.execute(
        update(_ROWS)
        .where(_ROWS.c.state == "queued", _ROWS.c.issue_id.in_(cancelled))
        .values(state="skipped", reason=CANCELLED, not_before=None, finished_at=now)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]
