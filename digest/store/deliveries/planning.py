"""Writing an issue's rows, a set at a time; what it carries, and what earlier issues carried of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    true,
    update,
)
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from digest.domain.mail import Cut
from digest.errors import NotFound
from digest.store.bulk import insert_or_ignore
from digest.store.deliveries.recording import SUPERSEDED
from digest.store.deliveries.rows import COUNTED, LEDGER, QUEUE, QUEUED, either, row_id, these
from digest.store.tables import CutRow, Issue, QueueRow, SentArticle, SentStory, Story, Subscription, Suppression
from digest.store.tables.base import Moment

_CHUNK = 1000


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
    """Make the ledger of an issue what ``plan`` (see ``Audience.plan``) says: who waits is queued, the others are settled.

    Rows that left the queue are as they are; a row that waits for its next attempt goes on waiting. The issue is locked
    by the caller, so nobody else writes rows of it meanwhile.
    """
    if any(
        session.execute(select(table.c.issue_id).where(table.c.issue_id == issue_id).limit(1)).first()
        for table in (QUEUE, LEDGER)
    ):
        added = _follow(session, issue_id, plan)
    else:
        added = _write(session, issue_id, plan)
    session.execute(
        update(Issue).where(col(Issue.id) == issue_id).values(audience=func.coalesce(col(Issue.audience), 0) + added)
    )


_FIXED: dict[str, Any] = {"attempts": 0, "worker": "", "provider_id": ""}


_READER = ("subscriber_id", "subscription_id", "state", "reason")
_MAIL = (*_READER, "cut_id", "not_before")


def _queued(issue_id: int, rows: Any, condition: Any) -> Any:
    """The INSERT that queues those of the rows of a plan."""
    values = [literal(issue_id), *(literal(value) for value in _FIXED.values())]
    source = core_select(*(rows.c[name] for name in _MAIL), *values).where(condition)
    return insert(QUEUE).from_select([*_MAIL, "issue_id", *_FIXED], source, include_defaults=False)


def _skipped(issue_id: int, rows: Any, condition: Any) -> Any:
    """The INSERT that settles those who get nothing."""
    source = core_select(*(rows.c[name] for name in _READER), literal(issue_id)).where(
        rows.c.state == "skipped", condition
    )
    return insert(LEDGER).from_select([*_READER, "issue_id"], source, include_defaults=False)


def _write(session: Session, issue_id: int, plan: Select[Any]) -> int:
    """The first plan of an issue, which is worked out once for both halves. Returns how many rows it has."""
    if session.get_bind().dialect.name == "postgresql":
        # Left to itself, it looks up each reader once for every hour that might be theirs.
        for setting in ("join_collapse_limit = 1", "work_mem = '64MB'"):
            session.connection().exec_driver_sql(f"SET LOCAL {setting}")
        planned = plan.cte("plan")  # as two statements read it, it is kept while they do
        skipped = _skipped(issue_id, planned, true()).cte("skipped")
        queued = _rows(session, _queued(issue_id, planned, planned.c.state == "queued").add_cte(skipped))
        settled = core_select(func.count()).select_from(LEDGER).where(LEDGER.c.issue_id == issue_id)
        count: int = session.execute(settled).scalar_one()
        return queued + count
    written = _rows(session, _queued(issue_id, plan.subquery("plan"), true()))
    skips = and_(QUEUE.c.issue_id == issue_id, QUEUE.c.state == "skipped")
    session.execute(_skipped(issue_id, QUEUE, QUEUE.c.issue_id == issue_id))
    session.execute(delete(QUEUE).where(skips))
    return written


def _follow(session: Session, issue_id: int, plan: Select[Any]) -> int:
    """Let rows that are still to be sent, or were skipped, follow what readers changed; only those that differ.

    Returns how many readers were added.
    """
    rows = Table(
        "plan_row", MetaData(), Column("subscriber_id", Integer, primary_key=True, autoincrement=False),
        Column("subscription_id", Integer), Column("state", String), Column("reason", String), Column("cut_id", Integer),
        Column("not_before", Moment), prefixes=["TEMPORARY"], sqlite_with_rowid=False,
    )  # fmt: skip
    connection = session.connection()
    rows.create(connection)
    session.execute(insert(rows).from_select(list(rows.c), plan.subquery("plan").select()))
    if connection.dialect.name == "postgresql":
        # Rows that were just planned are not in its statistics yet, and it would join them by nested loops.
        for name in ("plan_row", QUEUE.name, LEDGER.name):
            connection.exec_driver_sql(f"ANALYZE {name}")
    ours = and_(QUEUE.c.issue_id == issue_id, QUEUE.c.state == QUEUED, QUEUE.c.subscriber_id == rows.c.subscriber_id)
    gone = _rows(session, delete(QUEUE).where(exists().where(ours, rows.c.state == "skipped").correlate(QUEUE)))
    skips = and_(
        LEDGER.c.issue_id == issue_id,
        LEDGER.c.state == "skipped",
        LEDGER.c.reason != SUPERSEDED,
        LEDGER.c.subscriber_id == rows.c.subscriber_id,
    )
    differs = or_(rows.c.state == "queued", LEDGER.c.reason != rows.c.reason)
    gone += _rows(session, delete(LEDGER).where(exists().where(skips, differs).correlate(LEDGER)))
    waits = QUEUE.c.reason != ""
    moved = and_(~waits, or_(QUEUE.c.reason != rows.c.reason, QUEUE.c.not_before.is_distinct_from(rows.c.not_before)))
    session.execute(
        update(QUEUE)
        .where(ours, rows.c.state == "queued", or_(QUEUE.c.cut_id != rows.c.cut_id, moved))
        .values(
            cut_id=rows.c.cut_id, subscription_id=rows.c.subscription_id,
            not_before=case((waits, QUEUE.c.not_before), else_=rows.c.not_before),
        )
    )  # fmt: skip
    known = either(lambda half: (half.c.issue_id == issue_id, half.c.subscriber_id == rows.c.subscriber_id))
    added = _rows(session, _queued(issue_id, rows, and_(rows.c.state == "queued", ~known)))
    added += _rows(session, _skipped(issue_id, rows, ~known))
    rows.drop(connection)
    return added - gone


def _rows(session: Session, statement: Any) -> int:
    """Execute, and say how many rows that was."""
    result: Any = session.execute(statement, execution_options=COUNTED)
    return int(result.rowcount)


def keep_cuts(session: Session, issue_id: int, wanted: Collection[Cut]) -> dict[Cut, int]:
    """The ids of these cuts of an issue; those that are new are added."""
    if wanted:
        bits, connection = [cut.encode() for cut in wanted], session.connection()
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(_ADD_CUTS_POSTGRESQL, (issue_id, bits))
        else:
            insert_or_ignore(session, CutRow, ("issue_id", "bits"), [(issue_id, each) for each in bits])
    known = {cut: cut_id for cut_id, cut in cuts(session, issue_id).items()}
    return {cut: known[cut] for cut in wanted}


# All cuts as one value: a statement for each takes longer than to choose it.
_ADD_CUTS_POSTGRESQL = "INSERT INTO cut (issue_id, bits) SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING"


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
        select(Issue, Subscription.hour)
        .join(QueueRow, col(Issue.id) == QueueRow.issue_id)
        .join(Subscription, col(Subscription.id) == QueueRow.subscription_id)
        .where(  # by the issues under way: rows are found by issue and reader
            col(Issue.state).in_(("approved", "sending", "held")),
            QueueRow.subscriber_id == subscriber_id,
            QueueRow.state == "queued",
            QueueRow.reason == "",
        )
    )
    return [(row_id(issue.id or 0, subscriber_id), issue, hour) for issue, hour in session.exec(query)]


def move_to(session: Session, delivery_id: int, at: datetime | None) -> None:
    """Let a copy that is still queued leave at another moment."""
    session.execute(update(QUEUE).where(these([delivery_id]), QUEUE.c.state == "queued").values(not_before=at))


def neighbours(session: Session, issue_id: int, newsletter_id: int, since: datetime) -> list[tuple[int, datetime, str]]:
    """Other issues of a newsletter that were due since a moment: id, when, and state."""
    query = core_select(col(Issue.id), col(Issue.due_at), col(Issue.state)).where(
        col(Issue.newsletter_id) == newsletter_id, col(Issue.due_at) >= since, col(Issue.id) != issue_id
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]
