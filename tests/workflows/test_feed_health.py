"""How feeds fare, and who hears of it: a local web server plays the sources."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlmodel import select
from werkzeug import Request, Response

from digest.domain.audience import Signer
from digest.feeds.fetch import Fetcher
from digest.feeds.pace import HostGate
from digest.store import addresses, feed_health, hosts
from digest.store.database import Database
from digest.store.tables import Article, ArticleAddress, ArticleFeed, Editor, Feed, Notice
from digest.workflows.context import Context
from digest.workflows.feed_alerts import AFTER
from digest.workflows.gather import gather
from digest.workflows.gather_hosts import by_host
from tests.conftest import NOW
from tests.workflows.test_gather import item, rss


@pytest.fixture
def house(db: Database, clock, tmp_path: Path) -> Iterator[Callable[..., Context]]:
    fetcher = Fetcher(frozenset({"127.0.0.1", "localhost"}))

    def make(*urls: str, **options: Any) -> Context:
        with db.write() as session:
            for position, url in enumerate(urls):
                session.add(Feed(url=url, name=f"Source {position}", **options))
            session.add(Editor(address="ed@example.com", created_at=clock()))
            session.add(Editor(address="viewer@example.com", role="viewer", created_at=clock()))
        return Context(db=db, sender=None, fetcher=fetcher, signer=Signer(b"0" * 32), clock=clock,  # type: ignore[arg-type]
                       public_url="http://digest.example", var=tmp_path, templates=tmp_path)  # fmt: skip

    yield make
    fetcher.close()


def rows(db: Database, table: type[Any]) -> list[Any]:
    with db.read() as session:
        return list(session.exec(select(table)))


def test_editors_hear_once_of_a_failure_and_once_of_the_recovery(house, httpserver: HTTPServer, db, clock) -> None:
    healthy = False
    httpserver.expect_request("/feed").respond_with_handler(
        lambda request: Response(rss(item(1))) if healthy else Response("<h1>Sorry</h1>", status=503)
    )
    ctx = house(httpserver.url_for("/feed"))
    told = []
    for _ in range(AFTER + 3):
        gather(ctx)
        told.append(len(rows(db, Notice)))
        clock.advance(hours=1)
    assert told == [0] * (AFTER - 1) + [1] * 4
    healthy = True
    for _ in range(3):
        gather(ctx)
        clock.advance(hours=1)
    first, second = rows(db, Notice)
    assert (first.kind, first.address) == ("feed-alert", "ed@example.com")
    assert "5 failures in a row: answered 503" in first.payload["failing"][0]
    assert (second.payload["headline"], second.payload["recovered"]) == ("Source 0 is back", ["Source 0"])


def test_many_feeds_that_fail_together_make_one_mail_that_suspects_our_own_network(house, db, clock) -> None:
    ctx = house(*(f"http://10.0.0.{n}/feed" for n in range(1, 31)))
    for _ in range(AFTER):
        gather(ctx)
    (notice,) = rows(db, Notice)
    assert notice.payload["headline"] == "30 feeds fail"
    assert (len(notice.payload["failing"]), notice.payload["more"], notice.payload["ours"]) == (12, 18, True)


def test_a_source_that_has_ended_is_told_once_with_what_it_sent(house, httpserver: HTTPServer, db) -> None:
    httpserver.expect_request("/feed").respond_with_data("we are closed", status=410)
    ctx = house(httpserver.url_for("/feed"))
    for _ in range(3):
        gather(ctx)
    (notice,) = rows(db, Notice)
    assert notice.payload["headline"] == "Source 0 has ended"
    with db.read() as session:
        assert feed_health.last_failure(session, "Source 0") == b"we are closed"
        assert feed_health.health(session, NOW)[0].state == "ended"


def test_a_remembered_move_that_ends_is_forgotten_instead_of_the_feed(house, httpserver: HTTPServer, db) -> None:
    httpserver.expect_request("/new").respond_with_data("", status=410)
    gather(house(httpserver.url_for("/old"), moved_to=httpserver.url_for("/new")))
    assert (rows(db, Feed)[0].retired_at, rows(db, Feed)[0].moved_to) == (None, "")


def test_an_error_page_is_kept_as_it_was_sent(house, httpserver: HTTPServer, db) -> None:
    httpserver.expect_request("/feed").respond_with_data(b"<h1>Teapot</h1>\x00", status=418)
    gather(house(httpserver.url_for("/feed")))
    with db.read() as session:
        assert feed_health.last_failure(session, 1) == b"<h1>Teapot</h1>\x00"


def test_the_bytes_that_are_kept_are_those_of_the_last_failure(house, httpserver: HTTPServer, db) -> None:
    httpserver.expect_ordered_request("/feed").respond_with_data("<h1>Teapot</h1>", status=418)
    httpserver.expect_ordered_request("/feed").respond_with_data("", status=500)
    ctx, kept = house(httpserver.url_for("/feed")), []
    for _ in range(2):
        gather(ctx)
        with db.read() as session:
            kept.append(feed_health.last_failure(session, 1))
    assert kept == [b"<h1>Teapot</h1>", None]


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "refuses readers like us"), (404, "look on the site for its new one"), (429, "left alone for a while"), (503, "asked again later")],
)  # fmt: skip
def test_an_editor_reads_what_a_status_means(status: int, words: str, house, httpserver: HTTPServer, db) -> None:
    httpserver.expect_request("/feed").respond_with_data("", status=status)
    gather(house(httpserver.url_for("/feed")))
    with db.read() as session:
        error = feed_health.health(session, NOW)[0].last_error
    assert error.startswith(f"answered {status} ")
    assert words in error


def test_a_host_that_asked_for_a_pause_rests_in_the_next_run_too(house, httpserver: HTTPServer, db, clock) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=503, headers={"Retry-After": "7200"})
    httpserver.expect_request("/b").respond_with_data(rss(item(1)))
    ctx = house(httpserver.url_for("/a"))
    gather(ctx)
    with db.write() as session:
        session.add(Feed(url=httpserver.url_for("/b"), name="Another of that host"))
    httpserver.clear_log()
    clock.advance(minutes=119)
    assert [outcome.state for outcome in gather(ctx).outcomes] == ["postponed"] * 2
    assert httpserver.log == []
    clock.advance(minutes=1)
    assert gather(ctx).ok == 1


def test_the_longest_pause_that_a_host_asked_for_counts(db: Database) -> None:
    with db.write() as session:
        for hours in (2, 5, 1):
            hosts.rest(session, "a.example", NOW + timedelta(hours=hours), "why", NOW)
        assert hosts.resting(session, NOW) == {"a.example": NOW + timedelta(hours=5)}
        assert hosts.resting(session, NOW + timedelta(hours=5)) == {}


def test_health_counts_a_week_of_items_and_their_median_delay(house, httpserver: HTTPServer, db, clock) -> None:
    def stamp(hours: float) -> str:
        return (NOW + timedelta(hours=hours)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    shown = [item(n, date=stamp(-24 * n)) for n in range(1, 11)]  # the backlog: says nothing about delays
    httpserver.expect_request("/feed").respond_with_handler(lambda request: Response(rss(*shown)))
    ctx = house(httpserver.url_for("/feed"))
    gather(ctx)
    for number, late in ((20, 0.1), (21, 0.5), (22, 3)):
        clock.advance(hours=4)
        shown.insert(0, item(number, date=(clock() - timedelta(hours=late)).strftime("%a, %d %b %Y %H:%M:%S GMT")))
        gather(ctx)
    with db.read() as session:
        (feed,) = feed_health.health(session, clock())
        days = feed_health.strips(session, clock(), 30)[1]
    assert (feed.state, feed.delay, feed.items_a_day) == ("ok", 1800, round(9 / 7, 1))
    assert (len(days), sum(day.ok for day in days), sum(day.items for day in days)) == (30, 4, 13)
    assert feed.as_dict()["last_success"] == clock().isoformat()


def test_an_article_takes_the_address_that_its_page_names_and_feeds_find_it_under_both(
    house, httpserver: HTTPServer, db
) -> None:
    host = httpserver.url_for("").rstrip("/")
    words = "The ministry said on Thursday that the pilot will run until the end of the year in four cities. " * 4
    page = f'<html><head><link rel="canonical" href="/real"></head><body><article><h1>Headline number 1</h1><p>{words}</p></article></body></html>'
    httpserver.expect_request("/go").respond_with_data("", status=302, headers={"Location": "/1"})
    httpserver.expect_request("/1").respond_with_data(page, content_type="text/html")
    httpserver.expect_request("/a").respond_with_data(rss(item(1, link=f"{host}/go", guid="")))
    httpserver.expect_request("/b").respond_with_data(rss(item(1, link=f"{host}/real", guid="")))
    ctx = house(f"{host}/a", full_text=True)
    assert [gather(ctx).articles_new, gather(ctx).articles_new] == [1, 0]
    with db.write() as session:
        session.add(Feed(url=f"{host}/b", name="B"))
    assert gather(ctx).articles_new == 0
    assert [row.url for row in rows(db, Article)] == [f"{host}/real"]
    assert len(rows(db, ArticleFeed)) == 2


def test_two_rows_whose_pages_name_one_address_become_one_if_their_titles_agree(db: Database) -> None:
    titles = ["Bank lends to Kenya again", "Bank lends to Kenya once again", "Something else entirely happened"]
    with db.write() as session:
        session.add_all([Feed(url=f"https://a.example/{n}", name="A") for n in range(3)])
        session.flush()
        for number, title in enumerate(titles, start=1):
            session.add(
                Article(
                    url=f"https://a.example/x{number}", title=title, published_at=NOW, first_seen_at=NOW, feed_id=number
                )
            )
            session.flush()
            session.add(ArticleFeed(feed_id=number, article_id=number, seen_at=NOW))
    for number in (1, 2, 3):
        with db.write() as session:
            addresses.settle(session, number, "https://a.example/real")
    assert sorted(row.url for row in rows(db, Article)) == ["https://a.example/real", "https://a.example/x3"]
    assert {row.url: row.article_id for row in rows(db, ArticleAddress)} == {
        f"https://a.example/x{n}": 1 for n in (1, 2)
    }
    assert sorted((row.feed_id, row.article_id) for row in rows(db, ArticleFeed)) == [(1, 1), (2, 1), (3, 3)]


@pytest.mark.parametrize(
    ("slow", "quick"),
    [
        ("http://slow%d.example/", "http://quick%d.example/"),
        ("http://own.example/slow/%d", "http://own.example/quick/%d"),
    ],
    ids=["on their own hosts", "on the host of the others"],
)
def test_things_that_trickle_hold_up_the_others_only_until_they_are_seen_to_be_slow(slow: str, quick: str) -> None:
    release, ended = threading.Event(), []
    things = [slow % n for n in range(50)] + [quick % n for n in range(100)]

    def work(url: str) -> None:
        if "slow" in url:
            release.wait(20)

    started = time.monotonic()
    with ThreadPoolExecutor(96) as pool:
        gate = HostGate(2, 0.25, slow=0.2, unhurried=lambda host: host == "own.example")
        rounds = by_host(things, str, lambda url: (url, pool.submit(work, url)), gate)
        for url, _ in chain.from_iterable(rounds):
            ended.append(url)
            if len(ended) == 100:
                held_up = time.monotonic() - started
                assert all("quick" in each for each in ended)
                release.set()
    assert (len(ended), held_up < 5) == (150, True)


def test_requests_to_one_host_keep_their_distance() -> None:
    begun: list[float] = []
    with ThreadPoolExecutor(8) as pool:
        things = [f"http://a.example/{n}" for n in range(5)]
        list(
            by_host(
                things, str, lambda url: (url, pool.submit(lambda: begun.append(time.monotonic()))), HostGate(2, 0.1)
            )
        )
    assert min(later - earlier for earlier, later in pairwise(begun)) >= 0.08


def test_a_page_and_a_redirect_of_one_lead_nowhere_private(house, httpserver: HTTPServer, db) -> None:
    def away(request: Request) -> Response:
        return Response(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})

    httpserver.expect_request("/1").respond_with_handler(away)
    host = httpserver.url_for("").rstrip("/")
    links = [f"{host}/1", "http://10.0.0.1/2", "http://2130706433/3"]
    feed = rss(*(item(n, link=link, guid="") for n, link in enumerate(links)))
    httpserver.expect_request("/feed").respond_with_data(feed)
    report = gather(house(f"{host}/feed", full_text=True))
    assert (report.failed, report.pages, report.pages_failed) == (0, 0, report.articles_new)
    assert not [row.text for row in rows(db, Article) if row.text]
