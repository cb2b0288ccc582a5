"""Writing an issue's rows, a set at a time; what it carries, and what earlier issues carried of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, delete, exists, func, insert, literal, or_, update
from sqlalchemy import select as core_select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col, select

from digest.domain.mail import Cut
from digest.errors import NotFound
from digest.store.deliveries.recording import SUPERSEDED
from digest.store.tables import CutRow, Delivery, Issue, SentArticle, SentStory, Story, Subscription, Suppression

_ROWS = Delivery.__table__  # type: ignore[attr-defined]  # sets of rows move below the ORM
_CHUNK = 1000
_PLANNED = ("subscriber_id", "subscription_id", "state", "reason", "cut_id", "not_before")


@dataclass(frozen=True, slots=True)
class Carried:
    """A story of this issue that an earlier issue carried, and (as bits) in which fragments of it.

    ``goes_on``: whether copies of that issue that wait will be sent; of another one, only what has left counts.
    """

    issue_id: int
    story_id: int
    positions: int
    goes_on: bool = True


def lock_issue(session: Session, issue_id: int) -> str:
    """The state of an issue, which nobody else changes until the transaction ends.

    Raises:
        NotFound: no such issue.
    """
    state = session.execute(core_select(col(Issue.state)).where(col(Issue.id) == issue_id).with_for_update()).scalar()
    if state is None:
        raise NotFound(f"no issue {issue_id}; `digest issue list` shows those there are")
    return str(state)


def write_plan(session: Session, issue_id: int, plan: Select[Any]) -> None:
    """Make the ledger of an issue what ``plan`` (see ``Audience.plan``) says.

    Rows that left the queue are as they are; a row that waits for its server or its next attempt goes on waiting.
    The issue is locked by the caller, so nobody else writes rows of it meanwhile.
    """
    fixed: dict[str, Any] = {"issue_id": issue_id, "attempts": 0, "worker": "", "provider_id": ""}
    rows = plan.subquery("plan")
    if session.execute(core_select(_ROWS.c.id).where(_ROWS.c.issue_id == issue_id).limit(1)).first() is not None:
        if session.get_bind().dialect.name == "postgresql":
            # Rows that were just planned are not in its statistics yet, and it would join them by nested loops.
            session.connection().exec_driver_sql("ANALYZE delivery")
        _follow(session, issue_id, rows)
        known = exists().where(_ROWS.c.issue_id == issue_id, _ROWS.c.subscriber_id == rows.c.subscriber_id)
        source = core_select(rows, *(literal(value) for value in fixed.values())).where(~known)
    else:
        source = core_select(rows, *(literal(value) for value in fixed.values()))
    session.execute(insert(_ROWS).from_select([*_PLANNED, *fixed], source, include_defaults=False))


def _follow(session: Session, issue_id: int, rows: Any) -> None:
    """Let rows that are still to be sent, or were skipped, follow what readers changed; only those that differ."""
    waits = and_(_ROWS.c.state == "queued", rows.c.state == "queued", _ROWS.c.reason != "")
    differs = or_(
        _ROWS.c.state != rows.c.state,
        func.coalesce(_ROWS.c.cut_id, 0) != func.coalesce(rows.c.cut_id, 0),
        and_(
            ~waits,
            or_(_ROWS.c.reason != rows.c.reason, _ROWS.c.not_before.is_distinct_from(rows.c.not_before)),
        ),
    )
    session.execute(
        update(_ROWS)
        .where(
            _ROWS.c.issue_id == issue_id, _ROWS.c.subscriber_id == rows.c.subscriber_id,
            _ROWS.c.state.in_(("queued", "skipped")), _ROWS.c.reason != SUPERSEDED, differs,
        )
        .values(
            state=rows.c.state, cut_id=rows.c.cut_id, subscription_id=rows.c.subscription_id, finished_at=None,
            reason=case((waits, _ROWS.c.reason), else_=rows.c.reason),
            not_before=case((waits, _ROWS.c.not_before), else_=rows.c.not_before),
        )
    )  # fmt: skip


def keep_cuts(session: Session, issue_id: int, wanted: Collection[Cut]) -> dict[Cut, int]:
    """The ids of these cuts of an issue; those that are new are added."""
    if wanted:
        is_postgresql = session.get_bind().dialect.name == "postgresql"
        statement = (postgresql_insert if is_postgresql else sqlite_insert)(CutRow).on_conflict_do_nothing()
        session.execute(statement, [{"issue_id": issue_id, "bits": cut.encode()} for cut in wanted])
    known = {cut: cut_id for cut_id, cut in cuts(session, issue_id).items()}
    return {cut: known[cut] for cut in wanted}


def cuts(session: Session, issue_id: int) -> dict[int, Cut]:
    """The distinct cuts of an issue by id."""
    query = core_select(col(CutRow.id), col(CutRow.bits)).where(col(CutRow.issue_id) == issue_id)
    return {cut_id: Cut.decode(bits) for cut_id, bits in session.execute(query)}


def suppressed(session: Session, hashes: Iterable[str]) -> frozenset[str]:
    """Which of these address hashes must not be written to."""
    wanted = list(hashes)
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        found.update(session.exec(select(Suppression.address_hash).where(col(Suppression.address_hash).in_(part))))
    return frozenset(found)


# What an issue carries, and what others carried of it


def keep_stories(
    session: Session, issue_id: int, positions: Mapping[int, int], articles: Mapping[int, Collection[int]]
) -> None:
    """Note which stories an issue carries, (as bits) in which of its fragments, and made of which articles.

    Replaces an earlier note.
    """
    for table in (SentStory, SentArticle):
        session.execute(delete(table).where(col(table.issue_id) == issue_id))
    stories = [
        {"issue_id": issue_id, "story_id": story, "positions": Cut(bits).encode()} for story, bits in positions.items()
    ]
    if stories:
        session.execute(insert(SentStory), stories)
    parts = [
        {"issue_id": issue_id, "story_id": story, "article_id": article}
        for story in positions
        for article in set(articles.get(story, ()))
    ]
    if parts:
        session.execute(insert(SentArticle), parts)


def carried_before(session: Session, issue_id: int, stories: Mapping[int, Collection[int]]) -> list[Carried]:
    """Which of these stories other issues, of whatever newsletter, carried and sent, or will send.

    A story is known again by its id, and by any of its articles: so also after it was merged into another one, or
    split off.

    Args:
        stories: ids, each with its articles.
    """
    same: dict[tuple[int, int], set[int]] = {}
    by_id = core_select(col(SentStory.issue_id), col(SentStory.story_id)).where(
        col(SentStory.story_id).in_(list(stories)), col(SentStory.issue_id) != issue_id
    )
    for earlier, story in session.execute(by_id):
        same.setdefault((earlier, story), set()).add(story)
    stories_of: dict[int, set[int]] = {}
    for story, articles in stories.items():
        for article in articles:
            stories_of.setdefault(article, set()).add(story)
    wanted = sorted(stories_of)
    for start in range(0, len(wanted), _CHUNK):
        by_article = core_select(
            col(SentArticle.issue_id), col(SentArticle.story_id), col(SentArticle.article_id)
        ).where(col(SentArticle.article_id).in_(wanted[start : start + _CHUNK]), col(SentArticle.issue_id) != issue_id)
        for earlier, story, article in session.execute(by_article):
            same.setdefault((earlier, story), set()).update(stories_of[article])
    return _with_positions(session, same)


def _with_positions(session: Session, same: Mapping[tuple[int, int], Collection[int]]) -> list[Carried]:
    earlier = sorted({issue for issue, _ in same})
    query = (
        core_select(col(SentStory.issue_id), col(SentStory.story_id), col(SentStory.positions), col(Issue.state))
        .join(Issue, col(Issue.id) == col(SentStory.issue_id))
        .where(col(SentStory.issue_id).in_(earlier))
    )
    return [
        Carried(issue, story, Cut.decode(positions or "0").bits, state in ("approved", "sending", "held"))
        for issue, original, positions, state in session.execute(query)
        for story in sorted(same.get((issue, original), ()))
    ]


def mark_stories_sent(session: Session, issue_id: int, now: datetime) -> None:
    """Stories that an issue carried were sent now."""
    carried = core_select(col(SentStory.story_id)).where(col(SentStory.issue_id) == issue_id)
    session.execute(update(Story).where(col(Story.id).in_(carried)).values(last_sent_at=now))


def waiting_of(session: Session, subscriber_id: int) -> list[tuple[int, Issue, str]]:
    """Copies of a reader that are to be sent and were not tried yet: row, issue, and the hour they are wanted at."""
    query = (
        select(Delivery.id, Issue, Subscription.hour)
        .join(Issue, col(Issue.id) == Delivery.issue_id)
        .join(Subscription, col(Subscription.id) == Delivery.subscription_id)
        .where(  # by the issues under way: rows are found by issue and reader
            col(Issue.state).in_(("approved", "sending", "held")),
            Delivery.subscriber_id == subscriber_id,
            Delivery.state == "queued",
            Delivery.reason == "",
        )
    )
    return list(session.exec(query).all())  # type: ignore[arg-type]


def move_to(session: Session, delivery_id: int, at: datetime | None) -> None:
    """Let a copy that is still queued leave at another moment."""
    session.execute(update(_ROWS).where(_ROWS.c.id == delivery_id, _ROWS.c.state == "queued").values(not_before=at))


def neighbours(session: Session, issue_id: int, newsletter_id: int, since: datetime) -> list[tuple[int, datetime, str]]:
    """Other issues of a newsletter that were due since a moment: id, when, and state."""
    query = core_select(col(Issue.id), col(Issue.due_at), col(Issue.state)).where(
        col(Issue.newsletter_id) == newsletter_id, col(Issue.due_at) >= since, col(Issue.id) != issue_id
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]
