"""Dates that lie, and what pages call themselves."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.domain.content import Entry
from digest.feeds import honest
from tests.conftest import NOW

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PLAIN = "https://a.example/story"


def dated(told: datetime | None, url: str = PLAIN, *, first_read: bool = False) -> datetime | None:
    return honest.published(Entry("", url, "T", published_at=told), url, NOW, first_read=first_read)


def test_an_honest_date_stays() -> None:
    assert dated(NOW - 3 * HOUR) == NOW - 3 * HOUR
    assert dated(NOW - 3 * HOUR, "https://a.example/2026/03/12/story") == NOW - 3 * HOUR
    assert dated(NOW - 3 * HOUR, "https://a.example/2026/03/11/story") == NOW - 3 * HOUR  # the evening before


@pytest.mark.parametrize("ahead", [HOUR, 8 * HOUR, 14 * HOUR])
def test_a_date_in_the_near_future_is_a_wrong_zone_and_counts_as_now(ahead: timedelta) -> None:
    assert dated(NOW + ahead) == NOW


def test_a_date_far_ahead_says_nothing_so_a_standing_item_is_no_news_when_its_feed_is_first_read() -> None:
    assert dated(NOW + 400 * DAY) is None  # the store takes that for now
    assert dated(NOW + 400 * DAY, first_read=True) == NOW - honest.BACKLOG
    both = Entry("", PLAIN, "T", published_at=NOW + 400 * DAY, updated_at=NOW - DAY)
    assert honest.published(both, PLAIN, NOW, first_read=True) == NOW - DAY


@pytest.mark.parametrize("path", ["2019/05/02", "2019/5/2", "2019-05-02", "news/2019/05/02"])
def test_an_old_item_that_is_published_again_keeps_the_day_in_its_address(path: str) -> None:
    assert dated(NOW - HOUR, f"https://a.example/{path}/story") == datetime(2019, 5, 2, tzinfo=UTC)


@pytest.mark.parametrize("path", ["2019/13/02", "2019/02/31", "12019/05/02", "2019/05", "reports-2019/05/02x"])
def test_other_numbers_in_an_address_are_no_day(path: str) -> None:
    assert dated(NOW - HOUR, f"https://a.example/{path}/story") == NOW - HOUR


def test_items_without_a_date_are_new_unless_their_feed_is_read_for_the_first_time() -> None:
    assert dated(None) is None  # the store takes that for now
    assert dated(None, first_read=True) == NOW - honest.BACKLOG
    assert dated(None, "https://a.example/2026/03/12/x", first_read=True) is None  # from today
    assert dated(None, "https://a.example/2026/03/09/x") == datetime(2026, 3, 9, tzinfo=UTC)


def test_a_page_that_is_older_than_its_feed_says_is_believed() -> None:
    assert honest.older(NOW, NOW - 3 * DAY) == NOW - 3 * DAY
    assert honest.older(NOW, NOW - DAY) is None  # zones, a late edition
    assert honest.older(NOW, NOW + 9 * DAY) is None
    assert honest.older(NOW, None) is None


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ('<link rel="canonical" href="https://a.example/real?utm_source=x">', "https://a.example/real"),
        ("<link rel=canonical href=/real>", "https://a.example/real"),
        ('<link rel="nofollow Canonical" href="https://b.example/original">', "https://b.example/original"),
        ('<link rel="canonical" href="/">', PLAIN),
        ('<link rel="canonical" href="https://b.example">', PLAIN),
        ('<link rel="canonical" href="javascript:alert(1)">', PLAIN),
        ('<link rel="canonical">', PLAIN),
        ('<link rel="stylesheet" href="/real">', PLAIN),
        ("", PLAIN),
    ],
)
def test_the_address_that_a_page_names(link: str, expected: str) -> None:
    page = f"<!doctype html><html><head>{link}</head><body>text</body></html>".encode()
    assert honest.own_address(page, f"{PLAIN}?utm_medium=rss#top") == expected


@pytest.mark.parametrize(
    "end",
    [
        "https://a.example/",
        "https://a.example",
        "https://consent.a.example/v2?continue=x",
        "https://a.example/login?next=/story",
        "https://a.example/404",
    ],
)
def test_a_front_page_and_a_gate_are_no_articles_address(end: str) -> None:
    assert honest.own_address(b"<html><head></head></html>", end) == ""
    gate = b'<link rel="canonical" href="https://a.example/sign-in">'
    assert (
        honest.own_address(gate, "https://a.example/logins-at-banks-fall") == "https://a.example/logins-at-banks-fall"
    )


@pytest.mark.parametrize("page", [b"", b"\x00\xff\xfe", b"<", b"<link" * 1000])
def test_no_page_is_too_broken_to_have_the_address_at_which_it_was_found(page: bytes) -> None:
    assert honest.own_address(page, PLAIN) == PLAIN
