"""What delivering costs, from an approved issue to the last recorded result, beside what it can't cost less than.

Every measurement runs in fresh processes, one after the other, against the same kind of sink on loopback:

    python benchmarks/deliver.py --fastsink fastsink.c --nodemailer nodemailer_send.js     # the whole path and its peers
    python benchmarks/deliver.py … --alone                                                 # by one process, without helpers
    python benchmarks/deliver.py … --processes 2                                           # by two workers at once
    python benchmarks/deliver.py … --database postgresql://USER@HOST                       # the same on PostgreSQL
    python benchmarks/deliver.py --workers --database postgresql://USER@HOST               # 1, 2, 4 workers, slow sink
    python benchmarks/deliver.py --memory 1000 1000000                                     # peak memory of a worker

Peers: Postfix's smtp-source (16 connections kept open, messages of the same size, nothing but sending) and nodemailer
(npm, in --node-modules) that makes each mail for its reader. --fastsink is the source of a sink that discards what it
is sent; it is compiled here.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

TOPICS = tuple(f"topic{number}" for number in range(12))
STORIES = 7
"""Stories of each topic: mails of about 52 kB."""
SMTP_SOURCE = "/usr/sbin/smtp-source"
KEY = "the secret key of a measured house"


# The house: an approved issue with real fragments, and readers who chose at random


def furnish(url: str, readers: int) -> int:
    """An approved issue and its readers; the number of distinct choices."""
    from pydantic import TypeAdapter
    from sqlalchemy import insert

    import digest.store.tables as tables
    from digest.domain.audience import Signer
    from digest.domain.content import TopicProfile
    from digest.domain.issue import Block, PlacedItem, Section, StoryItem
    from digest.domain.newsroom import BlockSpec, NewsletterSpec
    from digest.render.pipeline import Renderer
    from digest.store import issues
    from digest.store.database import Database
    from digest.store.migrate import migrate
    from digest.workflows.document import document_of

    chance, now = random.Random(1), datetime.now(UTC)
    spec = NewsletterSpec(
        slug="ledger", name="The Ledger", tagline="Money, plainly told.", host="Ann Lee",
        from_address="ann@ledger.example", postal_address="1 Harbour Road, Lisbon", topics=TOPICS,
        blocks=(BlockSpec("masthead"), *(BlockSpec("section", topic, topic) for topic in TOPICS), BlockSpec("footer")),
    )  # fmt: skip
    db = Database(url)
    migrate(db)
    number = 0
    sections = []
    for topic in TOPICS:
        items = []
        for _ in range(STORIES):
            number += 1
            dek = " ".join(chance.choice(("price", "fund", "rose", "after", "the", "court", "said")) for _ in range(83))
            items.append(
                PlacedItem(
                    StoryItem(
                        story_id=number, rank=number, headline=f"Story {number} on {topic} moves on", source="The Wire",
                        url=f"https://news.example/{number}", published_at=now, dek=dek, topics=(topic,), kicker=topic,
                    ),
                    "card",
                )
            )  # fmt: skip
        sections.append(Section(f"section:{topic}", topic, topic, tuple(items)))
    blocks = [
        Block(key="masthead", type="masthead"),
        *(Block(key=section.key, type="section", title=section.title) for section in sections),
        Block(key="footer", type="footer"),
    ]
    with db.write() as session:
        session.add(
            tables.Newsletter(
                id=1, slug="ledger", name="The Ledger", spec=TypeAdapter(NewsletterSpec).dump_python(spec, mode="json")
            )
        )
        session.flush()
        for topic in TOPICS:
            profile = TypeAdapter(TopicProfile).dump_python(TopicProfile(topic, topic), mode="json")
            session.add(tables.Topic(slug=topic, name=topic, spec=profile))
        session.add_all(
            tables.Story(id=story, headline=f"Story {story}", created_at=now, last_article_at=now)
            for story in range(1, number + 1)
        )
        session.add(
            tables.Issue(
                id=1, newsletter_id=1, cadence="daily", slot="one", number=1, due_at=now, created_at=now,
                window_start=now - timedelta(days=1), window_end=now,
            )
        )  # fmt: skip
        session.flush()
        issues.save_draft(session, 1, spec, blocks, sections)
        document = document_of(session, 1, context(db, "", Path(tempfile.gettempdir())))
        issues.save_fragments(session, 1, Renderer(ROOT / "templates").render(document))
        issues.move(session, 1, ["draft"], "approved", approved_at=now, approved_by="ann")
    choices: dict[str, int] = {}
    hashed = Signer(KEY.encode())
    for start in range(0, readers, 10_000):
        ids = range(start + 1, min(start + 10_000, readers) + 1)
        chosen = {one: " ".join(sorted(chance.sample(TOPICS, chance.randint(5, 9)))) for one in ids}
        fresh = sorted(set(chosen.values()) - choices.keys())
        choices |= {key: len(choices) + number for number, key in enumerate(fresh, 1)}
        people = {n: f"reader{n:07}@mail{n % 50}.example" for n in ids}
        with db.write() as session:
            if fresh:
                session.execute(insert(tables.ChoiceSet), [{"id": choices[key], "key": key} for key in fresh])
            session.execute(
                insert(tables.Subscriber),
                [
                    {"id": n, "address": address, "address_key": address, "created_at": now,
                     "address_hash": hashed.address_hash(address), "hash_key": hashed.fingerprint}
                    for n, address in people.items()
                ],
            )  # fmt: skip
            session.execute(
                insert(tables.Subscription),
                [
                    {"id": n, "subscriber_id": n, "newsletter_id": 1, "state": "active", "created_at": now,
                     "choice_set_id": choices[chosen[n]]}
                    for n in ids
                ],
            )  # fmt: skip
    if db.is_postgresql:
        with db.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
    db.close()
    return len(choices)


class TakesAll:
    """A sender that takes everything at once: what is left is the service's own."""

    name, idempotent, batch = "takes all", False, 100

    def send(self, messages: Iterable[Any], hand_over: Any) -> Iterator[Any]:
        from digest.domain.mail import SendResult

        for message in messages:
            hand_over(message)
            yield SendResult(message, "sent", code="250")

    def close(self) -> None:
        pass


def context(db: Any, sender: str, var: Path) -> Any:
    """As bootstrap makes it."""
    from digest.domain.audience import Signer
    from digest.feeds.fetch import Fetcher
    from digest.senders.open import open_sender
    from digest.workflows.context import Context

    return Context(
        db=db, sender=open_sender(sender) if sender else TakesAll(), fetcher=Fetcher(), signer=Signer(KEY.encode()),
        clock=lambda: datetime.now(UTC), public_url="https://news.ledger.example", var=var, templates=ROOT / "templates",
    )  # fmt: skip


# What runs in processes of its own


def worker(connections: int) -> None:
    """Deliver issue 1 as ``digest worker`` does and print what it took, when a line on standard input says to begin."""
    from digest.cli.common import open_service
    from digest.workflows.deliver import deliver

    with open_service(forks=True) as (ctx, _settings):
        print("ready", flush=True)
        sys.stdin.readline()
        began, cpu = time.perf_counter(), time.process_time()
        planned: list[float] = []

        def progress(_settled: int, _total: int) -> None:
            if not planned:
                planned.append(time.perf_counter() - began)

        report = deliver(ctx, 1, threads=connections, progress=progress)
    took, own = time.perf_counter() - began, time.process_time() - cpu
    helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps({"seconds": took, "planning": min(planned, default=took), "sent": report.sent, "problem": report.problem,
                    "cpu": own + helpers.ru_utime + helpers.ru_stime,
                    "peak": max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, helpers.ru_maxrss) / 1024})
    )  # fmt: skip


def slow_sink(delay: float) -> None:
    """An SMTP sink that takes ``delay`` seconds over every message; it prints its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 slow ESMTP\r\n")
        try:
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"EHLO":
                    writer.write(b"250-slow\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
                elif verb == b"DATA":
                    writer.write(b"354 go\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    await asyncio.sleep(delay)
                    writer.write(b"250 2.0.0 Ok\r\n")
                elif verb == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 2.1.0 Ok\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 22)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(main())


# Measuring


def run_workers(
    url: str, sender: str, var: Path, count: int, connections: int, helped: bool = True
) -> dict[str, float]:
    """What so many workers, started at once, took together with their helpers (of several: without)."""
    command = [sys.executable, __file__, "--as-worker", str(connections)]
    env = {
        **os.environ, "DIGEST_DATABASE_URL": url, "DIGEST_SENDER": sender or "deliver:TakesAll", "DIGEST_VAR": str(var),
        "DIGEST_ENGINE": "embedded", "DIGEST_SECRET_KEY": KEY, "DIGEST_PUBLIC_URL": "https://news.ledger.example",
        "DIGEST_DELIVERY_PROCESSES": "0" if helped and count == 1 else "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")]),
    }  # fmt: skip
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        for _ in range(count)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    found = [json.loads(process.communicate()[0]) for process in processes]
    assert not any(one["problem"] for one in found), found
    return {
        "seconds": max(one["seconds"] for one in found),
        "sent": sum(one["sent"] for one in found), "cpu": sum(one["cpu"] for one in found),
        "peak": max(one["peak"] for one in found), "planning": min(one["planning"] for one in found),
    }  # fmt: skip


@contextmanager
def a_database(server: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database: SQLite in the folder, or a new one on the server."""
    name = f"digest_bench_{uuid.uuid4().hex[:10]}"
    if not server:
        yield f"sqlite:///{folder / name}.db"
        return
    import psycopg
    from sqlalchemy.engine import make_url

    plain = make_url(server).set(drivername="postgresql")
    with psycopg.connect(plain.set(database="postgres").render_as_string(False), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield plain.set(database=name).render_as_string(False)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def sink(binary: Path) -> Iterator[int]:
    """The port of a running fastsink."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([binary, str(port)])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def mean_size(url: str, var: Path) -> int:
    """Bytes of a message, over some readers."""
    from digest.store.database import Database
    from digest.workflows.messages import addressed, printed

    db = Database(url)
    ctx = context(db, "", var)
    with db.read() as session:
        issue = printed(session, 1, ctx)
    db.close()
    sizes = [
        len(
            addressed(
                ctx, issue, cut, delivery_id=1, subscriber_id=1, subscription_id=1, address="reader@mail.example",
                name="", dated_at=datetime.now(UTC),
            ).data
        )
        for cut in list(issue.cuts.values())[:300]
    ]  # fmt: skip
    return round(statistics.mean(sizes))


def by_smtp_source(port: int, messages: int, size: int) -> float:
    """Messages a second."""
    command = [SMTP_SOURCE, "-d", "-s", "16", "-m", str(messages), "-l", str(size), "-f", "a@ledger.example",
               "-t", "reader@mail.example", f"127.0.0.1:{port}"]  # fmt: skip
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return messages / (time.perf_counter() - began)


def by_nodemailer(script: str, modules: str, port: int, messages: int, size: int, folder: Path) -> float:
    """Messages a second, each built for its reader."""
    words = "The price of what they bought in spring rose after the court had said so. {{SID}} "
    (folder / "body.html").write_text(f"<p>{words * (size * 3 // 4 // len(words))}</p>")
    (folder / "body.txt").write_text(words * (size // 5 // len(words)))
    command = ["node", script, str(messages), "16", str(port), "build", "body.html", "body.txt"]
    done = subprocess.run(
        command, check=True, cwd=folder, text=True, capture_output=True, env={**os.environ, "NODE_PATH": modules}
    )
    return messages / float(done.stdout.split()[1])


def whole_path(options: argparse.Namespace, folder: Path) -> None:
    """The service beside its peers, ``--repeat`` times in turn."""
    binary = folder / "fastsink"
    subprocess.run(["cc", "-O2", "-o", binary, options.fastsink], check=True)
    ours, source, node, cpu, peak, planning = [], [], [], [], [], []
    size = 0
    for turn in range(options.repeat):
        with a_database(options.database, folder) as url, sink(binary) as port:
            cuts = furnish(url, options.readers)
            var = folder / f"var{turn}"
            took = run_workers(
                url,
                f"smtp://127.0.0.1:{port}?tls=none{options.query}",
                var,
                options.processes,
                options.connections,
                not options.alone,
            )
            assert took["sent"] == options.readers, took
            size = mean_size(url, var)
            ours.append(options.readers / took["seconds"])
            cpu.append(took["cpu"] / options.readers * 1e6)
            peak.append(took["peak"])
            planning.append(took["planning"])
            source.append(by_smtp_source(port, options.readers, size))
            if options.nodemailer:
                node.append(by_nodemailer(options.nodemailer, options.node_modules, port, 600, size, folder))
        words = f"  {ours[-1]:,.0f}/s ({cpu[-1]:.0f} µs CPU, {planning[-1]:.1f} s to the first) · smtp-source {source[-1]:,.0f}/s"
        print(words + (f" · nodemailer {node[-1]:,.0f}/s" if node else ""), flush=True)
    middle = statistics.median
    print(f"{options.readers:,} readers, {cuts:,} choices, mails of {size:,} bytes, {options.connections} connections of {options.processes} workers, "
          f"{'PostgreSQL' if options.database else 'SQLite'}; median of {options.repeat}")  # fmt: skip
    print(f"messages a second       {middle(ours):>10,.0f}")
    print(f"of smtp-source          {middle(a / b for a, b in zip(ours, source, strict=True)):>10.2f} ×")
    if node:
        print(f"of nodemailer           {middle(a / b for a, b in zip(ours, node, strict=True)):>10.1f} ×")
    print(f"CPU a message           {middle(cpu):>10.0f} µs")
    print(f"peak memory             {middle(peak):>10.0f} MB")


def several_workers(options: argparse.Namespace, folder: Path) -> None:
    """One, two and four workers on one issue, at a sink that takes 20 ms over every message."""
    rates: dict[int, list[float]] = {1: [], 2: [], 4: []}
    for turn in range(options.repeat):
        for count in rates:
            with a_database(options.database, folder) as url:
                furnish(url, options.readers)
                process = subprocess.Popen([sys.executable, __file__, "--as-slow-sink", "0.02"], stdout=subprocess.PIPE, text=True)  # fmt: skip
                try:
                    assert process.stdout is not None
                    sender = f"smtp://127.0.0.1:{int(process.stdout.readline())}?tls=none"
                    var = folder / f"slow{turn}-{count}"
                    took = run_workers(url, sender, var, count, options.connections)
                finally:
                    process.kill()
                    process.wait()
                assert took["sent"] == options.readers, took
                # From the first result to the last: how long an issue takes to be planned has its own benchmark.
                rates[count].append(options.readers / (took["seconds"] - took["planning"]))
                print(f"  {count} workers: {rates[count][-1]:,.0f}/s, {took['cpu'] / options.readers * 1e6:.0f} µs CPU", flush=True)  # fmt: skip
    for count in (2, 4):
        ratio = statistics.median(a / b for a, b in zip(rates[count], rates[1], strict=True))
        print(f"{count} workers of one: {ratio:.2f} ×")


def memory(options: argparse.Namespace, folder: Path) -> None:
    """Peak memory of a worker with few and with many readers, at a sender that takes everything."""
    peaks = []
    for readers in options.memory:
        with a_database(options.database, folder) as url:
            furnish(url, readers)
            took = run_workers(url, "", folder / f"memory{readers}", 1, options.connections)
            assert took["sent"] == readers, took
        peaks.append(took["peak"])
        print(f"{readers:>10,} readers: peak {took['peak']:.0f} MB, {readers / took['seconds']:,.0f}/s, "
              f"{took['cpu'] / readers * 1e6:.0f} µs CPU, {took['planning']:.1f} s to the first result", flush=True)  # fmt: skip
    print(f"{peaks[-1] / peaks[0]:.2f} ×")


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fastsink", default=os.environ.get("DIGEST_FASTSINK", ""))
    parser.add_argument("--nodemailer", default=os.environ.get("DIGEST_NODEMAILER", ""))
    parser.add_argument("--node-modules", default=os.environ.get("NODE_PATH", ""))
    parser.add_argument("--database", default="", help="a PostgreSQL server on which databases may be made")
    parser.add_argument("--readers", type=int, default=50_000)
    parser.add_argument("--connections", type=int, default=4, help="of each worker")
    parser.add_argument("--processes", type=int, default=1, help="workers that share the whole path")
    parser.add_argument("--alone", action="store_true", help="without helpers, whatever the cores")
    parser.add_argument("--query", default="", help="more options of the sender, such as &per_connection=100000")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--workers", action="store_true")
    parser.add_argument("--memory", type=int, nargs="+", default=[])
    parser.add_argument("--as-worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--as-slow-sink", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_worker:
        worker(options.as_worker)
    elif options.as_slow_sink is not None:
        slow_sink(options.as_slow_sink)
    else:
        with tempfile.TemporaryDirectory(prefix="digest-bench-") as name:
            measure = memory if options.memory else several_workers if options.workers else whole_path
            measure(options, Path(name))


if __name__ == "__main__":
    main()
