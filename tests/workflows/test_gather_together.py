"""Two workers gather at once: each feed is asked by one of them, and what a host may be asked holds for both together."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from sqlmodel import select
from werkzeug import Request, Response

from digest.domain.audience import Signer
from digest.feeds.fetch import Fetcher
from digest.feeds.pace import HostGate
from digest.store.database import Database
from digest.store.tables import Article, ArticleFeed, Feed
from digest.workflows.context import Context
from digest.workflows.errands import handlers, sweep
from digest.workflows.gather import GatherReport, gather
from digest.workflows.gather_hosts import GAP, PER_HOST
from digest.workflows.gather_run import AT_ONCE
from tests.conftest import Clock
from tests.workflows.test_gather import item, rss
from tests.workflows.world import FakeSender

WORKERS = ("worker one", "worker two")
PATIENCE = 20.0
"""Seconds after which a test that waits for something gives up."""


class Host:
    """A web server with several feeds; each shows an article of its own and one that they all show.

    ``also``: another name of it, under which it has as many feeds again: for who asks it is another host.
    """

    def __init__(self, server: HTTPServer, feeds: int, also: str = "") -> None:
        self.urls = [server.url_for(f"/{number}") for number in range(feeds)]
        if also:
            more = (server.url_for(f"/{feeds + number}") for number in range(feeds))
            self.urls += [url.replace("127.0.0.1", also) for url in more]
        feeds = len(self.urls)
        self.asked = Counter[str]()
        self.askers: dict[str, set[str]] = {}
        self.most_at_once = 0
        self._at_once = Counter[str]()
        self._lock = threading.Lock()
        self.before_answer: Callable[[], object] = lambda: None
        for number in range(feeds):
            server.expect_request(f"/{number}").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        with self._lock:
            self.asked[request.path] += 1
            self.askers.setdefault(request.host, set()).add(request.headers["User-Agent"])
            self._at_once[request.host] += 1
            self.most_at_once = max(self.most_at_once, self._at_once[request.host])
        self.before_answer()
        with self._lock:
            self._at_once[request.host] -= 1
        number = int(request.path[1:])
        own = item(number + 1)
        return Response(rss(own, item(0, link="https://news.example/all", guid=f"all-{number}")))


@pytest.fixture
def httpserver() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that has much to do, no request counts as slow: it would let another one begin beside it."""
    monkeypatch.setattr("digest.workflows.gather_hosts.SLOW", PATIENCE)


@pytest.fixture
def workers(db: Database, database_url: str, clock: Clock, tmp_path: Path) -> Iterator[list[Context]]:
    """Two workers, each with a database connection, a fetcher and a name of its own."""
    with ExitStack() as stack:
        made = []
        for name in WORKERS:
            own, fetcher = Database(database_url), Fetcher(frozenset({"127.0.0.1", "localhost"}), name)
            stack.callback(own.close)
            stack.callback(fetcher.close)
            signer = Signer(b"0" * 32)
            made.append(Context(own, FakeSender(), fetcher, signer, clock, "", tmp_path, tmp_path, worker=name))
        yield made


def add_feeds(db: Database, urls: list[str]) -> None:
    with db.write() as session:
        session.add_all(Feed(url=url, name=f"Source {position}") for position, url in enumerate(urls))


def assert_everything_is_there_once(db: Database, host: Host) -> None:
    assert host.asked == {f"/{number}": 1 for number in range(len(host.urls))}
    with db.read() as session:
        links = sorted(session.exec(select(Article.url)))
        shown = list(session.exec(select(ArticleFeed.article_id, ArticleFeed.feed_id)))
        held = [feed.url for feed in session.exec(select(Feed)) if feed.claimed_until or not feed.last_success_at]
    own = [f"https://news.example/{number + 1}" for number in range(len(host.urls))]
    assert links == sorted([*own, "https://news.example/all"])
    assert len(shown) == 2 * len(host.urls)
    assert held == []


def while_it_is_asked(host: Host, do: Callable[[], object]) -> None:
    """Have something done while as many requests as may be wait for their answers."""
    last, done = threading.Lock(), threading.Event()

    def wait() -> None:
        if host.most_at_once == PER_HOST and last.acquire(blocking=False):
            host.before_answer = lambda: None
            do()
            done.set()
        done.wait(PATIENCE)

    host.before_answer = wait


def test_a_host_that_one_run_asks_is_left_to_it_by_the_other_which_asks_the_rest(
    db: Database, workers: list[Context], httpserver: HTTPServer
) -> None:
    host = Host(httpserver, 2 * AT_ONCE + 10, also="localhost")  # more than one of them claims at once
    half = len(host.urls) // 2
    add_feeds(db, host.urls[:half])
    reports: list[GatherReport] = []

    def ask_the_rest() -> None:
        add_feeds(db, host.urls[half:])
        reports.append(gather(workers[1], due_only=True))

    while_it_is_asked(host, ask_the_rest)
    reports.append(gather(workers[0], due_only=True))
    assert [(report.ok, report.busy, report.failed) for report in reports] == [(half, half, 0), (half, 0, 0)]
    assert sum(report.articles_new for report in reports) == len(host.urls) + 1
    assert sorted(map(sorted, host.askers.values())) == [["worker one"], ["worker two"]]
    assert host.most_at_once == PER_HOST
    assert_everything_is_there_once(db, host)


def test_two_runs_that_race_for_a_host_ask_it_no_more_than_one_does(
    db: Database, workers: list[Context], httpserver: HTTPServer
) -> None:
    host = Host(httpserver, 2 * AT_ONCE + 10)
    add_feeds(db, host.urls)
    reports: list[GatherReport] = []
    threads = [threading.Thread(target=lambda ctx=ctx: reports.append(gather(ctx, due_only=True))) for ctx in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert host.most_at_once <= PER_HOST
    assert [report.failed for report in reports] == [0, 0]
    gather(workers[0], due_only=True)  # what each of them left to the other
    assert_everything_is_there_once(db, host)


def test_a_host_that_another_run_has_just_asked_is_left_alone_for_as_long_as_by_one_run(
    db: Database, workers: list[Context], clock: Clock, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.workflows.gather_run.gate_for", lambda _allow: HostGate(PER_HOST, GAP))  # nobody's own
    host = Host(httpserver, 2)
    add_feeds(db, host.urls[:1])
    assert gather(workers[0], due_only=True).ok == 1
    add_feeds(db, host.urls[1:])
    clock.advance(seconds=GAP / 2)
    assert gather(workers[1], due_only=True).busy == 1
    clock.advance(seconds=GAP / 2)
    assert gather(workers[1], due_only=True).ok == 1
    assert_everything_is_there_once(db, host)


def test_workers_of_the_distributed_engine_together_ask_a_host_no_more_than_one_does(
    db: Database, workers: list[Context], httpserver: HTTPServer
) -> None:
    if not db.is_postgresql:
        pytest.skip("on SQLite one process gathers")
    pytest.importorskip("procrastinate")
    from digest.engine.distributed import Distributed, prepare

    prepare(db.engine)
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    host = Host(httpserver, 2 * AT_ONCE + 10)
    add_feeds(db, host.urls)
    engines = [Distributed(url) for _ in workers]
    workers = [replace(ctx, jobs=engine) for ctx, engine in zip(workers, engines, strict=True)]
    # While one of them gathers, sweeps go on telling of the feeds that are due: the other one must not begin.
    host.before_answer = lambda: sweep(workers[1])
    done, gathered = threading.Event(), threading.Event()

    def look() -> None:
        with db.read() as session:
            if all(session.exec(select(Feed.last_success_at))):
                gathered.set()

    def work(ctx: Context, engine: Distributed) -> None:
        mine = handlers(ctx, done.is_set, 1)

        def gather_part(part: int) -> None:
            mine["digest.gather"](part=part)
            look()

        engine.work({**mine, "digest.gather": gather_part}, done)

    sweep(workers[0])
    threads = [threading.Thread(target=work, args=pair) for pair in zip(workers, engines, strict=True)]
    for thread in threads:
        thread.start()
    gathered.wait(PATIENCE)
    done.set()
    for thread in threads:
        thread.join()
    assert host.most_at_once == PER_HOST
    assert_everything_is_there_once(db, host)
