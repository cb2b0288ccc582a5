"""How feeds fare: figures for the desk and for ``digest feeds list``, and whom to alert of what."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Literal

from sqlalchemy import func, or_, update
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from digest.store.tables import Article, ArticleFeed, Feed, FeedDay, WebSub

Condition = Literal["new", "ok", "silent", "failing", "ended"]

WEEK = timedelta(days=7)
SILENT = timedelta(days=14)
"""A source that answers, but showed nothing newer than this, is silent: its address may have become a dead end."""


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """One source.

    Attributes:
        state: ``new`` (never asked), ``ok``, ``silent`` (answers, without news for long), ``failing``, ``ended``.
        failures: polls in a row that failed.
        items_a_day: items dated in the last seven days, by seven; None for what has no articles.
        delay: seconds, in the median of the last seven days, from an item's date to our first sight of it; None while
            there is none to measure (what a feed showed when it was first read doesn't count).
        body_size: how many bytes of the last failure are kept.
        push: how it stands with a hub that pushes its news (WebSub): ``wanted``, ``asked``, ``active``, ``refused``,
            ``leaving``, ``ended``, or "" if it names none. Whatever it says, the feed is polled as well.
        push_until: when an active subscription ends unless it is renewed.
        push_why: what the hub, or its absence, had to say.
    """

    id: int
    name: str
    url: str
    kind: str
    weight: float
    interval: int
    state: Condition
    failures: int
    last_success: datetime | None
    last_error: str
    last_error_at: datetime | None
    next_check: datetime | None
    newest: datetime | None
    items_a_day: float | None
    delay: int | None
    moved_to: str
    moving_to: str
    alerted_at: datetime | None
    ended_at: datetime | None
    ended_why: str
    body_size: int
    push: str
    push_until: datetime | None
    push_why: str

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``: times as ISO 8601, None where there is none."""
        values = asdict(self)
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a feed: polls that went well and badly, and new items."""

    day: date
    ok: int = 0
    failed: int = 0
    items: int = 0

    @property
    def word(self) -> str:
        """``none`` (not asked), ``well``, ``mixed`` or ``failed``."""
        if not self.failed:
            return "well" if self.ok else "none"
        return "mixed" if self.ok else "failed"


def health(session: Session, now: datetime, feed_id: int | None = None) -> list[FeedHealth]:
    """Every feed (or the one), those in trouble first, then by name. What the newsroom took out and ended is last."""
    # The bytes themselves stay where they are: there may be many.
    query = (
        select(Feed, func.coalesce(func.length(Feed.last_failure_body), 0), WebSub)
        .join(WebSub, col(WebSub.feed_id) == col(Feed.id), isouter=True)
        .options(defer(Feed.last_failure_body))  # type: ignore[arg-type]
    )
    if feed_id is not None:
        query = query.where(Feed.id == feed_id)
    rates, delays = _items(session, now, feed_id), _delays(session, now, feed_id)
    found = [_health(feed, size, hub, now, rates, delays) for feed, size, hub in session.exec(query)]
    order: dict[str, int] = {"failing": 0, "silent": 1, "new": 2, "ok": 2, "ended": 3}
    return sorted(found, key=lambda each: (order[each.state], -each.failures, each.name.casefold(), each.id))


def strips(session: Session, now: datetime, days: int = 30, feed_id: int | None = None) -> dict[int, tuple[Day, ...]]:
    """The last days of each feed that was asked in them, oldest first, without gaps."""
    calendar = [now.date() - timedelta(days=back) for back in range(days - 1, -1, -1)]
    query = select(FeedDay).where(FeedDay.day >= calendar[0])
    if feed_id is not None:
        query = query.where(FeedDay.feed_id == feed_id)
    found: defaultdict[int, dict[date, Day]] = defaultdict(dict)
    for row in session.exec(query):
        found[row.feed_id][row.day] = Day(row.day, row.ok, row.failed, row.items)
    return {ident: tuple(known.get(day, Day(day)) for day in calendar) for ident, known in found.items()}


def last_failure(session: Session, feed: int | str) -> bytes | None:
    """The bytes that came with the last failure of a feed (by id, address or name); None if none are kept."""
    same = Feed.id == feed if isinstance(feed, int) else or_(col(Feed.url) == feed, col(Feed.name) == feed)
    query = select(Feed.last_failure_body).where(same).order_by(col(Feed.last_error_at).desc().nulls_last())
    return session.exec(query).first()


def _health(
    feed: Feed, size: int, hub: WebSub | None, now: datetime, rates: dict[int, float], delays: dict[int, int]
) -> FeedHealth:
    assert feed.id is not None
    return FeedHealth(
        id=feed.id,
        name=feed.name,
        url=feed.url,
        kind=feed.kind,
        weight=feed.weight,
        interval=feed.interval,
        state=_condition(feed, now),
        failures=feed.failures,
        last_success=feed.last_success_at,
        last_error=feed.last_error,
        last_error_at=feed.last_error_at,
        next_check=feed.next_check_at if feed.retired_at is None else None,
        newest=feed.newest_at,
        items_a_day=None if feed.kind in ("quotes", "events") else rates.get(feed.id, 0.0),
        delay=delays.get(feed.id),
        moved_to=feed.moved_to,
        moving_to=feed.moving_to,
        alerted_at=feed.alerted_at,
        ended_at=feed.retired_at,
        ended_why=feed.retired_why,
        body_size=size,
        push=hub.state if hub else "",
        push_until=hub.lease_until if hub else None,
        push_why=hub.why if hub else "",
    )


def _condition(feed: Feed, now: datetime) -> Condition:
    if feed.retired_at is not None:
        return "ended"
    if feed.failures:
        return "failing"
    if feed.last_success_at is None:
        return "new"
    return "silent" if feed.newest_at is not None and now - feed.newest_at > SILENT else "ok"


def _items(session: Session, now: datetime, feed_id: int | None) -> dict[int, float]:
    query = (
        select(ArticleFeed.feed_id, func.count())
        .join(Article, col(Article.id) == col(ArticleFeed.article_id))
        .where(Article.published_at > now - WEEK, Article.published_at <= now)
        .group_by(col(ArticleFeed.feed_id))
    )
    if feed_id is not None:
        query = query.where(ArticleFeed.feed_id == feed_id)
    return {ident: round(count / WEEK.days, 1) for ident, count in session.exec(query)}


def _delays(session: Session, now: datetime, feed_id: int | None) -> dict[int, int]:
    first = select(ArticleFeed.feed_id, func.min(ArticleFeed.seen_at).label("at")).group_by(col(ArticleFeed.feed_id))
    begun = first.subquery()
    query = (
        select(ArticleFeed.feed_id, ArticleFeed.seen_at, Article.published_at)
        .join(Article, col(Article.id) == col(ArticleFeed.article_id))
        .join(begun, begun.c.feed_id == col(ArticleFeed.feed_id))
        .where(
            ArticleFeed.seen_at > now - WEEK,
            col(ArticleFeed.seen_at) > begun.c.at,
            # Dates that we gave ourselves, for want of a true one, would flatter the feed.
            Article.published_at < Article.first_seen_at,
        )
    )
    if feed_id is not None:
        query = query.where(ArticleFeed.feed_id == feed_id)
    waits: defaultdict[int, list[float]] = defaultdict(list)
    for ident, seen_at, published_at in session.exec(query):
        waits[ident].append((seen_at - published_at).total_seconds())
    return {ident: round(median(some)) for ident, some in waits.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """A feed of which editors must hear."""

    id: int
    name: str
    why: str
    failures: int


def take_alerts(session: Session, now: datetime, after: int) -> dict[str, list[Change]]:
    """Feeds that have begun to fail (``after`` polls in a row), ended, or recovered since editors were last told.

    Each is given out once, to one caller: tell them in the same transaction.
    """
    untold = col(Feed.alerted_at).is_(None)
    alive = col(Feed.retired_at).is_(None)
    # Those that ended by themselves: what the newsroom took out has another reason.
    gone = (col(Feed.retired_at).is_not(None), col(Feed.retired_why) != "", Feed.retired_why == Feed.last_error)
    told = {"alerted_at": now}
    return {
        "failing": _take(session, [untold, alive, col(Feed.failures) >= after], told),
        "ended": _take(session, [*gone, or_(untold, col(Feed.alerted_at) < col(Feed.retired_at))], told),
        "recovered": _take(session, [~untold, alive, col(Feed.failures) == 0, col(Feed.last_success_at) > col(Feed.alerted_at)],
                           {"alerted_at": None}),
    }  # fmt: skip


def _take(session: Session, where: Sequence[Any], values: dict[str, Any]) -> list[Change]:
    columns = (Feed.id, Feed.name, Feed.last_error, Feed.failures)
    taken = update(Feed).where(*where).values(**values).returning(*columns)  # type: ignore[call-overload]
    rows = session.execute(taken, execution_options={"synchronize_session": False})
    return sorted((Change(*row) for row in rows), key=lambda change: change.id)
