"""What gathering costs, beside what it can't cost less than.

A server of its own process plays the feeds; every measurement runs in a fresh process, one after the other, and
prints seconds, CPU seconds and peak memory. Beside the first and second gather stand, in the same run: feedparser
alone on the same bytes, requests alone on the same URLs with as many threads, and storing the same rows alone.

    python benchmarks/gather.py            # 100, then 2,000 feeds of 30 items, on SQLite: some minutes
    python benchmarks/gather.py --small    # 40, then 200 feeds: a quick look
    python benchmarks/gather.py --database postgresql://…    # an empty database: its tables are dropped
"""

import argparse
import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from digest.domain.content import Entry

ITEMS = 30
HOSTS = [f"127.0.0.{number}" for number in range(1, 17)]
"""Loopback addresses that play the hosts: the per-host limit is then as far from mattering as on the open web."""
SAMPLE = 100
"""Feeds that feedparser reads; its time is scaled to all of them."""
TRICKLING = 50
"""Feeds that give one byte a second."""
WORDS = [
    "the",
    "market",
    "price",
    "of",
    "a",
    "token",
    "fell",
    "sharply",
    "on",
    "Monday",
    "as",
    "traders",
    "sold",
    "what",
    "they",
    "had",
    "bought",
    "in",
    "spring",
    "while",
    "several",
    "countries",
    "weighed",
    "new",
    "rules",
    "for",
    "exchanges",
    "that",
    "hold",
    "customers",
    "money",
    "and",
    "analysts",
    "said",
    "it",
    "could",
    "go",
    "on",
    "for",
    "weeks",
]


def template() -> bytes:
    """A feed as blogs publish it: 30 items with summary, content of five paragraphs, picture, tags, byline."""
    chance = random.Random(7)

    def say(count: int) -> str:
        return " ".join(chance.choice(WORDS) for _ in range(count)).capitalize()

    def item(number: int) -> str:
        page = f"http://feed@@.example/2026/03/{number}-{say(3).lower().replace(' ', '-')}/"
        text = "".join(f'<p>{say(30)} <a href="{page}more">{say(3)}</a>, {say(12)}.</p>\n' for _ in range(5))
        return (
            f"<item><title>{say(9)} &amp; {number}</title><link>{page}?utm_source=rss</link>"
            f'<guid isPermaLink="false">http://feed@@.example/?p={number}</guid>'
            f"<dc:creator><![CDATA[Ada Brandt]]></dc:creator><pubDate>Thu, 12 Mar 2026 09:{number % 60:02d}:00 +0000</pubDate>"
            f"<category><![CDATA[Markets]]></category><category><![CDATA[Tokens]]></category>"
            f"<description><![CDATA[<p>{say(30)} [&#8230;]</p>]]></description>"
            f'<content:encoded><![CDATA[<p><img src="/img/{number}.jpg" alt="{say(5)}" width="800" height="400"/></p>{text}]]>'
            f"</content:encoded></item>"
        )

    head = (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Feed @@</title><link>http://feed@@.example/</link>'
        "<description>News</description><language>en-US</language>"
    )
    return f"{head}{''.join(item(number) for number in range(ITEMS))}</channel></rss>".encode()


def body(number: int, template: bytes) -> bytes:
    """What feed ``number`` says."""
    return template.replace(b"@@", str(number).encode())


def serve(port: int) -> None:
    """Play the feeds until killed."""
    made = template()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET /trickle/"):
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                    while True:
                        writer.write(b" ")
                        await writer.drain()
                        await asyncio.sleep(1)
                elif b'if-none-match: "v1"' in head.lower():
                    writer.write(b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n')
                else:
                    content = body(int(head.split(b" ", 2)[1].rpartition(b"/")[2]), made)
                    writer.write(
                        b'HTTP/1.1 200 OK\r\nETag: "v1"\r\nContent-Type: application/rss+xml\r\nContent-Length: '
                        + str(len(content)).encode()
                        + b"\r\n\r\n"
                        + content
                    )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        await asyncio.start_server(answer, HOSTS, port)
        print("ready", flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


def urls(count: int, port: int) -> list[str]:
    """Where the feeds are."""
    return [f"http://{HOSTS[number % len(HOSTS)]}:{port}/{number}" for number in range(count)]


def measured(work: Callable[[], Any]) -> dict[str, Any]:
    """Seconds and CPU seconds of ``work`` (those of processes that it started and ended as well), and what it returned."""
    wall, cpu = time.perf_counter(), _cpu()
    result = work()
    return {"seconds": time.perf_counter() - wall, "cpu": _cpu() - cpu, "result": result}


def _cpu() -> float:
    return sum(os.times()[:4])


def gather_twice(count: int, port: int, database: str) -> dict[str, Any]:
    """The first gather, with everything new, and the second, with 304 alone."""
    import structlog
    from sqlmodel import SQLModel

    from digest.domain.audience import Signer
    from digest.engine.nursery import Nursery
    from digest.feeds import reader
    from digest.feeds.fetch import Fetcher
    from digest.store.database import Database
    from digest.store.tables import Feed
    from digest.workflows.context import Context
    from digest.workflows.gather import gather

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    nursery = Nursery({"reader": reader.run})  # as the commands that gather do, before anything is opened
    db = Database(database)
    SQLModel.metadata.drop_all(db.engine)
    SQLModel.metadata.create_all(db.engine)
    with db.write() as session:
        session.add_all(Feed(url=url, name=f"Feed {number}") for number, url in enumerate(urls(count, port)))
    fetcher, here = Fetcher(frozenset(HOSTS)), Path(tempfile.gettempdir())
    ctx = Context(db, None, fetcher, Signer(b"0" * 32), lambda: datetime.now(UTC), "", here, here)  # type: ignore[arg-type]

    def run(nursery: Nursery | None = None) -> tuple[int, int, int]:
        report = gather(replace(ctx, start_reader=partial(nursery.start, "reader")) if nursery else ctx)
        if nursery:
            nursery.close()  # so that the processor time of its children is known
        return report.ok, report.not_modified, report.articles_new

    before = _peak()
    with _watched_readers() as beside:
        first = measured(partial(run, nursery))
    peak = _peak()
    second = measured(run)
    assert first["result"] == (count, 0, count * ITEMS), first
    assert second["result"] == (0, count, 0), second
    return {"first": first, "second": second, "peak": peak, "before": before, "beside": sum(beside)}


def beside_trickling(count: int, port: int, database: str) -> dict[str, Any]:
    """The first gather beside feeds that give one byte a second: when the last of the others was in, and all."""
    import structlog
    from sqlmodel import SQLModel

    from digest.domain.audience import Signer
    from digest.feeds.fetch import Fetcher
    from digest.store.database import Database
    from digest.store.tables import Feed
    from digest.workflows.context import Context
    from digest.workflows.gather import DEADLINE, gather

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    db = Database(database)
    SQLModel.metadata.drop_all(db.engine)
    SQLModel.metadata.create_all(db.engine)
    slow = [f"http://{HOSTS[number % len(HOSTS)]}:{port}/trickle/{number}" for number in range(TRICKLING)]
    with db.write() as session:
        session.add_all(Feed(url=url, name=url) for url in [*slow, *urls(count, port)])
    fetcher, here = Fetcher(frozenset(HOSTS)), Path(tempfile.gettempdir())
    ctx = Context(db, None, fetcher, Signer(b"0" * 32), lambda: datetime.now(UTC), "", here, here)  # type: ignore[arg-type]
    started, last = time.perf_counter(), [0.0]

    def note(outcome: Any, _done: int, _total: int) -> None:
        if outcome.state == "ok":
            last[0] = time.perf_counter() - started

    report = gather(ctx, progress=note)
    assert (report.ok, report.failed) == (count, TRICKLING), report
    return {"others": last[0], "all": time.perf_counter() - started, "deadline": DEADLINE}


def requests_alone(count: int, port: int, _database: str) -> dict[str, Any]:
    """The same URLs with requests and as many threads, nothing done with the answers; then the same with validators."""
    import requests
    from requests.adapters import HTTPAdapter

    from digest.workflows.gather_hosts import MOST as THREADS

    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_connections=64, pool_maxsize=THREADS))

    def fetch(headers: dict[str, str]) -> int:
        with ThreadPoolExecutor(THREADS) as pool:
            return sum(pool.map(lambda url: len(session.get(url, headers=headers).content), urls(count, port)))

    return {"first": measured(lambda: fetch({})), "second": measured(lambda: fetch({"If-None-Match": '"v1"'}))}


def parsing_alone(count: int, port: int, _database: str) -> dict[str, Any]:
    """feedparser and the parser of this project on the same bytes, in turn; seconds for ``count`` feeds."""
    import feedparser

    from digest.feeds.parse import parse

    made, sample = template(), min(count, SAMPLE)
    theirs = ours = 0.0
    for number in range(sample):
        content = body(number, made)
        start = time.process_time()
        found = feedparser.parse(content)
        middle = time.process_time()
        entries = parse(content, "application/rss+xml", f"http://feed{number}.example/feed").entries
        theirs, ours = theirs + middle - start, ours + time.process_time() - middle
        assert [entry.title for entry in entries] == [entry.title for entry in found.entries]
    return {"feedparser": theirs * count / sample, "ours": ours * count / sample, "bytes": len(made)}


def storing_alone(count: int, port: int, database: str) -> dict[str, Any]:
    """The same rows written as gathering writes them, from entries on, nothing fetched; and the candidates of a window read back."""
    from sqlmodel import SQLModel

    from digest.domain.calendar import Window
    from digest.domain.incoming import incoming
    from digest.feeds.clean import canonical_url
    from digest.feeds.parse import parse
    from digest.store import articles
    from digest.store.database import Database
    from digest.store.tables import Feed

    db = Database(database)
    SQLModel.metadata.drop_all(db.engine)
    SQLModel.metadata.create_all(db.engine)
    with db.write() as session:
        session.add_all(Feed(url=url, name=f"Feed {number}") for number, url in enumerate(urls(count, port)))

    def feeds() -> Iterator[list[tuple["Entry", str]]]:
        made = template()
        for number in range(count):
            found = parse(body(number, made), "", f"http://feed{number}.example/feed").entries
            yield [(entry, canonical_url(entry.url)) for entry in found]

    from digest.workflows.gather_run import AT_ONCE

    now, seconds, cpu = datetime.now(UTC), 0.0, 0.0
    numbered = enumerate(feeds(), 1)
    while some := list(islice(numbered, AT_ONCE)):
        wall, busy = time.perf_counter(), time.process_time()
        shown = [
            articles.Shown(
                number,
                f"Feed {number}",
                [incoming(entry, url, entry.published_at) for entry, url in entries],
                first_read=True,
            )
            for number, entries in some
        ]
        with db.write() as session:
            stored = articles.upsert_all(session, shown, now)
        seconds, cpu = seconds + time.perf_counter() - wall, cpu + time.process_time() - busy
        assert sum(len(each.new) for each in stored.values()) == ITEMS * len(some)

    def read() -> int:
        with db.read() as session:
            day = Window(datetime(2026, 3, 12, tzinfo=UTC), datetime(2026, 3, 13, tzinfo=UTC))
            return len(articles.candidates(session, day))

    return {"seconds": seconds, "cpu": cpu, "candidates": measured(read)}


PHASES = {
    each.__name__: each for each in (gather_twice, beside_trickling, requests_alone, parsing_alone, storing_alone)
}


def _peak() -> float:
    """Peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _watched_readers() -> Iterator[list[float]]:
    """Peak memory of every process that reads, in MB. Linux counts a parent's memory as its child's until exec."""
    from digest.feeds.reader import Reader

    peaks: list[float] = []
    end = Reader.end

    def noted(reader: Any) -> None:
        status = Path(f"/proc/{reader._process.pid}/status").read_text(encoding="ascii")
        peaks.append(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
        end(reader)

    with mock.patch.object(Reader, "end", noted):
        yield peaks


def _phase(name: str, count: int, port: int, database: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--phase", name, str(count), str(port), database]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def report(count: int, port: int, database: str) -> float:
    """Measure ``count`` feeds and print the figures; CPU seconds of the first gather for one feed."""
    alone, stored = _phase("requests_alone", count, port, database), _phase("storing_alone", count, port, database)
    parsed, run = _phase("parsing_alone", count, port, database), _phase("gather_twice", count, port, database)
    again = _phase("requests_alone", count, port, database)
    for part in ("first", "second"):  # before and after: the machine may not be ours alone
        alone[part] = {key: (alone[part][key] + again[part][key]) / 2 for key in ("seconds", "cpu")}
    first, second = run["first"], run["second"]
    limit = 1.5 * alone["first"]["seconds"] + stored["seconds"]
    print(f"\n{count} feeds of {ITEMS} items, {parsed['bytes'] // 1000} kB each")
    print(f"{'':34}{'seconds':>9}{'CPU s':>9}{'feeds/s':>9}")
    for name, figures in {
        "first gather": first,
        "second gather (304)": second,
        "requests alone": alone["first"],
        "requests alone (304)": alone["second"],
        "storing alone": stored,
        "candidates of a day": stored["candidates"],
        "feedparser alone (scaled)": {"seconds": parsed["feedparser"], "cpu": parsed["feedparser"]},
        "our parser alone (scaled)": {"seconds": parsed["ours"], "cpu": parsed["ours"]},
    }.items():
        print(f"  {name:32}{figures['seconds']:9.2f}{figures['cpu']:9.2f}{count / figures['seconds']:9.0f}")
    print(
        f"  peak memory of the gather {run['peak']:.0f} MB, {run['before']:.0f} MB of it before the first feed;"
        f" and {run['beside']:.0f} MB in processes beside it"
    )
    print(f"  parser: {parsed['feedparser'] / parsed['ours']:.1f} times as fast as feedparser (goal 15)")
    print(f"  first gather: {first['seconds'] / limit:.2f} of 1.5 x requests + storing (goal at most 1)")
    print(f"  second gather: {second['seconds'] / alone['second']['seconds']:.2f} x requests (goal at most 1.3)")
    if count <= 200:
        slow = _phase("beside_trickling", count, port, database)
        print(
            f"  beside {TRICKLING} feeds that trickle: the others were in after {slow['others']:.1f} s"
            f" ({slow['others'] - first['seconds']:+.1f} s; goal at most one deadline, {slow['deadline']:.0f} s),"
            f" the run ended after {slow['all']:.1f} s"
        )
    print(f"  storing: {count * ITEMS / stored['seconds']:.0f} articles a second", flush=True)
    cost: float = first["cpu"] / count
    return cost


def main() -> None:
    """Run the benchmark."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--small", action="store_true", help="40 and 200 feeds instead of 100 and 2,000")
    options.add_argument("--database", default="", help="an empty database; without it, a SQLite file of its own")
    options.add_argument("--port", type=int, default=8921)
    options.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options.add_argument("--phase", nargs=4, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        serve(given.serve)
    if given.phase:
        name, count, port, database = given.phase
        print(json.dumps(PHASES[name](int(count), int(port), database)))
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([sys.executable, __file__, "--serve", str(given.port)], stdout=subprocess.PIPE) as server,
    ):
        try:
            assert server.stdout is not None
            server.stdout.readline()
            database = given.database or f"sqlite:///{folder}/gather.db"
            few, many = (report(count, given.port, database) for count in ((40, 200) if given.small else (100, 2000)))
            print(f"\nCPU of the first gather for one feed, many feeds against few: {many / few:.2f} (linear is 1)")
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
