"""Subscriptions to hubs: which are wanted, asked for, active; which need something done."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlmodel import Session, col, select, update

from digest.store.tables import Feed, WebSub

ANSWER_WITHIN = timedelta(hours=1)
"""A hub that has not verified a request by then is asked again."""
ASK_AGAIN = timedelta(days=7)
"""A hub that refused is asked again: refusals are often a matter of the day."""
MAX_BACK_OFF = timedelta(days=1)
RENEW_BEFORE = timedelta(days=1)
POLL_WHILE_ACTIVE = timedelta(hours=3)
"""A feed whose news is pushed is still polled, this seldom: hubs lose things."""

JUST_NOW = timedelta(minutes=15)
"""Only a poll of just now is followed by a long pause: what was set by hand or by ``poll_now`` stays."""


class HubLink(Protocol):
    """A hub and a feed's name there."""

    @property
    def url(self) -> str: ...
    @property
    def topic(self) -> str: ...


def get(session: Session, feed_id: int) -> WebSub | None:
    """The subscription of a feed."""
    return session.get(WebSub, feed_id)


def note(session: Session, feed_id: int, hub: HubLink | None, now: datetime) -> None:
    """What a feed says of its hub now, as :func:`note_all` keeps it."""
    note_all(session, {feed_id: hub}, now)


def note_all(session: Session, hubs: Mapping[int, HubLink | None], now: datetime) -> None:
    """What feeds say of their hubs now: a new one is to be asked, one that is no longer named is left."""
    rows = {row.feed_id: row for row in session.exec(select(WebSub).where(col(WebSub.feed_id).in_(hubs)))}
    for feed_id, hub in hubs.items():
        row = rows.get(feed_id)
        if hub is None:
            if row is not None and row.state in ("asked", "active", "wanted"):
                row.state, row.act_at, row.why = "leaving", now, "the feed no longer names a hub"
            continue
        if row is not None and (row.hub, row.topic) == (hub.url, hub.topic) and row.state not in ("leaving", "ended"):
            continue
        row = row or WebSub(feed_id=feed_id, hub="", topic="", secret="")
        row.hub, row.topic, row.secret = hub.url, hub.topic, secrets.token_hex(32)
        row.state, row.act_at, row.asked_at, row.lease_until, row.failures, row.why = "wanted", now, None, None, 0, ""
        session.add(row)


def leave_retired(session: Session, now: datetime) -> None:
    """Feeds that are retired leave their hubs."""
    retired = select(Feed.id).where(col(Feed.retired_at).is_not(None))
    session.exec(
        update(WebSub)
        .where(col(WebSub.feed_id).in_(retired), col(WebSub.state).in_(("wanted", "asked", "active", "refused")))
        .values(state="leaving", act_at=now, why="the feed is retired")
    )


def due(session: Session, now: datetime) -> list[int]:
    """Feeds whose subscription needs something done."""
    query = select(WebSub.feed_id).where(col(WebSub.act_at).is_not(None), col(WebSub.act_at) <= now)
    return list(session.exec(query.order_by(col(WebSub.act_at), col(WebSub.feed_id))))


def claim(session: Session, feed_id: int, now: datetime) -> WebSub | None:
    """Take what is due for the time that a hub needs to answer; None if another process was quicker."""
    statement = update(WebSub).where(col(WebSub.feed_id) == feed_id, col(WebSub.act_at) <= now)
    count: int = session.exec(statement.values(act_at=now + ANSWER_WITHIN)).rowcount
    return session.exec(select(WebSub).where(WebSub.feed_id == feed_id)).one() if count else None


def change(session: Session, feed_id: int, **values: Any) -> None:
    """Write what became of a subscription."""
    session.exec(update(WebSub).where(col(WebSub.feed_id) == feed_id).values(**values))


def back_off(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: an hour, doubled each time, at most a day."""
    return min(timedelta(hours=2.0 ** min(failures - 1, 10)), MAX_BACK_OFF)


def poll_seldom(session: Session, now: datetime) -> None:
    """Feeds with an active subscription are polled every ``POLL_WHILE_ACTIVE``, unless something went wrong."""
    query = (
        select(Feed.id, Feed.last_success_at, Feed.next_check_at, WebSub.pushed_at)
        .join(WebSub, col(WebSub.feed_id) == col(Feed.id))
        .where(WebSub.state == "active", col(WebSub.lease_until) > now, Feed.failures == 0)
        .where(col(Feed.last_success_at) >= now - JUST_NOW)
    )
    for feed_id, read_at, next_check_at, pushed_at in session.exec(query).all():
        if read_at is None or (pushed_at is not None and pushed_at > read_at):
            continue
        until = read_at + POLL_WHILE_ACTIVE
        if next_check_at is None or next_check_at < until:
            session.exec(update(Feed).where(col(Feed.id) == feed_id).values(next_check_at=until))


def poll_now(session: Session, feed_id: int, now: datetime) -> None:
    """The hub is silent: polling takes over at once."""
    statement = update(Feed).where(col(Feed.id) == feed_id, col(Feed.retired_at).is_(None), Feed.failures == 0)  # type: ignore[arg-type]
    session.exec(statement.values(next_check_at=now))
