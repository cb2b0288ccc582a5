"""Taking rows for a worker, looking at their readers again, and giving back what was not tried."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, case, func, text, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from digest.domain.audience import Signer
from digest.store.deliveries.planning import suppressed
from digest.store.tables import Delivery, Issue, Subscription

_ROWS = Delivery.__table__  # type: ignore[attr-defined]  # the hot path stays below the ORM


class Claimed(NamedTuple):  # a tuple, as one is made for every mail
    """A row in a worker's hands, with what must be looked at again at the moment of sending.

    Attributes:
        attempts: this one included.
        dated_at: the Date header: the moment of the first attempt.
        lease_until: after it, the row may be somebody else's.
        is_suppressed: nothing may be sent to this address, whatever the subscription says.
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
    is_suppressed: bool = False


def claim(
    session: Session, issue_id: int, revision: int, worker: str, now: datetime, lease_until: datetime, limit: int
) -> list[Claimed]:
    """Take up to ``limit`` rows that are due, while that revision of their issue is being sent.

    Workers never get the same row. The issue can't be held or edited while rows of it are being claimed.
    """
    _alone(session, worker)
    going = core_select(col(Issue.id)).where(
        col(Issue.id) == issue_id, col(Issue.state) == "sending", col(Issue.revision) == revision
    )
    if session.execute(going.with_for_update(read=True)).first() is None:
        return []
    values = {"issue": issue_id, "now": now, "lease": lease_until, "by": worker}
    # Two walks along one index, each of which stops after ``most`` rows: those that wait until later are never read.
    taken = session.execute(_CLAIM_PUT_OFF, {**values, "most": limit}).all()
    if len(taken) < limit:
        taken = [*taken, *session.execute(_CLAIM_AT_ONCE, {**values, "most": limit - len(taken)}).all()]
    return sorted(Claimed(*(*row, lease_until)) for row in taken)  # by id


def _claiming(due: Any) -> Any:
    chosen = (
        core_select(_ROWS.c.id)
        .where(_ROWS.c.issue_id == bindparam("issue"), _ROWS.c.state == "queued", due)
        .order_by(_ROWS.c.not_before, _ROWS.c.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True, of=_ROWS)
        .cte("due")
    )
    return (
        update(_ROWS)
        .where(_ROWS.c.id.in_(core_select(chosen.c.id)))
        .values(
            state="sending", worker=bindparam("by"), lease_until=bindparam("lease", type_=_ROWS.c.lease_until.type), attempts=_ROWS.c.attempts + 1,
            dated_at=func.coalesce(_ROWS.c.dated_at, bindparam("now", type_=_ROWS.c.dated_at.type)),
        )
        .returning(
            _ROWS.c.id, _ROWS.c.subscriber_id, _ROWS.c.subscription_id, _ROWS.c.cut_id, _ROWS.c.attempts,
            _ROWS.c.dated_at,
        )
    )  # fmt: skip


_CLAIM_PUT_OFF = _claiming(_ROWS.c.not_before <= bindparam("now", type_=_ROWS.c.not_before.type))
_CLAIM_AT_ONCE = _claiming(_ROWS.c.not_before.is_(None))


_GONE = ("", "", "ended", None, None, None, False)


def with_recipients(session: Session, rows: Sequence[Claimed], signer: Signer) -> list[Claimed]:
    """The same rows with address, name, the subscription as it stands at this moment, and whether it is suppressed."""
    connection = session.connection()
    wanted = [row.subscription_id for row in rows]
    if connection.dialect.name == "postgresql":
        found = connection.execute(_RECIPIENTS_POSTGRESQL, {"wanted": wanted})
    else:
        found = connection.execute(_RECIPIENTS_SQLITE, {"wanted": str(wanted)})
    known: dict[int, Any] = {row[0]: row[1:] for row in found}
    # Addresses that were hashed under an earlier secret, or not at all, are hashed now.
    fingerprint = signer.fingerprint
    stale = {row[0]: signer.address_hashes(row[0]) for row in known.values() if row[5] != fingerprint}
    never = suppressed(session, [each for hashes in stale.values() for each in hashes]) if stale else frozenset()
    complete = []
    for row in rows:
        address, name, state, paused_until, erased_at, hash_key, is_suppressed = known.get(row.subscription_id, _GONE)
        if hash_key != fingerprint:
            is_suppressed = not never.isdisjoint(stale.get(address, ()))
        state = "erased" if erased_at is not None else state
        complete.append(Claimed(*row[:7], address, name, state, paused_until, bool(is_suppressed)))
    return complete


# Written by hand: one value for all rows, where the ORM's IN takes longer to spell than to answer.
_RECIPIENTS = """
    SELECT subscription.id, subscriber.address, subscriber.name, subscription.state, subscription.paused_until,
        subscriber.erased_at, subscriber.hash_key, suppression.address_hash IS NOT NULL
    FROM subscription JOIN subscriber ON subscriber.id = subscription.subscriber_id
    LEFT JOIN suppression ON suppression.address_hash = subscriber.address_hash
    WHERE subscription.id """
_MOMENT: Any = Subscription.__table__.c.paused_until.type  # type: ignore[attr-defined]
_RECIPIENTS_POSTGRESQL = text(_RECIPIENTS + "= ANY(CAST(:wanted AS bigint[]))").columns(paused_until=_MOMENT)
_RECIPIENTS_SQLITE = text(_RECIPIENTS + "IN (SELECT value FROM json_each(:wanted))").columns(paused_until=_MOMENT)  # noqa: S608  (no value in it)


def bury(session: Session, worker: str) -> int:
    """Put the rows of a dead worker back into the queue, but those of which :func:`record` was told; how many."""
    _alone(session, worker)
    return release(session, worker)


def _alone(session: Session, worker: str) -> None:
    """Wait until no other transaction claims for this worker.

    A worker that is killed may have asked PostgreSQL to commit a claim, which the server goes on with after its death:
    whoever gave its rows back a moment earlier would miss those. SQLite commits in the process itself.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_ALONE, {"worker": worker})


_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:worker, 7410220))")


def release(session: Session, worker: str, *, only: Iterable[int] | None = None, tried: bool = False) -> int:
    """Put rows that a worker holds and that went nowhere back into the queue; all of them, or only these.

    Args:
        tried: the server was away: that is an attempt, so that the next one comes later.
    """
    mine = and_(_ROWS.c.worker == worker, _ROWS.c.state == "sending")
    if only is not None:
        wanted = list(only)
        if not wanted:
            return 0
        mine = and_(mine, _ROWS.c.id.in_(wanted))
    result = session.execute(
        update(_ROWS).where(mine).values(state="queued", lease_until=None, **({} if tried else _UNTRIED))
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


# A claim that came to nothing is no attempt, and a mail that was never tried has no date yet.
_UNTRIED: dict[str, Any] = {
    "attempts": case((_ROWS.c.attempts > 0, _ROWS.c.attempts - 1), else_=0),
    "dated_at": case((_ROWS.c.attempts > 1, _ROWS.c.dated_at), else_=None),
}


def make_wait(session: Session, worker: str, waits: Sequence[tuple[int, datetime, str]]) -> None:
    """Put rows that a worker holds and may not try yet back into the queue: which, until when, and why."""
    if waits:
        rows = [{"row": row, "until": until, "why": why, "by": worker} for row, until, why in waits]
        session.connection().execute(_MAKE_WAIT, rows)


_MAKE_WAIT = (
    update(_ROWS)
    .where(_ROWS.c.id == bindparam("row"), _ROWS.c.worker == bindparam("by"), _ROWS.c.state == "sending")
    .values(state="queued", lease_until=None, not_before=bindparam("until"), reason=bindparam("why"), **_UNTRIED)
)
