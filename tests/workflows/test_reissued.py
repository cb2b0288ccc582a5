"""Ids and addresses that feeds change, share, leave out or issue again: nothing becomes news twice, nothing is lost."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from sqlmodel import select
from werkzeug import Request, Response

from digest.domain.calendar import Window
from digest.feeds.fetch import Fetcher
from digest.store import articles
from digest.store.database import Database
from digest.store.tables import Article, ArticleFeed, Feed
from digest.workflows.context import Context
from digest.workflows.gather import gather
from tests.conftest import NOW, Clock
from tests.web.house import make_context
from tests.workflows.test_gather import item, rss

DAY = timedelta(days=1)
TODAY = "Fri, 13 Mar 2026 09:00:00 GMT"
FIRST = item(1)  # of Thursday; link https://news.example/1, guid id-1


@pytest.fixture
def ctx(db: Database, clock: Clock, tmp_path: Path) -> Iterator[Context]:
    fetcher = Fetcher(frozenset({"127.0.0.1", "localhost"}))
    yield replace(make_context(db, clock, tmp_path), fetcher=fetcher)
    fetcher.close()


@pytest.fixture
def shows(ctx: Context, httpserver: HTTPServer) -> Callable[..., int]:
    """Has feeds show items, gathers, and says how many articles are new."""
    shown: dict[str, str] = {}
    httpserver.expect_request("/feed").respond_with_handler(lambda request: Response(shown[request.args["n"]]))

    def show(*items: str, feed: str = "1") -> int:
        if feed not in shown:
            with ctx.db.write() as session:
                session.add(Feed(url=f"{httpserver.url_for('/feed')}?n={feed}", name=f"Source {feed}"))
        shown[feed] = rss(*items)
        return gather(ctx).articles_new

    return show


def titles(ctx: Context, day: int) -> list[str]:
    """What an issue of that day may choose from: articles of the twenty-four hours until an hour from now."""
    end = NOW + day * DAY + timedelta(hours=1)
    with ctx.db.read() as session:
        return [each.title for each in articles.candidates(session, Window(end - DAY, end))]


def stored(ctx: Context) -> list[Article]:
    with ctx.db.read() as session:
        return list(session.exec(select(Article).order_by(Article.id)))  # type: ignore[arg-type]


AGAIN = {
    "as it was": item(1),
    "with another id": item(1, guid="id-9"),
    "without an id": item(1, guid=""),
    "with a new date": item(1, date=TODAY),
    "with another id and a new date": item(1, guid="id-9", date=TODAY),
    "without id and date": item(1, guid="", date=""),
    "with a corrected title, another id and a new date": item(1, title="Headline no. 1, corrected", guid="id-9", date=TODAY),
    "at a new address": item(1, link="https://news.example/one"),
    "at a new address with a new date": item(1, link="https://news.example/one", date=TODAY),
    "at a new address with another id": item(1, link="https://news.example/one", guid="id-9"),
    "at a new address without an id": item(1, link="https://news.example/one", guid=""),
    "with counters in its address": item(1, link="https://news.example/1?utm_source=rss&amp;fbclid=7#top", guid="id-9", date=TODAY),
    "without encryption": item(1, link="http://news.example/1", guid="id-9", date=TODAY),
    "in capitals and with a port": item(1, link="HTTPS://News.Example:443/1", guid="", date=TODAY),
    "by way of an aggregator": item(1, link="https://www.google.com/url?url=https%3A%2F%2Fnews.example%2F1", guid="x", date=TODAY),
}  # fmt: skip


@pytest.mark.parametrize("how", AGAIN)
def test_an_item_that_is_issued_again_the_next_day_is_no_news(how: str, shows, ctx: Context, clock: Clock) -> None:
    assert shows(FIRST) == 1
    assert titles(ctx, 0) == ["Headline number 1"]
    clock.advance(days=1)
    assert shows(AGAIN[how], item(2, date=TODAY)) == 1
    assert titles(ctx, 1) == ["Headline number 2"]
    assert len(stored(ctx)) == 2


def test_an_unencrypted_link_is_known_when_it_becomes_an_encrypted_one_and_in_another_feed(shows, ctx: Context) -> None:
    assert shows(item(1, link="http://news.example/1")) == 1
    assert shows(item(1, link="https://news.example/1", guid="")) == 0
    assert shows(item(1, link="https://news.example/1"), item(2), feed="2") == 1
    (first, _) = stored(ctx)
    with ctx.db.read() as session:
        assert len(session.exec(select(ArticleFeed).where(ArticleFeed.article_id == first.id)).all()) == 2


def test_two_feeds_that_first_show_it_in_the_same_run_under_both_schemes_make_one_row(
    shows, ctx: Context, httpserver
) -> None:
    with ctx.db.write() as session:
        session.add(Feed(url=httpserver.url_for("/other"), name="Other"))
    httpserver.expect_request("/other").respond_with_data(rss(item(1, link="http://news.example/1", guid="o")))
    assert shows(item(1)) == 1
    with ctx.db.read() as session:
        assert len(session.exec(select(ArticleFeed)).all()) == 2


LOST = {
    "one id for all": [item(n, guid="same") for n in (1, 2, 3)],
    "one id for two": [item(1, guid="same"), item(2, guid="same"), item(3)],
    "no ids": [item(n, guid="") for n in (1, 2, 3)],
    "one title for all": [item(n, title="Morning briefing") for n in (1, 2, 3)],
    "one title and no ids": [item(n, title="Morning briefing", guid="", date=f"Thu, 12 Mar 2026 0{n}:00:00 GMT") for n in (1, 2, 3)],
    "no dates": [item(n, date="") for n in (1, 2, 3)],
}  # fmt: skip


@pytest.mark.parametrize("how", LOST)
def test_items_that_look_alike_are_all_kept_at_once_or_one_after_another(
    how: str, shows, ctx: Context, clock: Clock
) -> None:
    assert shows(*LOST[how]) == 3
    for new in LOST[how]:
        clock.advance(minutes=15)
        shows(new, feed="one at a time")
    assert len(stored(ctx)) == 3
    with ctx.db.read() as session:
        assert len(session.exec(select(ArticleFeed)).all()) == 6


@pytest.mark.parametrize(
    ("title", "date"),
    [("Press release", "Thu, 12 Mar 2026 09:00:00 GMT"), ("Notice of a vote on fees", "Thu, 12 Mar 2026 00:00:00 GMT")],
)
def test_items_with_a_common_title_and_one_date_are_all_kept_as_they_come(
    title: str, date: str, shows, ctx: Context
) -> None:
    for number in (1, 2, 3):
        assert shows(item(number, title=title, date=date)) == 1
    assert len(stored(ctx)) == 3


def test_an_id_that_is_given_to_another_item_later_loses_neither(shows, ctx: Context, clock: Clock) -> None:
    shows(item(1, guid="7", title="Whales sing in the northern bay"))
    clock.advance(days=1)
    assert shows(item(2, guid="7", title="Bridges rust faster than banks said", date=TODAY)) == 1
    assert titles(ctx, 1) == ["Bridges rust faster than banks said"]


def test_a_feed_with_one_id_for_all_loses_none_of_them_as_they_come(shows, ctx: Context, clock: Clock) -> None:
    together = [item(n, guid="same") for n in range(1, 6)]
    for number in range(2, 6):
        shows(*together[:number], feed="grows")
        clock.advance(minutes=15)
    for n, day in enumerate(("12", "13", "14")):
        clock.now = NOW + n * DAY
        date = f"{('Thu', 'Fri', 'Sat')[n]}, {day} Mar 2026 09:00:00 GMT"
        assert shows(item(10 + n, guid="same", title=f"Briefing of {day} March", date=date), feed="one at a time") == 1
    assert len(stored(ctx)) == 8


LIES = {
    "years ahead": "Tue, 01 Jan 2030 00:00:00 GMT",
    "years ago": "Sat, 01 Jan 2000 00:00:00 GMT",
    "before computers": "Thu, 01 Jan 1970 00:00:00 GMT",
    "nonsense": "the day after tomorrow",
    "missing": "",
}


@pytest.mark.parametrize("how", LIES)
def test_a_standing_item_whose_date_lies_is_no_news_when_its_feed_is_first_read(how: str, shows, ctx: Context) -> None:
    assert shows(item(1, date=LIES[how]), item(2)) == 2
    assert titles(ctx, 0) == ["Headline number 2"]


def test_a_wrong_zone_neither_hides_an_item_nor_brings_it_twice(shows, ctx: Context, clock: Clock) -> None:
    local = "Thu, 12 Mar 2026 19:30:00 GMT"  # 11:00 there, labelled wrongly
    assert shows(item(1, date=local)) == 1
    assert titles(ctx, 0) == ["Headline number 1"]
    clock.advance(days=1)
    assert shows(item(1, date=local)) == 0
    assert titles(ctx, 1) == []


@pytest.mark.parametrize("full_text", [True, False])
def test_a_detour_and_the_address_that_a_page_calls_its_own_lead_to_one_row_that_knows_both_feeds(
    full_text: bool, ctx: Context, httpserver: HTTPServer
) -> None:
    host = httpserver.url_for("").rstrip("/")
    words = "<p>" + "The ministry said on Thursday that the pilot will run until the end of the year. " * 4 + "</p>"
    page = f'<html><head><link rel="canonical" href="/story"></head><body><article><h1>Headline number 1</h1>{words}</article></body></html>'
    hops: list[str] = []

    def hop(request: Request) -> Response:
        hops.append(request.path)
        return Response(status=302, headers={"Location": "/amp/story"})

    httpserver.expect_request("/go/1").respond_with_handler(hop)
    httpserver.expect_request("/amp/story").respond_with_data(page, content_type="text/html")
    httpserver.expect_request("/story").respond_with_data(page, content_type="text/html")
    for number, link in enumerate((f"{host}/go/1", f"{host}/story")):
        httpserver.expect_request(f"/feed/{number}").respond_with_data(rss(item(1, link=link, guid="")))
    with ctx.db.write() as session:
        session.add_all([Feed(url=f"{host}/feed/{n}", name=f"Source {n}", full_text=full_text) for n in range(2)])
    gather(ctx)
    (article,) = stored(ctx)
    assert (article.url, bool(article.text)) == (f"{host}/story", full_text)
    with ctx.db.read() as session:
        assert sorted(session.exec(select(ArticleFeed.feed_id)).all()) == [1, 2]
    assert gather(ctx).articles_new == 0
    assert hops == ["/go/1"]  # once: from then on its feed is known to mean the article


def test_a_page_behind_a_gate_keeps_the_address_of_its_feed(ctx: Context, httpserver: HTTPServer) -> None:
    host = httpserver.url_for("").rstrip("/")
    for n in (1, 2):
        httpserver.expect_request(f"/{n}").respond_with_data(
            "", status=302, headers={"Location": f"/consent?next=/{n}"}
        )
    httpserver.expect_request("/consent").respond_with_data(
        f"<html><body><h1>We value your privacy</h1>{'<p>We and our partners keep things on your device, and you agree to it here.</p>' * 9}</body></html>"
    )
    httpserver.expect_request("/feed").respond_with_data(rss(item(1, host=host), item(2, host=host)))
    with ctx.db.write() as session:
        session.add(Feed(url=f"{host}/feed", name="Source", full_text=True))
    assert gather(ctx).pages_failed == 2
    assert [(article.url, article.text) for article in stored(ctx)] == [(f"{host}/1", ""), (f"{host}/2", "")]
