"""Every kind of source from the newsroom's files over HTTP to rows; a site's address to its feed; lists in and out."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from sqlmodel import select

from digest.domain.newsroom import FeedSpec, Newsroom
from digest.domain.source_rules import JsonRules, PageRules
from digest.errors import ForbiddenAddress, ParseError, UsageError
from digest.feeds.fetch import Fetcher
from digest.newsroom.diff import plan
from digest.newsroom.read import load
from digest.newsroom.write import export
from digest.store import quotes
from digest.store.database import Database
from digest.store.newsroom import read_newsroom, write_newsroom
from digest.store.tables import Article, Feed, NewsroomItem
from digest.workflows import feeds
from digest.workflows.context import Context
from digest.workflows.gather import gather
from tests.conftest import Clock
from tests.feeds.test_sitemap import SITEMAP
from tests.feeds.test_source_rules import PAGE
from tests.web.house import make_context
from tests.workflows.test_gather import item, rss

ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Club night\r\n"
    "DTSTART;VALUE=DATE:20260303\r\nRRULE:FREQ=WEEKLY;COUNT=4\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture
def ctx(db: Database, clock: Clock, tmp_path: Path) -> Iterator[Context]:
    fetcher = Fetcher(frozenset({"127.0.0.1", "localhost"}))
    yield replace(make_context(db, clock, tmp_path), fetcher=fetcher)
    fetcher.close()


def sources(server: HTTPServer) -> tuple[FeedSpec, ...]:
    server.expect_request("/news.xml").respond_with_data(SITEMAP, content_type="application/xml")
    server.expect_request("/press").respond_with_data(PAGE, content_type="text/html")
    server.expect_request("/api").respond_with_data('{"hits": [{"t": "From JSON", "slug": "x"}]}')
    server.expect_request("/q.csv").respond_with_data("symbol,price,date\nSPX,5790.5,2026-03-12\n")
    server.expect_request("/all.ics").respond_with_data(ICS)
    at = server.url_for
    return (
        FeedSpec(at("/news.xml"), "Map", "sitemap"),
        FeedSpec(at("/press"), "Press", "page", page=PageRules("div.card", title="h3 a", link="h3 a")),
        FeedSpec(
            at("/api"), "Api", "json", json=JsonRules("hits", title="t", link="https://api.example/{slug}", id="")
        ),
        FeedSpec(at("/q.csv"), "Prices", "quotes", provider="csv", fresh_hours=96),
        FeedSpec(at("/all.ics"), "Club", "events"),
    )


def test_every_kind_goes_from_files_through_tables_and_is_gathered(
    ctx: Context, db: Database, httpserver: HTTPServer, tmp_path: Path, clock: Clock
) -> None:
    wanted = Newsroom(feeds=sources(httpserver))
    export(wanted, tmp_path / "first")
    with db.write() as session:
        write_newsroom(session, load(tmp_path / "first"), clock())
    report = gather(ctx)
    assert report.as_dict()["problems"] == []
    with db.read() as session:
        titles = {article.title for article in session.exec(select(Article))}
        (quote,) = quotes.latest(session)
        nights = [row.spec["starts"] for row in session.exec(select(NewsroomItem).where(NewsroomItem.kind == "event"))]
        in_force = read_newsroom(session)
    assert titles == {"Ports & rates: “calm”", "Older by date", "Rates & ports", "Second", "From JSON"}
    assert (quote.symbol, quote.source, quote.fresh_for.days) == ("SPX", "Prices", 4)
    assert sorted(nights) == ["2026-03-17", "2026-03-24"]
    assert in_force == wanted
    export(in_force, tmp_path / "second")
    assert plan(load(tmp_path / "second"), in_force) == ()


def test_a_page_whose_rules_fail_is_a_failing_source_with_the_rule_in_words(
    ctx: Context, db: Database, httpserver: HTTPServer
) -> None:
    spec = sources(httpserver)[1]
    with db.write() as session:
        write_newsroom(session, Newsroom(feeds=(spec,)), ctx.clock())
    httpserver.clear()
    httpserver.expect_request("/press").respond_with_data("<html><body><p>New look</p></body></html>")
    assert gather(ctx).failed == 1
    with db.read() as session:
        feed = session.exec(select(Feed)).one()
    assert "item = 'div.card' finds nothing" in feed.last_error
    assert b"New look" in (feed.last_failure_body or b"")


SITE = """<html><head><link rel="alternate" type="application/rss+xml" href="/comments/feed" title="Comments">
<link rel="alternate" type="application/rss+xml" href="/broken.xml" title="Old">
<link rel="ALTERNATE stylesheet" type="application/atom+xml; charset=utf-8" href="/feed" title="News"></head><body>hello</body></html>"""


def test_a_site_leads_to_the_feed_that_it_declares_and_that_reads(ctx: Context, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(SITE, content_type="text/html")
    httpserver.expect_request("/feed").respond_with_data(rss(item(1), item(2)))
    httpserver.expect_request("/comments/feed").respond_with_data(rss(item(3)))
    httpserver.expect_request("/broken.xml").respond_with_data("gone", status=404)
    looked = feeds.add(ctx, FeedSpec(httpserver.url_for("/"), ""))
    assert (looked.spec.url, looked.spec.name, looked.count) == (httpserver.url_for("/feed"), "T", 2)
    assert (looked.site, httpserver.url_for("/comments/feed") in looked.others) == (httpserver.url_for("/"), True)
    with pytest.raises(UsageError, match="already"):
        feeds.add(ctx, FeedSpec(httpserver.url_for("/"), ""))


@pytest.mark.parametrize(
    ("page", "path"),
    [
        ('<p><a href="/en/rss/all">RSS</a> <a href="/about-feeding-cats">Cats</a></p>', "/en/rss/all"),
        ("<p>nothing</p>", "/rss.xml"),
    ],
)
def test_a_site_that_declares_none_leads_to_the_one_it_links_to_or_to_a_usual_place(
    ctx: Context, httpserver: HTTPServer, page: str, path: str
) -> None:
    httpserver.expect_request("/news").respond_with_data(f"<html><body>{page}</body></html>", content_type="text/html")
    httpserver.expect_request(path).respond_with_data(rss(item(1)))
    assert feeds.look(ctx, FeedSpec(httpserver.url_for("/news"), "")).spec.url == httpserver.url_for(path)


def test_a_site_without_a_feed_says_what_was_tried_and_a_feed_at_a_private_address_is_not_tried(
    ctx: Context, httpserver: HTTPServer
) -> None:
    page = (
        '<html><head><link rel="alternate" type="application/rss+xml" href="http://169.254.169.254/rss"></head></html>'
    )
    httpserver.expect_request("/").respond_with_data(page, content_type="text/html")
    with pytest.raises(ParseError, match=r"web page.*Tried.*169\.254\.169\.254.*DIGEST_FETCH_ALLOW"):
        feeds.look(ctx, FeedSpec(httpserver.url_for("/"), ""))
    with pytest.raises(ForbiddenAddress):
        feeds.look(ctx, FeedSpec("http://[::1]/", ""))


def test_a_list_goes_out_and_comes_back_into_an_empty_newsroom_whole(
    ctx: Context, db: Database, httpserver: HTTPServer
) -> None:
    wanted = sources(httpserver)
    with db.write() as session:
        write_newsroom(session, Newsroom(feeds=wanted), ctx.clock())
    body, count = feeds.export_opml(ctx)
    with db.write() as session:
        write_newsroom(session, Newsroom(feeds=wanted[:1]), ctx.clock())
    assert feeds.import_opml(ctx, body, dry_run=True).known == (wanted[0].url,)
    assert len(feeds.import_opml(ctx, body).added) == count - 1 == 4
    with db.read() as session:
        assert set(read_newsroom(session).feeds) == set(wanted)
    assert httpserver.log == []  # nothing is fetched


def test_new_rules_make_the_next_fetch_unconditional(ctx: Context, db: Database, httpserver: HTTPServer) -> None:
    spec = sources(httpserver)[1]
    with db.write() as session:
        write_newsroom(session, Newsroom(feeds=(spec,)), ctx.clock())
        session.exec(select(Feed)).one().etag = '"v1"'
    for title, etag in (("h3 a", '"v1"'), ("h3", "")):
        with db.write() as session:
            changed = replace(spec, page=PageRules("div.card", title=title, link="h3 a"))
            write_newsroom(session, Newsroom(feeds=(changed,)), ctx.clock())
        with db.read() as session:
            assert session.exec(select(Feed)).one().etag == etag
