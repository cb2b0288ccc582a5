"""Planning the ledger of an issue for many readers: how long beside a bare INSERT … SELECT, how much memory, how large.

    benchmarks/plan.py [READERS] [--runs N] [--database URL ...]

Each database is made anew in a temporary place (PostgreSQL: a database of its own on 127.0.0.1), filled by set-based SQL,
and planned in a process of its own. For each run: a bare INSERT … SELECT of the same columns into the same table, then the
plan of a fresh issue, then planning it again, then the plan of an issue of which half the stories were carried before.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

NOW = datetime(2026, 3, 12, 11, 0, tzinfo=UTC)
TOPICS = 10
SETS = 500


def fill(db: Any, readers: int) -> None:
    """Readers with one of 500 sets of topics, some hours and zones, a few paused or suppressed."""
    sequence = (
        f"SELECT g AS n FROM generate_series(1, {readers}) AS g"
        if db.is_postgresql
        else f"WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {readers}) SELECT n FROM g"
    )
    zone = (
        "CASE n % 4 WHEN 0 THEN 'UTC' WHEN 1 THEN 'America/New_York' WHEN 2 THEN 'Europe/Berlin' ELSE 'Asia/Tokyo' END"
    )
    at = "CAST('2026-03-01 00:00:00.000000' AS TIMESTAMPTZ)" if db.is_postgresql else "'2026-03-01 00:00:00.000000'"
    from sqlalchemy import text

    with db.engine.begin() as connection:
        for statement in (
            "INSERT INTO subscriber (id, address, address_key, name, zone, language, created_at, address_hash, hash_key) "
            f"SELECT n, 'reader' || n || '@example.org', 'reader' || n || '@example.org', '', {zone}, 'en', {at}, '', '' "
            f"FROM ({sequence}) AS s",
            *(
                f"INSERT INTO choice_set (id, key) VALUES ({number}, '{key}')"
                for number, key in enumerate(choice_keys(), start=1)
            ),
            "INSERT INTO subscription (id, subscriber_id, newsletter_id, state, frequency, hour, choice_set_id, created_at, "
            "paused_until, ended_why, consent_text, consent_version, consent_url, consent_ip) SELECT n, n, 1, 'active', "
            "CASE n % 20 WHEN 0 THEN 'weekly' WHEN 1 THEN 'weekdays' ELSE 'every-issue' END, "
            "CASE n % 3 WHEN 0 THEN '' WHEN 1 THEN '07:00' ELSE '18:30' END, "
            f"1 + n % {SETS}, {at}, CASE WHEN n % 50 = 0 THEN CAST('2027-01-01 00:00:00.000000' AS TIMESTAMP{'TZ' if db.is_postgresql else ''}) END, "
            f"'', '', '', '', '' FROM ({sequence}) AS s",
        ):
            connection.execute(text(statement if db.is_postgresql else sqlite_text(statement)))
        if db.is_postgresql:
            connection.exec_driver_sql("SELECT setval('subscription_id_seq', (SELECT max(id) FROM subscription))")


def sqlite_text(statement: str) -> str:
    return statement.replace("CAST('2027-01-01 00:00:00.000000' AS TIMESTAMP)", "'2027-01-01 00:00:00.000000'")


def choice_keys() -> list[str]:
    """500 sets of two to five of ten topics; one in ten has a weekly topic."""
    import itertools

    keys = [
        " ".join(f"t{n}" for n in chosen)
        for size in (2, 3, 4, 5)
        for chosen in itertools.combinations(range(TOPICS), size)
    ][:SETS]
    return [f"{key}:weekly" if number % 10 == 0 else key for number, key in enumerate(keys)]


def measure(url: str, readers: int) -> None:
    """One database: prints seconds of bare, plan, again, repeat; bytes a row; peak memory."""
    from sqlalchemy import text

    from benchmarks.planned_issue import context, publish
    from digest.store import subscribers
    from digest.store.database import Database
    from digest.store.migrate import migrate
    from digest.workflows.deliver import plan_deliveries

    db = Database(url)
    migrate(db)
    ctx = context(db, NOW)
    first = publish(ctx, 1, range(1, 25))
    fill(db, readers)
    began = time.perf_counter()
    with db.write() as session:
        subscribers.hash_addresses(session, ctx.signer)
    hashing = time.perf_counter() - began
    if db.is_postgresql:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    number = publish(ctx, 2, range(101, 125))
    bare = timed(lambda: bare_insert(db, text, number, readers))
    with db.write() as session:
        session.execute(text("TRUNCATE delivery_queue" if db.is_postgresql else "DELETE FROM delivery_queue"))
    size_before = size(db, text)
    spent = timed(lambda: plan_deliveries(ctx, first))
    each = (size(db, text) - size_before) / readers
    again = timed(lambda: plan_deliveries(ctx, first))
    third = publish(ctx, 3, range(13, 37))
    repeat = timed(lambda: plan_deliveries(ctx, third))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counted = timed(lambda: count(ctx, first))
    looked = timed(lambda: look(ctx, first))
    print(
        f"{bare:.2f} {spent:.2f} {again:.2f} {repeat:.2f} {each:.0f} {before:.0f} {peak:.0f} {hashing:.2f} {counted:.3f} {looked:.3f}"
    )


def count(ctx: Any, issue: int) -> None:
    from digest.workflows.deliver import audit

    audit(ctx, issue)


def look(ctx: Any, issue: int) -> None:
    from digest.workflows.progress import Pulse

    Pulse(ctx).read(issue)


def bare_insert(db: Any, text: Any, issue: int, readers: int) -> None:
    """The same columns, the same table with its indexes and keys; nothing is worked out."""
    moment = "TIMESTAMPTZ '2026-03-12 17:30:00+00'" if db.is_postgresql else "1773336600000000"
    with db.write() as session:
        session.execute(
            text(
                "INSERT INTO delivery_queue (subscriber_id, subscription_id, state, reason, cut_id, not_before, issue_id, attempts, "
                f"worker, provider_id) SELECT subscriber_id, id, 'queued', '', 1 + id % {SETS}, {moment}, {issue}, 0, '', '' "
                "FROM subscription WHERE newsletter_id = 1 AND state = 'active'"
            )
        )


def size(db: Any, text: Any) -> int:
    """Bytes of the ledger with its indexes."""
    if db.is_postgresql:
        query = "SELECT pg_total_relation_size('delivery_queue') + pg_total_relation_size('delivery_ledger')"
    else:
        query = (
            "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name IN "
            "('delivery_queue', 'delivery_ledger'))"
        )
    with db.engine.connect() as connection:
        return int(connection.execute(text(query)).scalar() or 0)


def timed(step: Any) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def one(kind: str, readers: int) -> list[float]:
    """A fresh database and process."""
    with tempfile.TemporaryDirectory() as folder:
        url, drop = f"sqlite:///{folder}/plan.db", None
        if kind == "postgresql":
            import psycopg

            name = f"digest_bench_{uuid.uuid4().hex[:10]}"
            admin = psycopg.connect("postgresql://postgres@127.0.0.1:5432/postgres", autocommit=True)
            admin.execute(f'CREATE DATABASE "{name}"')
            url, drop = (
                f"postgresql://postgres@127.0.0.1:5432/{name}",
                lambda: admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'),
            )
        try:
            code = f"import sys; sys.path[:0] = [{str(HERE.parent)!r}]; from benchmarks import plan; plan.measure({url!r}, {readers})"
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ})
            if done.returncode:
                sys.exit(done.stderr)
            return [float(value) for value in done.stdout.split()]
        finally:
            if drop:
                drop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--database", action="append", choices=["sqlite", "postgresql"])
    asked = parser.parse_args()
    for kind in asked.database or ["sqlite", "postgresql"]:
        runs = [one(kind, asked.readers) for _ in range(asked.runs)]
        bare, spent, again, repeat, each, before, peak, hashing, counted, looked = (
            statistics.median(column) for column in zip(*runs, strict=True)
        )
        ratio = statistics.median(run[1] / run[0] for run in runs)
        print(
            f"{kind}: {asked.readers:,} readers, median of {asked.runs}: bare INSERT … SELECT {bare:.2f} s, plan {spent:.2f} s = "
            f"{ratio:.2f} × (limit 3); again {again:.2f} s; half the stories carried before {repeat:.2f} s = "
            f"{statistics.median(run[3] / run[0] for run in runs):.2f} ×; {each:.0f} bytes a row while it waits; "
            f"memory {before:.0f} → {peak:.0f} MB; audit {counted:.3f} s, progress {looked:.3f} s; hashing addresses once {hashing:.1f} s"
        )


if __name__ == "__main__":
    main()
