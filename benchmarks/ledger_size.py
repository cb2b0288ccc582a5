"""What the ledger takes on disk for each reader of an issue, tables and indexes, on SQLite and on PostgreSQL.

    python benchmarks/ledger_size.py [--rows N]

So many readers of one issue are planned, claimed in chunks of 500, recorded, and the issue is closed, by the statements
that the service uses. Limit: 150 bytes a row, as sending leaves it: queue and ledger with all their indexes and dead rows,
nothing vacuumed by hand. Three kinds of answers: one that says nothing, the queue's id of a mail server, and a
provider's id of 36 characters. Beside them, seconds that claiming and recording took.
PostgreSQL at 127.0.0.1:5432 (or DIGEST_TEST_DATABASE_URL).
"""

import argparse
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg
from sqlalchemy import bindparam, text
from sqlalchemy.engine import make_url

from benchmarks.plan import NOW, fill
from benchmarks.planned_issue import context, publish
from digest.engine.journal import Answer
from digest.store import deliveries, issues, subscribers
from digest.store.database import Database
from digest.store.migrate import migrate
from digest.workflows.deliver import deliver, plan_deliveries
from digest.workflows.pace import change_of

WORKER = "news-1-48213-5f1d03ac"
LATER = NOW + timedelta(days=5)


def plain(row: int) -> Answer:
    """A server that says nothing about the mail."""
    return Answer(row, "sent", "250 2.0.0", "Ok")


def queued_as(row: int) -> Answer:
    """Postfix, with long queue ids."""
    return Answer(row, "sent", "250 2.0.0", f"Ok: queued as 4dRk{row % 10**7:07d}z1X")


def named(row: int) -> Answer:
    """A provider that names mails by UUID."""
    return Answer(row, "sent", "200", "OK", str(uuid.UUID(int=row)))


def sent(db: Database, rows: int, answer: Callable[[int], Answer]) -> tuple[int, float, float]:
    """So many readers through the ledger. Returns how many rows there are, and the seconds of claiming and recording."""
    ctx = context(db, NOW)
    issue_id = publish(ctx, 1, range(1, 26))
    fill(db, rows)
    with db.write() as session:
        subscribers.hash_addresses(session, ctx.signer)
    planned = plan_deliveries(ctx, issue_id)
    with db.write() as session:
        issues.move(session, issue_id, ["approved"], "sending")
    claiming = recording = 0.0
    while True:
        began = time.perf_counter()
        with db.write() as session:
            claimed = deliveries.claim(session, issue_id, 0, WORKER, LATER, LATER + timedelta(minutes=15), 500)
        claiming += time.perf_counter() - began
        if not claimed:
            break
        done = [change_of(answer(row.id), LATER, LATER) for row in claimed]
        began = time.perf_counter()
        with db.write() as session:
            deliveries.record(session, WORKER, done)
        recording += time.perf_counter() - began
    deliver(replace(ctx, clock=lambda: LATER), issue_id)  # closes it
    with db.read() as session:
        assert issues.get(session, issue_id).state == "sent"
        counts = deliveries.counts(session, issue_id)
        assert counts["sent"] + counts["skipped"] == counts["audience"] == planned["audience"]
    return planned["audience"], claiming, recording


def bytes_on_disk(db: Database) -> dict[str, int]:
    """Bytes of both tables and of each of their indexes."""
    names = ("delivery_queue", "delivery_ledger")
    with db.read() as session:
        if session.get_bind().dialect.name == "postgresql":
            query = text(
                "SELECT c.oid::regclass::text, pg_table_size(c.oid) FROM pg_class c WHERE c.relname IN :names UNION ALL"
                " SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) FROM pg_index i JOIN pg_class c"
                " ON c.oid = i.indrelid WHERE c.relname IN :names"
            )
        else:
            query = text(
                "SELECT name, sum(pgsize) FROM dbstat WHERE name IN"
                " (SELECT name FROM sqlite_master WHERE tbl_name IN :names) GROUP BY name"
            )
        found = session.execute(query.bindparams(bindparam("names", names, expanding=True)))
        return {str(name): int(size) for name, size in found}


def report(words: str, db: Database, measured: tuple[int, float, float]) -> None:
    """One line."""
    rows, claiming, recording = measured
    sizes = bytes_on_disk(db)
    parts = ", ".join(
        f"{name.removeprefix('ix_').removeprefix('delivery_')} {size / rows:.0f}"
        for name, size in sorted(sizes.items())
    )
    print(
        f"{words:<26} {sum(sizes.values()) / rows:6.1f} bytes a row (limit 150): {parts}; "
        f"claim {claiming / rows * 1e6:.1f} µs, record {recording / rows * 1e6:.1f} µs"
    )


def main() -> None:
    """Measure both databases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    answers = {"Ok": plain, "queue ids": queued_as, "provider ids": named}
    for words, answer in answers.items():
        with tempfile.TemporaryDirectory() as folder:
            db = Database(f"sqlite:///{folder}/ledger.db")
            migrate(db)
            report(f"SQLite, {words}", db, sent(db, rows, answer))
            db.close()
    server = os.environ.get("DIGEST_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
    address = make_url(server).set(drivername="postgresql")
    with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as admin:
        for words, answer in answers.items():
            name = f"digest_size_{uuid.uuid4().hex[:12]}"
            admin.execute(f'CREATE DATABASE "{name}"')
            try:
                db = Database(address.set(database=name).render_as_string(hide_password=False))
                migrate(db)
                report(f"PostgreSQL, {words}", db, sent(db, rows, answer))
                db.close()
            finally:
                admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


if __name__ == "__main__":
    main()
