"""What became of rows, and rows that wait, were lost, or need wait no longer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, and_, bindparam, case, or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from digest.store.tables import Delivery, Issue

WAITING = "waiting for the mail server"
"""The reason of a row that was put off because the server can't be reached, not because of its recipient."""

CANCELLED = "the issue was cancelled"

LOST = "the worker was lost after it may have handed the mail over"

_ROWS = Delivery.__table__  # type: ignore[attr-defined]  # the hot path stays below the ORM


@dataclass(frozen=True, slots=True)
class Change:
    """What a row becomes when its worker is done with it."""

    delivery_id: int
    state: str
    reason: str = ""
    not_before: datetime | None = None
    finished_at: datetime | None = None
    provider_id: str = ""


def record(session: Session, worker: str, changes: Sequence[Change]) -> int:
    """Write what became of a worker's rows; returns how many were still its own.

    A row that was given up as unknown meanwhile (its worker overslept its lease) still takes the worker's word.
    """
    if not changes:
        return 0
    statement = (
        update(_ROWS)
        .where(
            _ROWS.c.id == bindparam("row"),
            _ROWS.c.worker == worker,
            or_(_ROWS.c.state == "sending", and_(_ROWS.c.state == "unknown", bindparam("final", type_=Boolean))),
        )
        .values(
            state=bindparam("new_state"), reason=bindparam("why"), not_before=bindparam("later"),
            finished_at=bindparam("finished"), provider_id=bindparam("provider"), lease_until=None,
        )
    )  # fmt: skip
    result = session.connection().execute(
        statement,
        [
            {
                "row": change.delivery_id, "new_state": change.state, "why": change.reason, "later": change.not_before,
                "finished": change.finished_at, "provider": change.provider_id,
                "final": change.state in ("sent", "failed"),
            }
            for change in changes
        ],
    )  # fmt: skip
    return int(result.rowcount)


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
