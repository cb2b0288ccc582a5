"""Gathering as a whole: a local web server plays the sources."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlmodel import select
from werkzeug import Request, Response

from digest.domain.audience import Signer
from digest.domain.calendar import Window
from digest.feeds import beside
from digest.feeds.fetch import Fetcher
from digest.store import articles, feeds, quotes
from digest.store.database import Database
from digest.store.tables import Article, ArticleFeed, Feed, NewsroomItem
from digest.workflows.context import Context
from digest.workflows.gather import gather
from tests.conftest import NOW, Clock, shared_data
from tests.feeds.layouts import ALT, AUTHOR, CREDIT, DEK, LAYOUTS, PARAGRAPHS, TAGS, TITLE

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{}</channel></rss>"""


def item(
    number: int, *, host: str = "https://news.example", date: str = "Thu, 12 Mar 2026 09:00:00 GMT", **more: str
) -> str:
    fields = {
        "title": f"Headline number {number}",
        "link": f"{host}/{number}",
        "guid": f"id-{number}",
        "pubDate": date,
        "description": f"Summary {number}.",
    } | more
    return "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in fields.items() if value) + "</item>"


def rss(*items: str) -> str:
    return RSS.format("".join(items))


@pytest.fixture
def newsroom(db: Database, clock: Clock, tmp_path: Path) -> Iterator[Callable[..., Context]]:
    """Makes a context whose feeds are the given URLs."""
    fetcher = Fetcher(frozenset({"127.0.0.1", "localhost"}))

    def make(*urls: str, **options: Any) -> Context:
        with db.write() as session:
            for position, url in enumerate(urls):
                session.add(Feed(url=url, name=f"Source {position}", **options))
        return Context(
            db=db,
            sender=None,  # type: ignore[arg-type]
            fetcher=fetcher,
            signer=Signer(b"0" * 32),
            clock=clock,
            public_url="http://digest.example",
            var=tmp_path,
            templates=tmp_path,
        )

    yield make
    fetcher.close()


def rows(db: Database, table: type[Any]) -> list[Any]:
    with db.read() as session:
        return list(session.exec(select(table)))


def test_a_feed_becomes_articles_and_a_second_run_brings_nothing_new(
    newsroom, httpserver: HTTPServer, db, clock
) -> None:
    def answer(request: Request) -> Response:
        if request.headers.get("If-None-Match") == '"v1"':
            return Response(status=304)
        return Response(rss(item(1), item(2)), headers={"ETag": '"v1"'})

    httpserver.expect_request("/feed").respond_with_handler(answer)
    ctx = newsroom(httpserver.url_for("/feed"))
    first, second = gather(ctx), gather(ctx)
    assert {**first.as_dict(), "seconds": 0} == {
        "feeds": 1, "ok": 1, "not_modified": 0, "failed": 0, "articles_new": 2, "articles_seen": 2, "seconds": 0, "problems": [],
        "pages": 0, "pages_failed": 0, "busy": 0, "outcomes": [{
            "feed_id": 1, "url": httpserver.url_for("/feed"), "name": "Source 0", "state": "ok", "new": 2, "seen": 2, "error": "", "note": "", "kind": "feed",
        }],
    }  # fmt: skip
    assert (second.not_modified, second.articles_new, second.articles_seen) == (1, 0, 0)
    assert sorted(row.url for row in rows(db, Article)) == ["https://news.example/1", "https://news.example/2"]
    assert rows(db, Feed)[0].next_check_at == clock() + timedelta(minutes=15)


def test_many_feeds_are_read_in_a_process_beside_with_the_same_outcome(
    newsroom, httpserver: HTTPServer, db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.workflows.gather.MANY", 3)
    monkeypatch.setattr("digest.workflows.gather.spare", lambda: 1)
    monkeypatch.setattr(beside, "SMALL", 0)
    httpserver.expect_request("/one").respond_with_data(rss(item(1), item(2)))
    httpserver.expect_request("/two").respond_with_data(rss(item(2), item(3)))
    httpserver.expect_request("/page").respond_with_data("<!doctype html><html><body>hello</body></html>")
    ctx = newsroom(*(httpserver.url_for(path) for path in ("/one", "/two", "/page")))
    started: list[beside.Reader] = []
    begin = beside.Reader.__init__
    monkeypatch.setattr(beside.Reader, "__init__", lambda reader, on: (started.append(reader), begin(reader, on))[1])
    report = gather(ctx)
    assert (report.ok, report.failed, report.articles_new, report.articles_seen) == (2, 1, 3, 4)
    assert "web page (HTML), not a feed" in report.as_dict()["problems"][0]["error"]
    assert sorted(row.title for row in rows(db, Article)) == [f"Headline number {number}" for number in (1, 2, 3)]
    assert len(started) == 1
    with pytest.raises(ProcessLookupError):  # it has gone
        os.kill(started[0]._process.pid, 0)


def test_one_bad_feed_never_stops_a_run_and_says_why(newsroom, httpserver: HTTPServer, db) -> None:
    httpserver.expect_request("/good").respond_with_data(rss(item(1)))
    httpserver.expect_request("/page").respond_with_data("<!doctype html><html><body>hello</body></html>")
    httpserver.expect_request("/down").respond_with_data("", status=500)
    ctx = newsroom(*(httpserver.url_for(path) for path in ("/page", "/down", "/good")), "http://10.0.0.1/feed")
    seen: list[tuple[str, int, int]] = []
    report = gather(ctx, progress=lambda outcome, done, total: seen.append((outcome.state, done, total)))
    assert (report.feeds, report.ok, report.failed, report.articles_new) == (4, 1, 3, 1)
    assert [(done, total) for _, done, total in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    errors = {problem["feed"].rsplit("/", 1)[1]: problem["error"] for problem in report.as_dict()["problems"]}
    assert "web page (HTML), not a feed" in errors["page"]
    assert "500" in errors["down"]
    assert "DIGEST_FETCH_ALLOW" in errors["feed"]
    page = next(row for row in rows(db, Feed) if row.url.endswith("/page"))
    assert page.last_failure_body == b"<!doctype html><html><body>hello</body></html>"
    assert (page.failures, page.last_error) == (1, errors["page"])


def test_a_failing_feed_backs_off_and_recovers_by_itself(newsroom, httpserver: HTTPServer, db, clock) -> None:
    healthy = False
    httpserver.expect_request("/feed").respond_with_handler(
        lambda request: Response(rss(item(1))) if healthy else Response(status=502)
    )
    ctx = newsroom(httpserver.url_for("/feed"))
    pauses = []
    for _ in range(9):
        assert gather(ctx, due_only=True).failed == 1
        pauses.append(rows(db, Feed)[0].next_check_at - clock())
        assert gather(ctx, due_only=True).feeds == 0  # not due
        clock.now += pauses[-1]
    assert [pause / timedelta(minutes=15) for pause in pauses] == [2, 4, 8, 16, 32, 64, 96, 96, 96]
    healthy = True
    assert gather(ctx, due_only=True).ok == 1
    feed = rows(db, Feed)[0]
    assert (feed.failures, feed.last_error, feed.next_check_at) == (0, "", clock() + timedelta(minutes=15))


def test_retry_after_delays_every_feed_of_that_host(newsroom, httpserver: HTTPServer, db, clock) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=429, headers={"Retry-After": "7200"})
    ctx = newsroom(*(httpserver.url_for("/a") + f"?{n}" for n in range(6)))
    report = gather(ctx)
    assert report.failed == 6
    assert len(httpserver.log) <= 4  # two at a time: those under way when the answer came
    assert {row.next_check_at for row in rows(db, Feed)} == {clock() + timedelta(hours=2)}


def test_a_source_that_is_gone_is_retired_with_its_reason(newsroom, httpserver: HTTPServer, db, clock) -> None:
    httpserver.expect_request("/feed").respond_with_data("", status=410)
    ctx = newsroom(httpserver.url_for("/feed"))
    assert gather(ctx).outcomes[0].state == "retired"
    feed = rows(db, Feed)[0]
    assert (feed.retired_at, "410" in feed.retired_why) == (clock(), True)
    assert gather(ctx).feeds == 0


def test_a_permanent_move_is_believed_when_seen_thrice_over_a_day_and_forgotten_when_it_fails(
    newsroom, httpserver: HTTPServer, db, clock
) -> None:
    httpserver.expect_request("/old").respond_with_data("", status=301, headers={"Location": "/new"})
    httpserver.expect_request("/new").respond_with_data(rss(item(1)))
    ctx = newsroom(httpserver.url_for("/old"))
    believed = []
    for hours in (0, 1, 2, 20, 1):  # seen five times; a day has passed at the fifth
        clock.advance(hours=hours)
        assert "moved for good" in gather(ctx).outcomes[0].note
        believed.append(rows(db, Feed)[0].moved_to)
    assert believed[:4] == [""] * 4
    feed = rows(db, Feed)[0]
    assert (feed.url, feed.moved_to) == (httpserver.url_for("/old"), httpserver.url_for("/new"))
    httpserver.clear()
    assert gather(ctx).failed == 1  # /new answers no more
    assert [request.path for request, _ in httpserver.log] == ["/new"]
    assert rows(db, Feed)[0].moved_to == ""


def test_a_permanent_move_that_is_taken_back_is_not_believed(newsroom, httpserver: HTTPServer, db, clock) -> None:
    moved = True
    httpserver.expect_request("/old").respond_with_handler(
        lambda request: Response(status=301, headers={"Location": "/new"}) if moved else Response(rss(item(1)))
    )
    httpserver.expect_request("/new").respond_with_data(rss(item(1)))
    ctx = newsroom(httpserver.url_for("/old"))
    for moved in (True, True, False, True, True):  # noqa: B007  (the handler reads it)
        gather(ctx)
        clock.advance(hours=20)
    assert (rows(db, Feed)[0].moved_to, rows(db, Feed)[0].moving_seen) == ("", 2)


def test_the_same_article_in_two_feeds_is_one_row_that_knows_both(newsroom, httpserver: HTTPServer, db) -> None:
    httpserver.expect_request("/a").respond_with_data(rss(item(1, link="https://News.example/1?utm_source=rss")))
    httpserver.expect_request("/b").respond_with_data(rss(item(1, link="https://news.example/1#top", guid="other")))
    report = gather(newsroom(httpserver.url_for("/a"), httpserver.url_for("/b")))
    assert (report.articles_new, report.articles_seen) == (1, 2)
    assert len(rows(db, Article)) == 1
    assert {row.guid for row in rows(db, ArticleFeed)} == {"id-1", "other"}


def test_a_feed_that_another_process_has_is_left_alone_until_the_lease_ends(newsroom, httpserver, db, clock) -> None:
    httpserver.expect_request("/feed").respond_with_data(rss(item(1)))
    ctx = newsroom(httpserver.url_for("/feed"))
    with db.write() as session:
        assert feeds.claim(session, 1, clock(), timedelta(minutes=1)) is not None
    report = gather(ctx, due_only=True)
    assert (report.feeds, report.busy, httpserver.log) == (0, 1, [])
    clock.advance(minutes=1)
    assert gather(ctx, due_only=True).ok == 1


def test_quotes_and_calendars_are_gathered_like_feeds(newsroom, httpserver: HTTPServer, db, clock) -> None:
    coin = {"symbol": "btc", "name": "Bitcoin", "current_price": 70000.5, "last_updated": "2026-03-12T10:59:00.000Z"}
    httpserver.expect_request("/quotes").respond_with_data(json.dumps([coin]))
    calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Summit\r\nDTSTART;VALUE=DATE:20260324\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    httpserver.expect_request("/events").respond_with_data(calendar)
    newsroom(httpserver.url_for("/quotes"), kind="quotes")
    ctx = newsroom(httpserver.url_for("/events"), kind="events")
    assert gather(ctx).ok == 2
    with db.read() as session:
        assert [quote.price for quote in quotes.latest(session)] == [70000.5]
    assert [row.spec["name"] for row in rows(db, NewsroomItem)] == ["Summit"]
    httpserver.clear()
    httpserver.expect_request("/events").respond_with_data("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n")
    gather(ctx)
    assert [row.retired_at for row in rows(db, NewsroomItem)] == [clock()]


def test_full_text_is_fetched_where_the_feed_asks_for_it_and_failures_are_harmless(newsroom, httpserver, db) -> None:
    words = "The ministry said on Thursday that the pilot will run until the end of the year in four cities. " * 4
    page = f"<html><body><article><h1>Headline number 1</h1><p>{words}</p><p>Reuters reported it first. {words[:200]}</p></article></body></html>"
    host = httpserver.url_for("").rstrip("/")
    httpserver.expect_request("/feed").respond_with_data(rss(item(1, host=host), item(2, host=host)))
    httpserver.expect_request("/1").respond_with_data(page, content_type="text/html")
    report = gather(newsroom(httpserver.url_for("/feed"), full_text=True))
    assert (report.failed, report.pages, report.pages_failed) == (0, 1, 1)
    texts = {row.title: (row.text, row.reporter) for row in rows(db, Article)}
    assert texts["Headline number 1"][0].startswith("The ministry said on Thursday")
    assert texts["Headline number 1"][1] == "Reuters"
    assert texts["Headline number 2"][0] == ""


def test_an_article_keeps_its_parts_apart_whether_its_feed_or_its_page_names_them(newsroom, httpserver, db) -> None:
    host = httpserver.url_for("").rstrip("/")
    page = LAYOUTS["newspaper with json-ld"].replace("https://post.example", host)
    bare = item(1, host=host, title=TITLE, description="")
    rich = item(
        2,
        host=host,
        title=TITLE,
        description="The feed's own dek.",
        author="ada@a.example (Ada Brandt)",
        category="Sea",
    )
    rich = rich.replace("</item>", f'<enclosure url="{host}/media/ferry-640x360.jpg" type="image/jpeg"/></item>')
    httpserver.expect_request("/feed").respond_with_data(rss(bare, rich))
    for number in (1, 2):
        httpserver.expect_request(f"/{number}").respond_with_data(page, content_type="text/html")
    assert gather(newsroom(httpserver.url_for("/feed"), full_text=True)).pages == 2
    first, second = sorted(rows(db, Article), key=lambda row: row.url)
    assert (first.title, first.summary, first.author, tuple(first.tags)) == (TITLE, DEK, AUTHOR, TAGS)
    assert first.text == "\n\n".join(PARAGRAPHS)
    picture = {"url": f"{host}/media/ferry.jpg", "alt": ALT, "credit": CREDIT, "width": 1200, "height": 0}
    assert first.image == picture
    # What the feed says stays; of its picture the page tells what it shows and whose it is.
    assert (second.summary, second.author, second.tags) == ("The feed's own dek.", "Ada Brandt", ["Sea"])
    assert second.image == picture | {"url": f"{host}/media/ferry-640x360.jpg", "width": 0}


def test_a_run_that_is_to_stop_ends_soon_and_holds_nothing_against_what_it_cut_short(
    newsroom, httpserver: HTTPServer, db
) -> None:
    asked, let_go = threading.Event(), threading.Event()

    def hang(_: Request) -> Response:
        asked.set()
        let_go.wait(25)
        return Response(status=500)

    httpserver.expect_request("/slow").respond_with_handler(hang)
    httpserver.expect_request("/feed").respond_with_data(RSS)
    ctx = newsroom(
        httpserver.url_for("/slow"),
        httpserver.url_for("/feed"),
        *(httpserver.url_for("/slow?") + str(n) for n in range(4)),
    )
    started = time.monotonic()
    try:
        report = gather(ctx, stop=asked.is_set)
    finally:
        let_go.set()
    assert time.monotonic() - started < 15  # the deadline of a fetch is 20
    assert report.failed == 0
    with db.read() as session:
        assert [(feed.failures, feed.claimed_until) for feed in session.exec(select(Feed))] == [(0, None)] * 6
    assert gather(ctx).failed == 5  # nothing is cut short any more


def test_no_host_is_asked_for_more_than_two_things_at_once(newsroom) -> None:
    lock, pause = threading.Lock(), threading.Event()
    under_way, most = 0, 0

    def answer(request: Request) -> Response:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        pause.wait(0.05)
        with lock:
            under_way -= 1
        return Response(rss(item(1)))

    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        server.expect_request("/feed").respond_with_handler(answer)
        assert gather(newsroom(*(server.url_for(f"/feed?{n}") for n in range(8)))).ok == 8
    assert most == 2


class TestRealFeeds:
    """Feeds that nobody here wrote, served over HTTP."""

    @pytest.fixture
    def folder(self) -> Path:
        data = shared_data()
        if data is None:
            pytest.skip("no folder of real feeds: set DIGEST_TEST_DATA")
        return data / "feeds"

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_each_is_read_or_refused_with_a_reason(
        self, folder: Path, newsroom, httpserver: HTTPServer, db, clock
    ) -> None:
        files = sorted(path for path in folder.rglob("*") if path.suffix in (".xml", ".json"))
        for number, path in enumerate(files):
            httpserver.expect_request(f"/{number}").respond_with_data(path.read_bytes(), content_type="text/xml")
        clock.now = NOW
        report = gather(newsroom(*(httpserver.url_for(f"/{number}") for number in range(len(files)))))
        refused = [outcome for outcome in report.outcomes if outcome.state == "failed"]
        assert (report.feeds, report.ok + report.failed) == (len(files), len(files))
        assert len(refused) <= 10
        assert not [outcome.error for outcome in refused if not outcome.error or "unexpected" in outcome.error]
        assert report.articles_new > 800
        with db.read() as session:
            everything = articles.candidates(session, Window(NOW - timedelta(days=20_000), NOW + timedelta(seconds=1)))
        assert len(everything) == len(rows(db, Article))
        assert all(candidate.title and candidate.url.startswith("http") for candidate in everything)
        repeated = gather(newsroom())
        assert repeated.articles_new == 0
        assert repeated.articles_seen == report.articles_seen
