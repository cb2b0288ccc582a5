"""What the ledger takes on disk for each reader of an issue, table and indexes, on SQLite and on PostgreSQL.

    python benchmarks/ledger_size.py [--rows N]

So many readers of one issue are planned, claimed, sent and recorded by the statements that the service uses, in chunks
of 500, as a worker does. Limit: 150 bytes a row. (`benchmarks/plan.py` measures the same before anything is sent.)
PostgreSQL at 127.0.0.1:5432 (or DIGEST_TEST_DATABASE_URL); its table is measured as sending leaves it, with the dead
rows of every update, and again after VACUUM FULL.
"""

import argparse
import os
import sys
import tempfile
import uuid
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from benchmarks.plan import NOW, fill
from benchmarks.planned_issue import context, publish
from digest.engine.journal import Answer
from digest.store import deliveries, issues, subscribers
from digest.store.database import Database
from digest.store.migrate import migrate
from digest.workflows.deliver import plan_deliveries
from digest.workflows.pace import change_of

WORKER = "news-1-48213-5f1d03ac"


def sent(db: Database, rows: int) -> int:
    """So many readers through the ledger: planned, claimed, recorded as sent. Returns how many rows there are."""
    ctx = context(db, NOW)
    issue_id = publish(ctx, 1, range(1, 26))
    fill(db, rows)
    with db.write() as session:
        subscribers.hash_addresses(session, ctx.signer)
    planned = plan_deliveries(ctx, issue_id)
    with db.write() as session:
        issues.move(session, issue_id, ["approved"], "sending")
    later = NOW + timedelta(days=5)
    while True:
        with db.write() as session:
            claimed = deliveries.claim(session, issue_id, 0, WORKER, later, later + timedelta(minutes=15), 500)
        if not claimed:
            return planned["audience"]
        with db.write() as session:
            done = [change_of(Answer(row.id, "sent", "250 2.0.0", "Ok"), later, later) for row in claimed]
            deliveries.record(session, WORKER, done)


def bytes_on_disk(db: Database) -> dict[str, int]:
    """Bytes of the table and of each of its indexes."""
    with db.read() as session:
        if session.get_bind().dialect.name == "postgresql":
            query = text(
                "SELECT 'delivery', pg_table_size('delivery') UNION ALL SELECT indexrelid::regclass::text,"
                " pg_relation_size(indexrelid) FROM pg_index WHERE indrelid = 'delivery'::regclass"
            )
        else:
            query = text(
                "SELECT name, sum(pgsize) FROM dbstat WHERE name IN"
                " (SELECT name FROM sqlite_master WHERE tbl_name = 'delivery') GROUP BY name"
            )
        return {str(name): int(size) for name, size in session.execute(query)}


def report(words: str, sizes: dict[str, int], rows: int) -> None:
    parts = ", ".join(
        f"{name.removeprefix('ix_').removeprefix('uq_')} {size / rows:.0f}" for name, size in sorted(sizes.items())
    )
    print(f"{words:<34} {sum(sizes.values()) / rows:6.1f} bytes a row (limit 150): {parts}")


def main() -> None:
    """Measure both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/ledger.db")
        migrate(db)
        planned = sent(db, rows)
        report("SQLite, after sending", bytes_on_disk(db), planned)
        db.close()
    server = os.environ.get("DIGEST_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
    name = f"digest_size_{uuid.uuid4().hex[:12]}"
    address = make_url(server).set(drivername="postgresql")
    with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            own = address.set(database=name).render_as_string(hide_password=False)
            db = Database(own)
            migrate(db)
            rows = sent(db, rows)
            report("PostgreSQL, after sending", bytes_on_disk(db), rows)
            with psycopg.connect(own, autocommit=True) as tidy:
                tidy.execute("VACUUM FULL delivery")
            report("PostgreSQL, after VACUUM FULL", bytes_on_disk(db), rows)
            db.close()
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


if __name__ == "__main__":
    main()
