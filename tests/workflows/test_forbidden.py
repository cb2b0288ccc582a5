"""No address that somebody else gives us leads into our own network: a table of ways, at every door."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from sqlmodel import select
from werkzeug import Request, Response

from digest.domain.content import Image
from digest.domain.newsroom import FeedSpec
from digest.errors import DigestError
from digest.feeds.fetch import Fetcher
from digest.store.database import Database
from digest.store.tables import Article, Feed, WebSub
from digest.workflows import feeds
from digest.workflows.context import Context
from digest.workflows.gather import gather
from digest.workflows.media import host_image
from digest.workflows.websub import tend_subscriptions
from tests.conftest import Clock
from tests.feeds.ways_in import WAYS, watched
from tests.web.house import make_context
from tests.workflows.test_gather import item, rss

GOOD = {"93.184.216.34"}
"""Where names of the open internet lead: to be asked for them is right."""


@pytest.fixture
def ctx(sqlite_db: Database, clock: Clock, tmp_path: Path, httpserver: HTTPServer) -> Iterator[Context]:
    """A house with one exemption: the host and port of our own server, as they are written there."""
    fetcher = Fetcher(frozenset({f"own.example:{httpserver.port}"}))
    made = make_context(sqlite_db, clock, tmp_path, f"http://own.example:{httpserver.port}")
    yield replace(made, fetcher=fetcher)
    fetcher.close()


class Server:
    """Our own server: it sends on to wherever the path says, and knows what reached it that should not."""

    def __init__(self, server: HTTPServer) -> None:
        self.http, self.root = server, f"http://own.example:{server.port}"
        self.ways = {name: way.format(port=server.port) for name, way in WAYS.items()}
        self._names = list(self.ways)
        self.reached: list[str] = []
        server.expect_request("/").respond_with_handler(self._reached)
        server.expect_request("/to").respond_with_handler(self._to)

    def on(self, name: str, code: int = 302) -> str:
        """An address of ours that redirects to a way in."""
        return f"{self.root}/to?way={self._names.index(name)}&code={code}"

    def _reached(self, request: Request) -> Response:
        self.reached.append(request.host)
        return Response(rss(item(1)))

    def _to(self, request: Request) -> Response:
        return Response(
            status=int(request.args["code"]), headers={"Location": self.ways[self._names[int(request.args["way"])]]}
        )


@pytest.fixture
def server(httpserver: HTTPServer) -> Server:
    return Server(httpserver)


def poll(ctx: Context, server: Server, url_of: Callable[[str], str], **more: object) -> None:
    """Each way is a feed of its own; all of them fail, with words for an editor."""
    urls = {name: url_of(name) for name in server.ways}
    with ctx.db.write() as session:
        session.add_all([Feed(url=url, name=name, **more) for name, url in urls.items()])
    report = gather(ctx)
    assert [each.name for each in report.outcomes if each.state != "failed" or not each.error] == []
    with ctx.db.read() as session:
        assert session.exec(select(Article)).all() == []


def a_feed(ctx: Context, server: Server) -> None:
    poll(ctx, server, server.ways.__getitem__)


def a_redirected_feed(ctx: Context, server: Server) -> None:
    poll(ctx, server, server.on)


def another_kind_of_source(ctx: Context, server: Server) -> None:
    poll(ctx, server, lambda name: server.on(name, 308), kind="events")


def an_article(ctx: Context, server: Server) -> None:
    pages(ctx, server, server.ways.__getitem__)


def a_redirected_article(ctx: Context, server: Server) -> None:
    pages(ctx, server, server.on)


def pages(ctx: Context, server: Server, url_of: Callable[[str], str]) -> None:
    links = [{"id": name, "title": f"About {name}", "url": url_of(name)} for name in server.ways]
    chunks = [links[start : start + 25] for start in range(0, len(links), 25)]
    for number, some in enumerate(chunks):
        server.http.expect_request(f"/feed/{number}").respond_with_data(json.dumps({"items": some}))
    with ctx.db.write() as session:
        session.add_all([Feed(url=f"{server.root}/feed/{n}", name=str(n), full_text=True) for n in range(len(chunks))])
    report = gather(ctx)
    assert (report.failed, report.pages) == (0, 0)
    assert report.pages_failed == report.articles_new
    with ctx.db.read() as session:
        assert [article.text for article in session.exec(select(Article)) if article.text] == []


def a_picture(ctx: Context, server: Server) -> None:
    for name, way in server.ways.items():
        assert host_image(ctx, Image(way), 600) is None, name
        assert host_image(ctx, Image(server.on(name)), 600) is None, name


def a_hub(ctx: Context, server: Server) -> None:
    hubs(ctx, server, server.ways.__getitem__)


def a_redirected_hub(ctx: Context, server: Server) -> None:
    hubs(ctx, server, lambda name: server.on(name, 307))


def hubs(ctx: Context, server: Server, url_of: Callable[[str], str]) -> None:
    for number, name in enumerate(server.ways):
        hub = json.dumps({"items": [], "hubs": [{"type": "WebSub", "url": url_of(name)}]})
        server.http.expect_request(f"/feed/{number}").respond_with_data(hub)
    with ctx.db.write() as session:
        session.add_all([Feed(url=f"{server.root}/feed/{n}", name=name) for n, name in enumerate(server.ways)])
    assert gather(ctx).failed == 0
    assert tend_subscriptions(ctx) == 0
    with ctx.db.read() as session:
        rows = session.exec(select(WebSub)).all()
    assert len(rows) > 20
    assert [row.hub for row in rows if not row.why] == []


def an_address_that_is_added(ctx: Context, server: Server) -> None:
    for name, way in server.ways.items():
        for url in (way, server.on(name)):
            with pytest.raises(DigestError):
                feeds.add(ctx, FeedSpec(url, ""))


def a_feed_that_a_page_declares(ctx: Context, server: Server) -> None:
    for number, way in enumerate(server.ways.values()):
        link = f'<link rel="alternate" type="application/rss+xml" href="{way}"><link rel="alternate" type="application/rss+xml" href="{server.on(list(server.ways)[number])}">'
        server.http.expect_request(f"/site/{number}").respond_with_data(f"<html><head>{link}</head></html>")
        with pytest.raises(DigestError):
            feeds.add(ctx, FeedSpec(f"{server.root}/site/{number}", ""))


DOORS = [
    a_feed, a_redirected_feed, another_kind_of_source, an_article, a_redirected_article, a_picture, a_hub, a_redirected_hub,
    an_address_that_is_added, a_feed_that_a_page_declares,
]  # fmt: skip


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__.replace("_", " "))
def test_no_way_leads_in(door: Callable[[Context, Server], None], ctx: Context, server: Server) -> None:
    with watched(server.http.port) as attempts:
        door(ctx, server)
    assert server.reached == []
    assert [address for address in attempts if address[0] not in GOOD] == []  # type: ignore[index]


def test_without_the_guard_the_ways_do_lead_in(ctx: Context, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested above can fail: with every address taken for public, most ways are tried."""
    monkeypatch.setattr("digest.feeds.guard.is_public", lambda _: True)
    monkeypatch.setattr("digest.feeds.guard._check_literal", lambda _: None)
    with watched(server.http.port) as attempts:
        for way in server.ways.values():
            with contextlib.suppress(DigestError):
                ctx.fetcher.get(way, deadline=2)
    assert len(attempts) + len(server.reached) > 40
