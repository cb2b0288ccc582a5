"""Feeds in the database: claimed by one, due in time."""

import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from digest.store import feeds
from digest.store.database import Database
from digest.store.tables import Feed
from tests.conftest import NOW

MINUTE = timedelta(minutes=1)


def add(db: Database, **fields: object) -> int:
    with db.write() as session:
        feed = Feed(**({"url": "https://a.example/feed", "name": "A"} | fields))
        session.add(feed)
        session.flush()
        assert feed.id is not None
        return feed.id


def get(db: Database, ident: int) -> Feed:
    with db.read() as session:
        return session.exec(select(Feed).where(Feed.id == ident)).one()


def claim(db: Database, ident: int, now=NOW) -> feeds.FeedTask | None:
    with db.write() as session:
        return feeds.claim(session, ident, now, MINUTE)


def test_of_many_who_want_a_feed_at_once_one_gets_it(db: Database) -> None:
    ident, start = add(db), threading.Barrier(6)
    got: list[object] = []

    def want() -> None:
        start.wait()
        got.append(claim(db, ident))

    threads = [threading.Thread(target=want) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([task for task in got if task]) == 1


def test_a_claim_ends_with_its_lease_or_its_result(db: Database) -> None:
    ident = add(db)
    task = claim(db, ident)
    assert task is not None
    assert claim(db, ident, NOW + MINUTE - timedelta(seconds=1)) is None
    second = claim(db, ident, NOW + MINUTE)
    assert second is not None
    with db.write() as session:
        feeds.record_success(session, task, NOW + MINUTE, etag="late")  # the first one comes back too late
    assert (get(db, ident).etag, get(db, ident).claimed_until) == ("", second.claimed_until)
    with db.write() as session:
        feeds.record_success(session, second, NOW + MINUTE, etag="v2")
    assert (get(db, ident).etag, get(db, ident).claimed_until) == ("v2", None)


def test_feeds_wait_in_the_order_in_which_they_became_due(db: Database) -> None:
    for number, due in enumerate([NOW, NOW - MINUTE, None, NOW + MINUTE]):
        add(db, url=f"https://a.example/{number}", next_check_at=due)
    add(db, url="https://a.example/4", retired_at=NOW)
    add(db, url="https://a.example/5", moved_to="https://b.example/5", next_check_at=NOW - 2 * MINUTE)
    with db.read() as session:
        due = [url for _, url in feeds.waiting(session, NOW, due_only=True)]
        everything = [url for _, url in feeds.waiting(session, NOW, due_only=False)]
    assert [url[-1] for url in due] == ["2", "5", "1", "0"]
    assert "https://b.example/5" in due
    assert len(everything) == 5


@pytest.mark.parametrize(("retry_after", "minutes"), [(None, 30), (60, 30), (7200, 120), (10**8, 7 * 24 * 60)])
def test_a_failure_waits_for_the_longer_of_back_off_and_retry_after(db: Database, retry_after, minutes: int) -> None:
    ident = add(db, etag="v1", last_modified="then")
    task = claim(db, ident)
    assert task is not None
    with db.write() as session:
        feeds.record_failure(session, task, NOW, "why", body=bytes(300_000), retry_after=retry_after)
    feed = get(db, ident)
    assert feed.next_check_at == NOW + minutes * MINUTE
    assert (feed.failures, feed.last_error, feed.last_error_at, feed.etag) == (1, "why", NOW, "")
    assert feed.last_failure_body is not None
    assert len(feed.last_failure_body) == feeds.MAX_FAILURE_BODY


@given(st.integers(1, 10_000), st.integers(1, 1_000))
def test_back_off_grows_to_a_day_and_never_falls_below_the_interval(interval: int, failures: int) -> None:
    pause, longer = feeds.back_off(interval, failures), feeds.back_off(interval, failures + 1)
    assert interval * MINUTE <= pause <= longer
    assert longer <= max(timedelta(days=1), interval * MINUTE)
