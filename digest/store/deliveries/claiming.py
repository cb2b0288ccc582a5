"""Taking rows for a worker, and giving back what it did not try."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, literal, or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from digest.store.tables import Delivery, Issue, Subscriber, Subscription

_ROWS = Delivery.__table__  # type: ignore[attr-defined]  # the hot path stays below the ORM


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row in a worker's hands, with what must be looked at again at the moment of sending.

    Attributes:
        attempts: this one included.
        dated_at: the Date header: the moment of the first attempt.
        lease_until: after it, the row may be somebody else's.
    """

    id: int
    subscriber_id: int
    subscription_id: int
    cut_id: int
    attempts: int
    dated_at: datetime
    lease_until: datetime
    address: str = ""
    name: str = ""
    subscription_state: str = ""
    paused_until: datetime | None = None


def claim(
    session: Session, issue_id: int, revision: int, worker: str, now: datetime, lease_until: datetime, limit: int
) -> list[Claimed]:
    """Take up to ``limit`` rows that are due, while that revision of their issue is being sent.

    Workers never get the same row. The issue can't be held or edited while rows of it are being claimed.
    """
    going = core_select(col(Issue.id)).where(
        col(Issue.id) == issue_id, col(Issue.state) == "sending", col(Issue.revision) == revision
    )
    if session.execute(going.with_for_update(read=True)).first() is None:
        return []
    due = (
        core_select(_ROWS.c.id)
        .where(
            _ROWS.c.issue_id == issue_id,
            _ROWS.c.state == "queued",
            or_(_ROWS.c.not_before.is_(None), _ROWS.c.not_before <= now),
        )
        .order_by(_ROWS.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=_ROWS)
        .cte("due")
    )
    taken = session.execute(
        update(_ROWS)
        .where(_ROWS.c.id.in_(core_select(due.c.id)))
        .values(
            state="sending", worker=worker, lease_until=lease_until, attempts=_ROWS.c.attempts + 1,
            dated_at=func.coalesce(_ROWS.c.dated_at, literal(now, _ROWS.c.dated_at.type)),
        )
        .returning(
            _ROWS.c.id, _ROWS.c.subscriber_id, _ROWS.c.subscription_id, _ROWS.c.cut_id, _ROWS.c.attempts,
            _ROWS.c.dated_at, _ROWS.c.lease_until,
        )
    ).all()  # fmt: skip
    return sorted((Claimed(*row) for row in taken), key=lambda row: row.id)


def with_recipients(session: Session, rows: Sequence[Claimed]) -> list[Claimed]:
    """The same rows with address, name and the subscription as it stands at this moment."""
    query = (
        core_select(
            col(Delivery.id), col(Subscriber.address), col(Subscriber.name), col(Subscription.state),
            col(Subscription.paused_until), col(Subscriber.erased_at),
        )
        .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .where(col(Delivery.id).in_([row.id for row in rows]))
    )  # fmt: skip
    known = {row[0]: row[1:] for row in session.execute(query)}
    complete = []
    for row in rows:
        address, name, state, paused_until, erased_at = known[row.id]
        state = "erased" if erased_at is not None else state
        complete.append(
            Claimed(
                row.id, row.subscriber_id, row.subscription_id, row.cut_id, row.attempts, row.dated_at, row.lease_until,
                address, name, state, paused_until,
            )
        )  # fmt: skip
    return complete


def release(session: Session, worker: str, *, only: Iterable[int] | None = None) -> int:
    """Put rows that a worker holds and did not try back into the queue; all of them, or only these."""
    mine = and_(_ROWS.c.worker == worker, _ROWS.c.state == "sending")
    if only is not None:
        mine = and_(mine, _ROWS.c.id.in_(list(only)))
    result = session.execute(update(_ROWS).where(mine).values(state="queued", lease_until=None))
    return int(result.rowcount)  # type: ignore[attr-defined]
