"""Feeds: which are due, who gathers them, and how they fare."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Update, or_
from sqlmodel import Session, col, select, update

from digest.domain.newsroom import FeedSpec
from digest.store.feed_specs import spec_of
from digest.store.tables import Feed

MAX_BACK_OFF = timedelta(hours=24)
MAX_TTL = timedelta(hours=6)
"""A source may ask for longer pauses than its interval, up to this."""
MAX_RETRY_AFTER = timedelta(days=7)
MAX_FAILURE_BODY = 200_000
"""Bytes that are kept of an answer that couldn't be read."""


@dataclass(frozen=True, slots=True)
class FeedTask:
    """A feed to gather now, as it stood when it was claimed.

    Attributes:
        url: where to poll: ``moved_to`` if the source has moved for good.
        claimed_until: the lease; nobody else gathers the feed before that.
        spec: how it is read.
    """

    id: int
    url: str
    name: str
    kind: str
    full_text: bool
    interval: int
    etag: str
    last_modified: str
    moved_to: str
    claimed_until: datetime
    spec: FeedSpec


def waiting(session: Session, now: datetime, *, due_only: bool) -> list[tuple[int, str]]:
    """Id and URL of every feed to gather, longest waiting first: those that are due, or all that aren't retired."""
    query = select(Feed.id, Feed.url, Feed.moved_to).where(col(Feed.retired_at).is_(None))
    if due_only:
        query = query.where(or_(col(Feed.next_check_at).is_(None), col(Feed.next_check_at) <= now))
    rows = session.exec(query.order_by(col(Feed.next_check_at).asc().nulls_first(), col(Feed.id)))
    return [(ident, moved_to or url) for ident, url, moved_to in rows if ident is not None]


def claim(
    session: Session, feed_id: int, now: datetime, lease: timedelta, *, worker: str = "", due_only: bool = False
) -> FeedTask | None:
    """Take a feed for ``lease``; None if somebody else has it, it was just gathered by them, or it is retired.

    ``worker`` names the process that takes it, so that ``give_back`` can free it when that process has died.
    """
    until = now + lease
    statement = update(Feed).where(
        col(Feed.id) == feed_id,
        col(Feed.retired_at).is_(None),
        or_(col(Feed.claimed_until).is_(None), col(Feed.claimed_until) <= now),
    )
    if due_only:
        statement = statement.where(or_(col(Feed.next_check_at).is_(None), col(Feed.next_check_at) <= now))
    if _changed(session, statement.values(claimed_until=until, claimed_by=worker)) == 0:
        return None
    feed = session.exec(select(Feed).where(Feed.id == feed_id)).one()
    return FeedTask(
        id=feed_id,
        url=feed.moved_to or feed.url,
        name=feed.name,
        kind=feed.kind,
        full_text=feed.full_text,
        interval=feed.interval,
        etag=feed.etag,
        last_modified=feed.last_modified,
        moved_to=feed.moved_to,
        claimed_until=until,
        spec=spec_of(feed),
    )


def claimed_until(session: Session, feed_id: int) -> datetime | None:
    """When the lease on a feed ends; None if nobody gathers it."""
    return session.exec(select(Feed.claimed_until).where(Feed.id == feed_id)).first()


def record_success(
    session: Session,
    task: FeedTask,
    now: datetime,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
    entries: int | None = None,
    ttl_minutes: int | None = None,
    permanent_url: str = "",
) -> None:
    """The feed was read, or is unchanged (then the arguments stay away): note it, give the lease back.

    Args:
        ttl_minutes: a pause that the source asks for; honoured up to ``MAX_TTL`` when longer than the interval.
        permanent_url: where the source says that it moved for good.
    """
    pause = max(timedelta(minutes=task.interval), min(timedelta(minutes=ttl_minutes or 0), MAX_TTL))
    values: dict[str, Any] = {
        "last_checked_at": now,
        "last_success_at": now,
        "last_error": "",
        "failures": 0,
        "next_check_at": now + pause,
    }
    if etag is not None:
        values["etag"] = etag
    if last_modified is not None:
        values["last_modified"] = last_modified
    if entries is not None:
        values["entries_last"] = entries
    if permanent_url and permanent_url != task.url:
        values["moved_to"] = permanent_url
    _release(session, task, values)


def record_failure(
    session: Session,
    task: FeedTask,
    now: datetime,
    error: str,
    *,
    body: bytes | None = None,
    retry_after: float | None = None,
) -> datetime:
    """The feed could not be read: note why, keep what it sent, and try again later, twice as late each time.

    A new address that a permanent redirect gave is forgotten, so the next attempt is at the newsroom's own.

    Returns:
        when it is tried again.
    """
    failures = (session.exec(select(Feed.failures).where(Feed.id == task.id)).first() or 0) + 1
    again = now + back_off(task.interval, failures)
    if retry_after is not None:
        again = max(again, now + min(timedelta(seconds=retry_after), MAX_RETRY_AFTER))
    values: dict[str, Any] = {
        "last_checked_at": now,
        "last_error": error,
        "last_error_at": now,
        "failures": failures,
        "next_check_at": again,
        "moved_to": "",
        # An answer that can't be read must not be taken for current by the next conditional request.
        "etag": "",
        "last_modified": "",
    }
    if body is not None:
        values["last_failure_body"] = body[:MAX_FAILURE_BODY]
    _release(session, task, values)
    return again


def back_off(interval: int, failures: int) -> timedelta:
    """How long to wait after ``failures`` failures in a row: the interval, doubled each time, at most a day."""
    doubled = timedelta(minutes=interval * 2.0 ** min(failures, 16))
    return max(timedelta(minutes=interval), min(doubled, MAX_BACK_OFF))


def retire(session: Session, task: FeedTask, now: datetime, why: str) -> None:
    """The source has ended: it is not polled again; its articles stay."""
    values = {
        "last_checked_at": now,
        "last_error": why,
        "last_error_at": now,
        "retired_at": now,
        "retired_why": why,
        "next_check_at": None,
    }
    _release(session, task, values)


def postpone(session: Session, feed_ids: Sequence[int], until: datetime) -> None:
    """Don't poll these feeds before ``until``: their host asked for a pause."""
    sooner = or_(col(Feed.next_check_at).is_(None), col(Feed.next_check_at) < until)
    session.exec(update(Feed).where(col(Feed.id).in_(feed_ids), sooner).values(next_check_at=until))


def _release(session: Session, task: FeedTask, values: dict[str, Any]) -> None:
    """Record what became of a claimed feed, unless its lease ran out and somebody else has taken it."""
    statement = update(Feed).where(col(Feed.id) == task.id, col(Feed.claimed_until) == task.claimed_until)
    _changed(session, statement.values(claimed_until=None, **values))


def _changed(session: Session, statement: Update) -> int:
    count: int = session.exec(statement).rowcount
    return count


def give_back(session: Session, worker: str) -> None:
    """Free what a process had claimed that is no more."""
    session.execute(update(Feed).where(col(Feed.claimed_by) == worker).values(claimed_until=None, claimed_by=""))
