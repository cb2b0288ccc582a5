"""The feeds at the desk, over real HTTP."""

from datetime import timedelta

import pytest

from digest.store.tables import Feed, FeedDay
from digest.web.desk.feeds import as_text, span
from tests.web.desk_house import sign_in

HOSTILE = b"<!doctype html><script>alert(1)</script>\x00\x1b[2J"


@pytest.fixture
def feeds(ctx, client) -> None:
    now = ctx.clock()
    with ctx.db.write() as session:
        session.add(Feed(url="https://a.example/feed", name="Well <b>Wire</b>", last_success_at=now, newest_at=now))
        session.add(
            Feed(
                url="https://b.example/feed",
                name="Poor Post",
                failures=6,
                last_error="answered 503",
                last_error_at=now,
                last_failure_body=HOSTILE,
            )
        )
        session.add(Feed(url="https://c.example/feed", name="Old Gazette", retired_at=now, retired_why="410 Gone"))
        session.flush()
        for back in range(3):
            session.add(FeedDay(feed_id=2, day=(now - timedelta(days=back)).date(), ok=back, failed=2, items=back))
    sign_in(ctx, client)


def test_feeds_in_trouble_come_first_with_their_reason_and_thirty_days(feeds, client) -> None:
    page = client.get("/desk/feeds").text
    places = [page.index(words) for words in ("Poor Post", "Well &lt;b&gt;Wire", "Old Gazette")]
    assert places == sorted(places)
    assert "failing × 6" in page
    assert "answered 503" in page
    assert 'aria-label="Last 30 days: 2 days with failures, 1 day with nothing but failures; 3 new items"' in page
    only = client.get("/desk/feeds?state=ended").text
    assert ("Old Gazette" in only, "Poor Post" in only) == (True, False)


def test_what_a_source_sent_is_shown_as_text_that_can_do_nothing(feeds, client) -> None:
    page = client.get("/desk/feeds/2").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;·" in page
    assert "<script>alert" not in page
    raw = client.get("/desk/feeds/2/failure")
    assert raw.content == HOSTILE
    assert raw.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert raw.headers["X-Content-Type-Options"] == "nosniff"
    assert raw.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")


@pytest.mark.parametrize("path", ["/desk/feeds/99", "/desk/feeds/1/failure", "/desk/feeds/99/failure"])
def test_what_is_not_there_is_said_so(path: str, feeds, client) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/desk/feeds", "/desk/feeds/2", "/desk/feeds/2/failure"])
def test_nobody_looks_without_signing_in(path: str, ctx, client) -> None:
    assert client.get(path, allow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (40, "40 s"), (660, "11 min"), (5400, "1.5 h"), (7200, "2 h"), (259_200, "3 days"), (-5, "0 s")],
)
def test_lengths_of_time_are_said_in_their_largest_unit(seconds: float | None, words: str) -> None:
    assert span(seconds) == words


def test_bytes_that_are_no_text_are_dots() -> None:
    assert as_text(b"a\x00\x1b\r\nb\xff") == "a··\nb\ufffd"
