"""Writing an issue's rows: the audience, what each reader was sent before, who must not be written to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, insert, literal, or_, update
from sqlalchemy import select as core_select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col, select

from digest.domain.mail import Cut
from digest.errors import NotFound
from digest.store.tables import Delivery, Issue, SentStory, Story, Subscriber, Subscription, Suppression, TopicChoice

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


def lock_issue(session: Session, issue_id: int) -> str:
    """The state of an issue, which nobody else changes until the transaction ends.

    Raises:
        NotFound: no such issue.
    """
    state = session.execute(core_select(col(Issue.state)).where(col(Issue.id) == issue_id).with_for_update()).scalar()
    if state is None:
        raise NotFound(f"no issue {issue_id}; `digest issue list` shows those there are")
    return str(state)


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
