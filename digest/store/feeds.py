"""Feeds: which are due, who gathers them, and how they fare."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Table, Update, bindparam, func, or_
from sqlalchemy import select as select_columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from digest.domain.newsroom import FeedSpec
from digest.store import burial
from digest.store.feed_specs import spec_of
from digest.store.lookup import among
from digest.store.tables import Feed, FeedDay

MAX_BACK_OFF = timedelta(hours=24)
MAX_RETRY_AFTER = timedelta(days=7)
MAX_FAILURE_BODY = 200_000
"""Bytes that are kept of an answer that couldn't be read."""
MOVE_SIGHTINGS, MOVE_SPAN = 3, timedelta(days=1)
"""A permanent redirect is believed once it was seen so often, over so long: some are mistakes, mended within hours."""


@dataclass(frozen=True, slots=True)
class FeedTask:
    """A feed to gather now, as it stood when it was claimed.

    Attributes:
        url: where to poll: ``moved_to`` if the source has moved for good.
        rhythm, newest_at: how the source goes, as last seen: seconds between two items (0 if unknown), newest item.
        first_read: the feed was never read before.
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
    rhythm: int = 0
    newest_at: datetime | None = None
    first_read: bool = False


def waiting(session: Session, now: datetime, *, due_only: bool) -> list[tuple[int, str]]:
    """Id and URL of every feed to gather, longest waiting first: those that are due, or all that aren't retired."""
    query = select(Feed.id, Feed.url, Feed.moved_to).where(col(Feed.retired_at).is_(None))
    if due_only:
        query = query.where(or_(col(Feed.next_check_at).is_(None), col(Feed.next_check_at) <= now))
    rows = session.exec(query.order_by(col(Feed.next_check_at).asc().nulls_first(), col(Feed.id)))
    return [(ident, moved_to or url) for ident, url, moved_to in rows if ident is not None]


def unread(session: Session) -> int:
    """How many feeds were never read."""
    never = select(func.count()).where(col(Feed.retired_at).is_(None), col(Feed.last_success_at).is_(None))
    return session.exec(never).one()


def claim(
    session: Session, feed_id: int, now: datetime, lease: timedelta, *, worker: str = "", due_only: bool = False
) -> FeedTask | None:
    """Take one feed, as :func:`claim_some` does; None if it could not be had."""
    return next(iter(claim_some(session, [feed_id], now, lease, worker=worker, due_only=due_only)), None)


def claim_some(
    session: Session,
    feed_ids: Sequence[int],
    now: datetime,
    lease: timedelta,
    *,
    worker: str = "",
    due_only: bool = False,
) -> list[FeedTask]:
    """Take feeds for ``lease``, without those that somebody else has, has just gathered, or that are retired.

    ``worker`` names the process that takes them, so that ``give_back`` can free them when that process has died.
    """
    until = now + lease
    burial.claims(session, worker)
    # One lock after the other in the order of ids: two processes then wait for each other, never in a circle.
    free = (
        select_columns(col(Feed.id))
        .where(
            among(session, col(Feed.id), feed_ids),
            col(Feed.retired_at).is_(None),
            or_(col(Feed.claimed_until).is_(None), col(Feed.claimed_until) <= now),
        )
        .order_by(col(Feed.id))
        .with_for_update()
    )
    if due_only:
        free = free.where(or_(col(Feed.next_check_at).is_(None), col(Feed.next_check_at) <= now))
    claimed = _FEED.update().where(_FEED.c.id.in_(free)).values(claimed_until=until, claimed_by=worker)
    return [_task(row, until) for row in session.connection().execute(claimed.returning(*_OF_TASK))]


_FEED: Table = Feed.__table__  # type: ignore[attr-defined]
_OF_TASK = [column for column in _FEED.c if column.name not in ("last_failure_body", "last_error")]


def _task(feed: Row[Any], until: datetime) -> FeedTask:
    return FeedTask(
        id=feed.id,
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
        rhythm=feed.rhythm,
        newest_at=feed.newest_at,
        first_read=feed.last_success_at is None,
    )


def renew(session: Session, task: FeedTask, now: datetime, lease: timedelta) -> FeedTask | None:
    """The same task with a lease from now on; None if somebody else has taken the feed."""
    until = now + lease
    held = update(Feed).where(col(Feed.id) == task.id, col(Feed.claimed_until) == task.claimed_until)
    return replace(task, claimed_until=until) if _changed(session, held.values(claimed_until=until)) else None


def let_go(session: Session, tasks: Iterable[FeedTask]) -> None:
    """Give feeds back that were claimed and not asked."""
    for task in tasks:
        _release(session, task, {})


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
    new: int = 0,
    next_check_at: datetime | None = None,
    rhythm: int | None = None,
    newest_at: datetime | None = None,
    permanent_url: str = "",
) -> None:
    """The feed was read, or is unchanged (then most arguments stay away): note it, give the lease back.

    Args:
        new: how many things it brought that we didn't have.
        next_check_at: when to ask again; default: after the feed's interval.
        permanent_url: where the source says that it moved for good. It is believed when seen repeatedly.
    """
    values: dict[str, Any] = {
        "last_checked_at": now,
        "last_success_at": now,
        "last_error": "",
        "failures": 0,
        "next_check_at": next_check_at or now + timedelta(minutes=task.interval),
        **_move(session, task, now, permanent_url),
    }
    given = {
        "etag": etag,
        "last_modified": last_modified,
        "entries_last": entries,
        "rhythm": rhythm,
        "newest_at": newest_at,
    }
    values |= {name: value for name, value in given.items() if value is not None}
    if _release(session, task, values):
        _tally(session, task.id, now, ok=1, items=new)


@dataclass(frozen=True, slots=True)
class Success:
    """A feed that was read, or is as it was (then it says nothing but when to ask again), and did not move.

    Attributes:
        again: when to ask next.
        entries: how many it shows; None if it is as it was.
        new: how many of them we didn't have.
    """

    task: FeedTask
    again: datetime
    entries: int | None = None
    new: int = 0
    etag: str = ""
    last_modified: str = ""
    rhythm: int = 0
    newest_at: datetime | None = None


def record_successes(session: Session, read: Sequence[Success], now: datetime) -> None:
    """Note of many feeds what :func:`record_success` notes of one, and give the leases back, in a few statements."""
    if not read:
        return
    held = dict(
        session.connection()
        .execute(
            select_columns(col(Feed.id), col(Feed.claimed_until))
            .where(among(session, col(Feed.id), [each.task.id for each in read]))
            .order_by(col(Feed.id))
            .with_for_update()
        )
        .all()
    )
    ours = [each for each in read if held.get(each.task.id) == each.task.claimed_until]
    feed = _FEED
    noted = (
        feed.update()
        .where(feed.c.id == bindparam("feed"))
        .values(
            last_checked_at=now,
            last_success_at=now,
            last_error="",
            failures=0,
            moving_to="",
            moving_seen=0,
            moving_since=None,
            claimed_until=None,
            next_check_at=bindparam("again"),
        )
    )
    shown = noted.values(
        etag=bindparam("its_etag"),
        last_modified=bindparam("modified"),
        entries_last=bindparam("shown"),
        rhythm=bindparam("its_rhythm"),
        newest_at=func.coalesce(bindparam("newest", type_=feed.c.newest_at.type), feed.c.newest_at),
    )
    connection = session.connection()
    if same := [{"feed": each.task.id, "again": each.again} for each in ours if each.entries is None]:
        connection.execute(noted, same)
    if changed := [
        {
            "feed": each.task.id,
            "again": each.again,
            "its_etag": each.etag,
            "modified": each.last_modified,
            "shown": each.entries,
            "its_rhythm": each.rhythm,
            "newest": each.newest_at,
        }
        for each in ours
        if each.entries is not None
    ]:
        connection.execute(shown, changed)
    _tally_all(session, {each.task.id: each.new for each in ours}, now)


def _move(session: Session, task: FeedTask, now: datetime, permanent_url: str) -> dict[str, Any]:
    """What a permanent redirect, or that there was none, changes."""
    if not permanent_url or permanent_url == task.url:
        return {"moving_to": "", "moving_seen": 0, "moving_since": None}
    row = session.exec(select(Feed.moving_to, Feed.moving_seen, Feed.moving_since).where(Feed.id == task.id)).first()
    moving_to, seen, since = row or ("", 0, None)
    if moving_to != permanent_url or since is None:
        return {"moving_to": permanent_url, "moving_seen": 1, "moving_since": now}
    if seen + 1 < MOVE_SIGHTINGS or now - since < MOVE_SPAN:
        return {"moving_seen": seen + 1}
    return {"moved_to": permanent_url, "moving_to": "", "moving_seen": 0, "moving_since": None}


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
        "moving_to": "",
        "moving_seen": 0,
        "moving_since": None,
        # An answer that can't be read must not be taken for current by the next conditional request.
        "etag": "",
        "last_modified": "",
        # Of this failure or of none: bytes of an earlier one beside today's reason would mislead.
        "last_failure_body": body[:MAX_FAILURE_BODY] if body else None,
    }
    if _release(session, task, values):
        _tally(session, task.id, now, failed=1)
    return again


def back_off(interval: int, failures: int) -> timedelta:
    """How long to wait after ``failures`` failures in a row: the interval, doubled each time, at most a day."""
    doubled = timedelta(minutes=interval * 2.0 ** min(failures, 16))
    return max(timedelta(minutes=interval), min(doubled, MAX_BACK_OFF))


def retire(session: Session, task: FeedTask, now: datetime, why: str, *, body: bytes | None = None) -> None:
    """The source has ended: it is not polled again; its articles stay."""
    values: dict[str, Any] = {
        "last_checked_at": now,
        "last_error": why,
        "last_error_at": now,
        "retired_at": now,
        "retired_why": why,
        "next_check_at": None,
        "last_failure_body": body[:MAX_FAILURE_BODY] if body else None,
    }
    if _release(session, task, values):
        _tally(session, task.id, now, failed=1)


def postpone(session: Session, feed_ids: Sequence[int], until: datetime) -> None:
    """Don't poll these feeds before ``until``: their host asked for a pause."""
    sooner = or_(col(Feed.next_check_at).is_(None), col(Feed.next_check_at) < until)
    session.exec(update(Feed).where(col(Feed.id).in_(feed_ids), sooner).values(next_check_at=until))


def make_due(session: Session, now: datetime) -> int:
    """Let every feed that is alive be asked next, those that back off included; how many they are.

    Hosts that asked for rest keep it: whoever gathers looks at that itself.
    """
    return _changed(session, update(Feed).where(col(Feed.retired_at).is_(None)).values(next_check_at=now))


def _release(session: Session, task: FeedTask, values: dict[str, Any]) -> bool:
    """Record what became of a claimed feed; False if its lease ran out and somebody else has taken it."""
    statement = update(Feed).where(col(Feed.id) == task.id, col(Feed.claimed_until) == task.claimed_until)
    return _changed(session, statement.values(claimed_until=None, **values)) > 0


def _tally(session: Session, feed_id: int, now: datetime, *, ok: int = 0, failed: int = 0, items: int = 0) -> None:
    """Count a poll in the feed's day."""
    session.execute(_counted(session, now, ok, failed), {"feed_id": feed_id, "brought": items})


def _tally_all(session: Session, brought: Mapping[int, int], now: datetime) -> None:
    """Count a good poll in the day of each feed, with what it brought."""
    if brought:
        rows = [{"feed_id": ident, "brought": new} for ident, new in sorted(brought.items())]
        session.execute(_counted(session, now, 1, 0), rows)


def _counted(session: Session, now: datetime, ok: int, failed: int) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    days = FeedDay.__table__  # type: ignore[attr-defined]
    row = dialect.insert(days).values(
        feed_id=bindparam("feed_id"), day=now.date(), ok=ok, failed=failed, items=bindparam("brought")
    )
    added = {
        "ok": days.c.ok + ok,
        "failed": days.c.failed + failed,
        "items": days.c["items"] + row.excluded["items"],
    }
    return row.on_conflict_do_update(index_elements=["feed_id", "day"], set_=added)


def _changed(session: Session, statement: Update) -> int:
    count: int = session.exec(statement).rowcount
    return count


def give_back(session: Session, worker: str) -> None:
    """Free what a process had claimed that is no more."""
    burial.bury(session, worker)
    session.execute(update(Feed).where(col(Feed.claimed_by) == worker).values(claimed_until=None, claimed_by=""))
