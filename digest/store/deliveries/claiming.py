"""Taking rows for a worker, looking at their readers again, and giving back what was not tried."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, case, or_, text, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from digest.domain.audience import Signer
from digest.store.deliveries.planning import suppressed
from digest.store.deliveries.rows import QUEUE, issue_of, reader_of, row_id, these
from digest.store.tables import Issue, Subscription


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
    rests = col(Issue.rests_until)
    going = core_select(col(Issue.id)).where(
        col(Issue.id) == issue_id, col(Issue.state) == "sending", col(Issue.revision) == revision,
        or_(rests.is_(None), rests <= now),
    )  # fmt: skip
    if session.execute(going.with_for_update(read=True)).first() is None:
        return []
    take = _take_postgresql if session.get_bind().dialect.name == "postgresql" else _take_sqlite
    taken: list[Sequence[Any]] = []
    # Two walks along one index, each of which stops after ``most`` rows: those that wait until later are never read.
    for due in _DUE:
        if len(taken) < limit:
            values = {"issue": issue_id, "now": now, "lease": lease_until, "by": worker, "most": limit - len(taken)}
            taken += take(session, due, values)
    return sorted(Claimed(*(row_id(issue_id, row[0]), *row, lease_until)) for row in taken)  # by reader


def _take_postgresql(session: Session, due: str, values: dict[str, Any]) -> Iterable[Sequence[Any]]:
    return session.execute(_TAKE_POSTGRESQL[due], values).all()


def _take_sqlite(session: Session, due: str, values: dict[str, Any]) -> Iterable[Sequence[Any]]:
    """In two steps, as each step of a statement lets go of the interpreter: nobody else writes meanwhile."""
    chosen: list[Any] = json.loads(session.execute(_CHOOSE_SQLITE[due], values).scalar_one())
    session.execute(_TAKE_SQLITE, {**values, "readers": json.dumps([row[0] for row in chosen])})
    moment, dialect = QUEUE.c.dated_at.type, session.get_bind().dialect
    now = moment.process_bind_param(values["now"], dialect)
    for row in chosen:
        row[4] = values["now"] if row[4] == now else moment.process_result_value(row[4], dialect)
    return chosen


def _prepared(statement: str) -> Any:
    moment = QUEUE.c.dated_at.type
    names = [name for name in ("now", "lease") if f":{name}" in statement]
    return text(statement).bindparams(*(bindparam(name, type_=moment) for name in names))


_DUE = ("<= :now", "IS NULL")
# By moment alone, which is how the index has them: for another order all that is due would be sorted, each time.
_WALK = "WHERE issue_id = :issue AND state = 'queued' AND not_before {} ORDER BY not_before LIMIT :most"
_TAKE = """
    UPDATE delivery_queue SET state = 'sending', worker = :by, lease_until = :lease, attempts = attempts + 1,
        dated_at = coalesce(dated_at, :now)
    WHERE """
# No value is in any of these texts.
_TAKE_POSTGRESQL = {
    due: _prepared(
        f"{_TAKE} ctid = ANY(ARRAY(SELECT ctid FROM delivery_queue {_WALK.format(due)} FOR UPDATE SKIP LOCKED)) "  # noqa: S608
        "RETURNING subscriber_id, subscription_id, cut_id, attempts, dated_at"
    ).columns(QUEUE.c.subscriber_id, QUEUE.c.subscription_id, QUEUE.c.cut_id, QUEUE.c.attempts, QUEUE.c.dated_at)
    for due in _DUE
}
_CHOOSE_SQLITE = {
    due: _prepared(
        "SELECT json_group_array(json_array(subscriber_id, subscription_id, cut_id, attempts + 1, "  # noqa: S608
        f"coalesce(dated_at, :now))) FROM (SELECT * FROM delivery_queue {_WALK.format(due)})"
    )
    for due in _DUE
}
_TAKE_SQLITE = _prepared(f"{_TAKE} issue_id = :issue AND subscriber_id IN (SELECT value FROM json_each(:readers))")  # noqa: S608


_GONE = ("", "", "ended", None, None, None, False)


def with_recipients(session: Session, rows: Sequence[Claimed], signer: Signer) -> list[Claimed]:
    """The same rows with address, name, the subscription as it stands at this moment, and whether it is suppressed."""
    connection = session.connection()
    wanted = [row.subscription_id for row in rows]
    if connection.dialect.name == "postgresql":
        found = connection.execute(_RECIPIENTS_POSTGRESQL, {"wanted": wanted}).all()
    else:
        found = json.loads(connection.execute(_RECIPIENTS_SQLITE, {"wanted": str(wanted)}).scalar_one())
        moment = _MOMENT.dialect_impl(connection.dialect).result_processor(connection.dialect, None)
        for row in found:
            row[4] = row[4] and moment(row[4])
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


# Written by hand: one value for all rows, where the ORM's IN takes longer to spell than to answer; and on SQLite one
# answer, as each row of an answer lets go of the interpreter, which the carriers then hold.
_COLUMNS = """subscription.id, subscriber.address, subscriber.name, subscription.state, subscription.paused_until,
        subscriber.erased_at, subscriber.hash_key, suppression.address_hash IS NOT NULL"""
_RECIPIENTS = """
    FROM subscription JOIN subscriber ON subscriber.id = subscription.subscriber_id
    LEFT JOIN suppression ON suppression.address_hash = subscriber.address_hash
    WHERE subscription.id """
_MOMENT: Any = Subscription.__table__.c.paused_until.type  # type: ignore[attr-defined]
_RECIPIENTS_POSTGRESQL = text(f"SELECT {_COLUMNS} {_RECIPIENTS} = ANY(CAST(:wanted AS bigint[]))").columns(
    paused_until=_MOMENT
)
_RECIPIENTS_SQLITE = text(
    f"SELECT json_group_array(json_array({_COLUMNS})) {_RECIPIENTS} IN (SELECT value FROM json_each(:wanted))"  # noqa: S608
)


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
    # That it has a lease leads to the few rows that are in somebody's hands.
    mine = and_(QUEUE.c.worker == worker, QUEUE.c.state == "sending", QUEUE.c.lease_until.is_not(None))
    if only is not None:
        wanted = list(only)
        if not wanted:
            return 0
        mine = and_(QUEUE.c.worker == worker, QUEUE.c.state == "sending", these(wanted))
    result = session.execute(
        update(QUEUE).where(mine).values(state="queued", lease_until=None, **({} if tried else _UNTRIED))
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


# A claim that came to nothing is no attempt, and a mail that was never tried has no date yet.
_UNTRIED: dict[str, Any] = {
    "attempts": case((QUEUE.c.attempts > 0, QUEUE.c.attempts - 1), else_=0),
    "dated_at": case((QUEUE.c.attempts > 1, QUEUE.c.dated_at), else_=None),
}


def make_wait(session: Session, worker: str, waits: Sequence[tuple[int, datetime, str]]) -> None:
    """Put rows that a worker holds and may not try yet back into the queue: which, until when, and why."""
    if waits:
        rows = [
            {"issue": issue_of(row), "reader": reader_of(row), "until": until, "why": why, "by": worker}
            for row, until, why in waits
        ]
        session.connection().execute(_MAKE_WAIT, rows)


_MAKE_WAIT = (
    update(QUEUE)
    .where(
        QUEUE.c.issue_id == bindparam("issue"), QUEUE.c.subscriber_id == bindparam("reader"),
        QUEUE.c.worker == bindparam("by"), QUEUE.c.state == "sending",
    )
    .values(state="queued", lease_until=None, not_before=bindparam("until"), reason=bindparam("why"), **_UNTRIED)
)  # fmt: skip
