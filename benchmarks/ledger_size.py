"""What the ledger takes on disk for each reader of an issue, table and indexes, on SQLite and on PostgreSQL.

    python benchmarks/ledger_size.py [--rows N]

So many deliveries of one issue are planned, claimed, sent and recorded by the statements that the service uses, in
chunks of 500, as a worker does. Limit: 150 bytes a row. PostgreSQL at 127.0.0.1:5432 (or DIGEST_TEST_DATABASE_URL);
its table is measured as sending leaves it, with the dead rows of every update, and again after VACUUM FULL.
"""

import argparse
import os
import sys
import tempfile
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg
from sqlalchemy import insert, text
from sqlalchemy.engine import make_url

from digest.store import deliveries
from digest.store.database import Database
from digest.store.deliveries import Change
from digest.store.migrate import migrate
from digest.store.tables import Issue, Newsletter, Subscriber, Subscription

NOW = datetime(2026, 3, 12, 11, tzinfo=UTC)
CUT = "1f7fffbfe7fff"
"""A cut of 49 of 53 fragments, as an issue of 25 stories has it."""


def filled(db: Database, rows: int) -> int:
    """A newsletter with an approved issue and so many readers; the issue's id."""
    with db.write() as session:
        newsletter = Newsletter(slug="n", name="N", spec={})
        session.add(newsletter)
        session.flush()
        issue = Issue(
            newsletter_id=newsletter.id, cadence="daily", slot="first", number=1, state="sending", due_at=NOW,
            window_start=NOW - timedelta(days=1), window_end=NOW, created_at=NOW,
        )  # fmt: skip
        session.add(issue)
        session.flush()
        for start in range(1, rows + 1, 10_000):
            numbers = range(start, min(start + 10_000, rows + 1))
            people = [
                {"id": n, "address": f"r{n}@x.example", "address_key": f"r{n}@x.example", "created_at": NOW, "name": ""}
                for n in numbers
            ]
            session.execute(insert(Subscriber), people)
            letters = [
                {"id": n, "subscriber_id": n, "newsletter_id": newsletter.id, "state": "active", "created_at": NOW}
                for n in numbers
            ]
            session.execute(insert(Subscription), letters)
        assert issue.id is not None
        return issue.id


def sent(db: Database, issue_id: int, rows: int) -> None:
    """All rows through the ledger: planned, claimed, recorded as sent."""
    for start in range(1, rows + 1, 1000):
        planned = [
            {"subscriber_id": n, "subscription_id": n, "state": "queued", "reason": "", "cut": CUT}
            for n in range(start, min(start + 1000, rows + 1))
        ]
        with db.write() as session:
            deliveries.plan(session, issue_id, planned)
    while True:
        with db.write() as session:
            claimed = deliveries.claim(session, issue_id, 0, "worker-1", NOW, NOW + timedelta(minutes=15), 500)
        if not claimed:
            return
        with db.write() as session:
            done = [Change(row.id, "sent", "250 2.0.0 OK", finished_at=NOW) for row in claimed]
            deliveries.record(session, "worker-1", done)


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
        sent(db, filled(db, rows), rows)
        report("SQLite, after sending", bytes_on_disk(db), rows)
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
            sent(db, filled(db, rows), rows)
            report("PostgreSQL, after sending", bytes_on_disk(db), rows)
            with psycopg.connect(own, autocommit=True) as tidy:
                tidy.execute("VACUUM FULL delivery")
            report("PostgreSQL, after VACUUM FULL", bytes_on_disk(db), rows)
            db.close()
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


if __name__ == "__main__":
    main()
