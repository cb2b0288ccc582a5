"""Buckets and days, on both databases."""

import threading
from datetime import date, timedelta

import pytest

from digest.domain.limits import REST, Slowed
from digest.store import limits
from digest.store.database import Database
from tests.conftest import NOW  # type: ignore[import-not-found]

SECOND = timedelta(seconds=1)
DAY = date(2026, 3, 12)


def take(db: Database, wanted: int, rate: float, at: float, **how: timedelta) -> tuple[int, float]:
    """How many tokens came, and when they are usable, in seconds from NOW."""
    with db.write() as session:
        grant = limits.take(session, "sender", wanted, rate, NOW + at * SECOND, **how)
    return grant.count, round((grant.usable_at - NOW) / SECOND, 3)


def test_tokens_come_at_the_rate_and_gather_no_longer_than_the_burst(db: Database) -> None:
    assert take(db, 10, 5, 0) == (1, 0.0), "one at once"
    assert take(db, 10, 5, 0.1) == (0, 0.1)
    assert take(db, 10, 5, 1, burst=SECOND) == (5, 1.0)
    assert take(db, 10, 5, 100, burst=SECOND) == (5, 100.0), "not those of 99 seconds"


def test_tokens_that_are_not_there_yet_can_be_taken_ahead_and_used_when_they_are(db: Database) -> None:
    hour = timedelta(hours=1)
    assert take(db, 10, 10, 0, ahead=hour) == (10, 0.9)
    assert take(db, 10, 10, 0, ahead=hour) == (10, 1.9)
    assert take(db, 1, 10, 0) == (0, 1.9), "everybody else waits behind them"
    assert take(db, 1, 10, 2) == (1, 2.0)


def test_tokens_are_given_back_only_while_nobody_else_took_any(db: Database) -> None:
    hour = timedelta(hours=1)
    with db.write() as session:
        grant = limits.take(session, "sender", 10, 10, NOW, ahead=hour)
        limits.give_back(session, "sender", grant, 4, 10)
    assert take(db, 1, 10, 0, ahead=hour) == (1, 0.6)
    with db.write() as session:
        limits.give_back(session, "sender", grant, 4, 10)
    assert take(db, 1, 10, 0, ahead=hour) == (1, 0.7)


def test_rates_may_be_below_one_a_second_and_counts_large(db: Database) -> None:
    assert take(db, 1, 0.01, 0) == (1, 0.0)
    assert take(db, 1, 0.01, 99) == (0, 99.0)
    assert take(db, 1, 0.01, 100) == (1, 100.0)
    assert take(db, 1_000_000, 0.5, 200, ahead=timedelta(days=365)) == (1_000_000, pytest.approx(2_000_198))


def test_workers_that_ask_at_the_same_moment_share_what_there_is(db: Database) -> None:
    got: list[int] = []

    def ask() -> None:
        for _ in range(20):
            with db.write() as session:
                got.append(limits.take(session, "sender", 3, 100, NOW, burst=SECOND).count)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 100


def test_a_day_gives_no_more_than_its_cap_and_takes_back_what_was_not_sent(db: Database) -> None:
    with db.write() as session:
        taken = [limits.take_of_day(session, "s", DAY, wanted, 50) for wanted in (30, 30, 30)]
        assert taken == [30, 20, 0]
        limits.give_back_of_day(session, "s", DAY, 5)
        assert limits.sent_on(session, "s", DAY) == 45
        assert limits.take_of_day(session, "s", DAY, 30, 50) == 5
        assert limits.take_of_day(session, "s", DAY, 30, 40) == 0, "a cap that was lowered meanwhile"
        assert limits.take_of_day(session, "other", DAY, 30, 0) == 0
        assert limits.sent_on(session, "s", DAY) == 50


def test_days_are_counted_on_which_something_was_sent(db: Database) -> None:
    with db.write() as session:
        for days_ago, count in ((5, 3), (4, 0), (2, 1), (0, 9)):
            limits.take_of_day(session, "s", DAY - timedelta(days=days_ago), count, 10)
        assert limits.days_before(session, "s", DAY) == 2


def test_a_domain_is_slowed_once_for_many_that_ask_at_the_same_time(db: Database) -> None:
    with db.write() as session:
        limits.slow_down(session, "s/x.example", Slowed(5.0, NOW))
        limits.slow_down(session, "s/x.example", Slowed(2.5, NOW + REST / 2))
        assert limits.slowed(session) == {"s/x.example": Slowed(5.0, NOW)}
        limits.slow_down(session, "s/x.example", Slowed(2.5, NOW + REST))
        assert limits.slowed(session, ["s/x.example"]) == {"s/x.example": Slowed(2.5, NOW + REST)}
        assert limits.slowed(session, ["s/y.example"]) == {}
