"""How often a source is asked."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.pace import LONGEST_WISH, SLOWEST, HostGate, Rhythm, Wishes, next_poll, rhythm_of, wishes_of
from tests.conftest import NOW  # Thursday, 11:00

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def every(gap: timedelta, count: int = 20, since: timedelta = timedelta()) -> Rhythm:
    return rhythm_of([NOW - since - gap * number for number in range(count)], NOW)


def waits(rhythm: Rhythm = Rhythm(), wishes: Wishes = Wishes(), interval: int = 15) -> timedelta:
    return next_poll(NOW, interval, rhythm, wishes) - NOW


@pytest.mark.parametrize(
    ("gap", "pause"),
    [(5 * MINUTE, 15 * MINUTE), (HOUR, 30 * MINUTE), (4 * HOUR, 2 * HOUR), (24 * HOUR, SLOWEST), (90 * 24 * HOUR, SLOWEST)],
)  # fmt: skip
def test_a_source_is_asked_twice_as_often_as_it_has_news_within_bounds(gap: timedelta, pause: timedelta) -> None:
    assert waits(every(gap)) == pause


def test_the_longer_a_source_is_silent_the_more_rarely_it_is_asked() -> None:
    pauses = [waits(every(MINUTE, since=hours * HOUR)) for hours in (0, 1, 4, 8, 16, 48)]
    assert pauses == [15 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, SLOWEST]


def test_a_few_dates_or_dates_in_the_future_make_no_rhythm() -> None:
    assert every(HOUR, count=4).gap is None
    assert every(HOUR, count=4).newest == NOW
    assert rhythm_of([NOW + HOUR * number for number in range(1, 9)], NOW) == Rhythm()
    assert rhythm_of([NOW, None] * 9, NOW) == Rhythm(None, NOW)  # all at once: a rhythm of nothing


def test_an_editors_interval_is_never_undercut() -> None:
    assert waits(every(MINUTE), interval=600) == 600 * MINUTE


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Cache-Control": "public, max-age=3600"}, HOUR),
        ({"Cache-Control": "max-age=3600", "Age": "1800"}, HOUR / 2),
        ({"Cache-Control": "s-maxage=7200"}, 15 * MINUTE),
        ({"Cache-Control": "no-cache, max-age=3600"}, 15 * MINUTE),
        ({"Cache-Control": "max-age=99999999"}, LONGEST_WISH),
        ({"Cache-Control": "max-age=soon"}, 15 * MINUTE),
        ({"Expires": "Thu, 12 Mar 2026 13:00:00 GMT", "Date": "Thu, 12 Mar 2026 11:00:00 GMT"}, 2 * HOUR),
        ({"Expires": "0", "Date": "Thu, 12 Mar 2026 11:00:00 GMT"}, 15 * MINUTE),
        ({}, 15 * MINUTE),
    ],
)
def test_what_cache_headers_ask_for_is_honoured(headers: dict[str, str], pause: timedelta) -> None:
    assert waits(wishes=wishes_of(headers)) == pause


@pytest.mark.parametrize(("ttl", "minutes"), [(None, 15), (5, 15), (60, 60), (100_000, 360)])
def test_a_ttl_is_honoured_up_to_a_limit(ttl: int | None, minutes: int) -> None:
    assert waits(wishes=wishes_of({}, b"", ttl)) == minutes * MINUTE


def test_hours_and_days_to_skip_are_left_out() -> None:
    body = b"<rss><channel><skipHours><hour>11</hour><hour>12</hour></skipHours><skipDays><day>Friday</day></skipDays>"
    wishes = wishes_of({}, body)
    assert (wishes.skip_hours, wishes.skip_days) == ({11, 12}, {4})
    assert waits(wishes=wishes) == 2 * HOUR
    assert waits(wishes=wishes, interval=14 * 60) == 37 * HOUR  # Friday 01:00 becomes Saturday 00:00


def test_a_feed_that_asks_to_be_skipped_always_is_not() -> None:
    assert waits(wishes=Wishes(skip_hours=frozenset(range(24)))) == 15 * MINUTE


@given(
    st.integers(1, 10_000),
    st.lists(st.integers(-(10**6), 10**6), max_size=40),
    st.integers(0, 10**6),
    st.frozensets(st.integers(0, 23)),
)
def test_a_poll_comes_never_before_the_interval_and_never_too_late(interval, minutes, wish, hours) -> None:
    rhythm = rhythm_of([NOW - number * MINUTE for number in minutes], NOW)
    pause = waits(rhythm, Wishes(timedelta(minutes=wish), hours), interval)
    assert interval * MINUTE <= pause <= max(interval * MINUTE, LONGEST_WISH) + timedelta(days=3)


def test_a_host_is_asked_two_things_at_once_and_only_after_a_gap() -> None:
    now = 100.0
    gate = HostGate(2, 0.5, unhurried=lambda host: host == "own", clock=lambda: now)
    assert gate.wait("a") == 0
    gate.begin("a")
    assert (gate.wait("a"), gate.wait("b")) == (0.5, 0)
    now += 0.5
    assert gate.wait("a") == 0
    gate.begin("a")
    assert gate.wait("a") is None
    gate.end("a")
    assert gate.wait("a") == 0.5
    gate.begin("own")
    assert gate.wait("own") == 0


def test_a_slow_request_gives_its_place_at_the_host_to_another_but_only_a_few_may() -> None:
    gate = HostGate(1, 0.0, slow=2.0, slow_per_host=2, unhurried=lambda host: host == "own", clock=lambda: 100.0)
    for host, places in {"a": [0.0, None], "own": [0.0, 0.0]}.items():
        found = []
        for _ in range(2):
            gate.begin(host)
            assert gate.wait(host) is None
            gate.is_slow(host)
            found.append(gate.wait(host))
        assert found == places, host
    assert gate.patience("b") == 2.0
    assert gate.patience("a") < 2.0  # another slow one there is no surprise
    gate.end("a", was_slow=True)
    assert gate.wait("a") == 0.0
