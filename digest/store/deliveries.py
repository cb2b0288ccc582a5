"""The ledger: one row per issue and subscriber. Sets of rows move at once, and only from the state the mover saw.

queued → sending (a worker's, until its lease ends) → sent | failed | unknown, or back to queued; and skipped.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, and_, bindparam, case, func, insert, literal, or_, update
from sqlalchemy import select as core_select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col, select

from digest.domain.mail import DELIVERY_STATES, Cut
from digest.errors import NotFound
from digest.store.tables import Delivery, Issue, SentStory, Story, Subscriber, Subscription, Suppression, TopicChoice

WAITING = "waiting for the mail server"
"""The reason of a row that was put off because the server can't be reached, not because of its recipient."""

CANCELLED = "the issue was cancelled"

LOST = "the worker was lost after it may have handed the mail over"

_ROWS = Delivery.__table__  # type: ignore[attr-defined]  # the hot path stays below the ORM
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Reader:
    """An active subscription as planning sees it."""

    subscription_id: int
    subscriber_id: int
    address: str
    frequency: str
    paused_until: datetime | None
    topics: frozenset[str]


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
    cut: str
    attempts: int
    dated_at: datetime
    lease_until: datetime
    address: str = ""
    name: str = ""
    subscription_state: str = ""
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a row becomes when its worker is done with it."""

    delivery_id: int
    state: str
    reason: str = ""
    not_before: datetime | None = None
    finished_at: datetime | None = None
    provider_id: str = ""


def lock_issue(session: Session, issue_id: int) -> str:
    """The state of an issue, which nobody else changes until the transaction ends.

    Raises:
        NotFound: no such issue.
    """
    state = session.execute(core_select(col(Issue.state)).where(col(Issue.id) == issue_id).with_for_update()).scalar()
    if state is None:
        raise NotFound(f"no issue {issue_id}; `digest issue list` shows those there are")
    return str(state)


# Planning


def readers(session: Session, newsletter_id: int) -> Iterator[list[Reader]]:
    """The audience: active subscriptions of a newsletter, by id, in chunks that fit into memory."""
    after = 0
    while True:
        query = (
            core_select(
                col(Subscription.id), col(Subscription.subscriber_id), col(Subscriber.address),
                col(Subscription.frequency), col(Subscription.paused_until),
            )
            .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
            .where(
                col(Subscription.newsletter_id) == newsletter_id, col(Subscription.state) == "active",
                col(Subscriber.erased_at).is_(None), col(Subscription.id) > after,
            )
            .order_by(col(Subscription.id))
            .limit(_CHUNK)
        )  # fmt: skip
        rows = session.execute(query).all()
        if not rows:
            return
        topics = _topics(session, rows[0][0], rows[-1][0])
        yield [
            Reader(subscription, subscriber, address, frequency, paused, topics.get(subscription, frozenset()))
            for subscription, subscriber, address, frequency, paused in rows
        ]
        after = rows[-1][0]


def _topics(session: Session, first: int, last: int) -> dict[int, frozenset[str]]:
    chosen: dict[int, set[str]] = {}
    query = select(TopicChoice.subscription_id, TopicChoice.topic)
    for subscription, topic in session.exec(query.where(col(TopicChoice.subscription_id).between(first, last))):
        chosen.setdefault(subscription, set()).add(topic)
    return {subscription: frozenset(topics) for subscription, topics in chosen.items()}


def plan(session: Session, issue_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of the ledger (subscriber_id, subscription_id, state, reason, cut).

    Planning again changes only what has not been tried yet: who is queued or skipped.
    """
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    statement = (postgresql_insert if is_postgresql else sqlite_insert)(Delivery)
    fixed = {"issue_id": issue_id, "attempts": 0, "worker": "", "provider_id": ""}
    statement = statement.on_conflict_do_update(
        index_elements=["issue_id", "subscriber_id"],
        set_={name: statement.excluded[name] for name in ("state", "reason", "cut", "subscription_id")},
        where=and_(
            or_(col(Delivery.state) == "queued", col(Delivery.state) == "skipped"),
            # A row that waits for its server or its next attempt keeps its reason.
            or_(col(Delivery.state) != statement.excluded["state"], col(Delivery.cut) != statement.excluded["cut"]),
        ),
    )
    if rows:
        session.execute(statement, [{**fixed, **row} for row in rows])


def suppressed(session: Session, hashes: Iterable[str]) -> frozenset[str]:
    """Which of these address hashes must not be written to."""
    wanted = list(hashes)
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        found.update(session.exec(select(Suppression.address_hash).where(col(Suppression.address_hash).in_(part))))
    return frozenset(found)


def received(session: Session, issue_id: int, stories: Iterable[int]) -> dict[int, frozenset[int]]:
    """Which of these stories each subscriber was sent, or is being sent, by another issue.

    Only issues that carried one of the stories are looked at, through the cuts in the ledger.
    """
    query = select(SentStory).where(col(SentStory.story_id).in_(list(stories)), SentStory.issue_id != issue_id)
    by_issue: dict[int, list[tuple[int, int]]] = {}
    for row in session.exec(query):
        by_issue.setdefault(row.issue_id, []).append((row.story_id, Cut.decode(row.positions or "0").bits))
    got: dict[int, set[int]] = {}
    for earlier, carried in by_issue.items():
        cuts = core_select(col(Delivery.subscriber_id), col(Delivery.cut)).where(
            col(Delivery.issue_id) == earlier,
            col(Delivery.cut) != "",
            or_(
                col(Delivery.state).in_(("sent", "unknown", "sending")),
                and_(col(Delivery.state) == "queued", _issue_goes_on(earlier)),
            ),
        )
        for subscriber, cut in session.execute(cuts.execution_options(yield_per=_CHUNK)):
            bits = Cut.decode(cut).bits
            for story, positions in carried:
                if bits & positions:
                    got.setdefault(subscriber, set()).add(story)
    return {subscriber: frozenset(story_ids) for subscriber, story_ids in got.items()}


def _issue_goes_on(issue_id: int) -> Any:
    return (
        core_select(literal(1))
        .where(col(Issue.id) == issue_id, col(Issue.state).in_(("approved", "sending", "held")))
        .exists()
    )


def keep_stories(session: Session, issue_id: int, positions: Mapping[int, int]) -> None:
    """Note which stories an issue carries, and (as bits) in which of its fragments. Replaces an earlier note."""
    session.execute(SentStory.__table__.delete().where(col(SentStory.issue_id) == issue_id))  # type: ignore[attr-defined]
    rows = [
        {"issue_id": issue_id, "story_id": story, "positions": Cut(bits).encode()} for story, bits in positions.items()
    ]
    if rows:
        session.execute(insert(SentStory), rows)


def mark_stories_sent(session: Session, issue_id: int, now: datetime) -> None:
    """Stories that an issue carried were sent now."""
    carried = core_select(col(SentStory.story_id)).where(col(SentStory.issue_id) == issue_id)
    session.execute(update(Story).where(col(Story.id).in_(carried)).values(last_sent_at=now))


# Sending


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
            dated_at=func.coalesce(_ROWS.c.dated_at, now),
        )
        .returning(
            _ROWS.c.id, _ROWS.c.subscriber_id, _ROWS.c.subscription_id, _ROWS.c.cut, _ROWS.c.attempts,
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
                row.id, row.subscriber_id, row.subscription_id, row.cut, row.attempts, row.dated_at, row.lease_until,
                address, name, state, paused_until,
            )
        )  # fmt: skip
    return complete


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


def release(session: Session, worker: str, *, only: Iterable[int] | None = None) -> int:
    """Put rows that a worker holds and did not try back into the queue; all of them, or only these."""
    mine = and_(_ROWS.c.worker == worker, _ROWS.c.state == "sending")
    if only is not None:
        mine = and_(mine, _ROWS.c.id.in_(list(only)))
    result = session.execute(update(_ROWS).where(mine).values(state="queued", lease_until=None))
    return int(result.rowcount)  # type: ignore[attr-defined]


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


# Looking


def counts(session: Session, issue_id: int) -> dict[str, int]:
    """How many rows of the issue are in each state, all from one moment; they add up to ``audience``."""
    found: dict[str, int] = dict.fromkeys(DELIVERY_STATES, 0)
    query = core_select(col(Delivery.state), func.count()).where(col(Delivery.issue_id) == issue_id)
    found |= {row[0]: row[1] for row in session.execute(query.group_by(col(Delivery.state)))}
    return {"audience": sum(found.values()), **found}


def skip_reasons(session: Session, issue_id: int) -> dict[str, int]:
    """Why readers get no mail, and how many of each."""
    query = (
        core_select(col(Delivery.reason), func.count())
        .where(col(Delivery.issue_id) == issue_id, col(Delivery.state) == "skipped")
        .group_by(col(Delivery.reason))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def of_subscriber(session: Session, issue_id: int, subscriber_id: int) -> Delivery | None:
    """One person's row of an issue."""
    return session.exec(
        select(Delivery).where(Delivery.issue_id == issue_id, Delivery.subscriber_id == subscriber_id)
    ).first()


def next_due(session: Session, issue_id: int) -> datetime | None:
    """When the next queued row of an issue may go; None if none is queued, or one may go at once."""
    query = core_select(func.min(_ROWS.c.not_before), func.count() - func.count(_ROWS.c.not_before)).where(
        _ROWS.c.issue_id == issue_id, _ROWS.c.state == "queued"
    )
    earliest, at_once = session.execute(query).one()
    return None if at_once else earliest
