"""The migrations and the tables say the same, on both databases."""

import threading
from datetime import UTC, datetime

from alembic import command
from sqlalchemy import text
from sqlmodel import select

from digest.store import deliveries, subscribers
from digest.store.database import Database
from digest.store.migrate import _config, current, differences, head, migrate
from digest.store.tables import Delivery


def test_migrations_make_exactly_the_tables_of_this_version(database_url: str) -> None:
    db = Database(database_url)
    assert current(db) == ""
    assert migrate(db) == head() == current(db)
    assert differences(db) == []
    db.close()


def test_migrating_twice_and_from_two_processes_at_once_changes_nothing(database_url: str) -> None:
    failures: list[Exception] = []

    def one() -> None:
        db = Database(database_url)
        try:
            migrate(db)
        except Exception as error:
            failures.append(error)
        finally:
            db.close()

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db = Database(database_url)
    assert (failures, current(db)) == ([], head())
    db.close()


def test_the_ledger_and_the_chosen_topics_survive_being_made_smaller(database_url: str) -> None:
    db = Database(database_url)
    moment = "'2026-03-12 11:00:00.250000'"
    with db.engine.begin() as connection:
        command.upgrade(_config(connection), "0003")
        for statement in (
            "INSERT INTO newsletter (id, slug, name, spec) VALUES (1, 'a', 'A', '{}')",
            "INSERT INTO issue (id, newsletter_id, cadence, slot, number, state, reason, window_start, window_end, due_at, "
            "spec, extras, claimed_by, approved_by, created_at, revision) VALUES (1, 1, 'daily', 'x', 1, 'sent', '', "
            f"{moment}, {moment}, {moment}, '{{}}', '{{}}', '', '', {moment}, 0)",
            *(
                f"INSERT INTO subscriber (id, address, address_key, name, zone, language, created_at) VALUES "
                f"({n}, 'r{n}@x.example', 'r{n}@x.example', '', 'UTC', 'en', {moment})"
                for n in (1, 2, 3)
            ),
            *(
                "INSERT INTO subscription (id, subscriber_id, newsletter_id, state, frequency, created_at, ended_why, "
                f"consent_text, consent_version, consent_url, consent_ip) VALUES ({n}, {n}, 1, 'active', 'every-issue', "
                f"{moment}, '', '', '', '', '')"
                for n in (1, 2, 3)
            ),
            "INSERT INTO topic_choice VALUES (1, 'policy'), (1, 'markets'), (2, 'markets')",
            *(
                "INSERT INTO delivery (issue_id, subscriber_id, subscription_id, state, reason, cut, attempts, worker, "
                f"dated_at, provider_id) VALUES (1, {n}, {n}, '{state}', '', '{cut}', 1, 'w{n}', {dated}, 'p{n}')"
                for n, state, cut, dated in (
                    (1, "sent", "ff", moment),
                    (2, "unknown", "ff", moment),
                    (3, "skipped", "", "NULL"),
                )
            ),
        ):
            connection.execute(text(statement))
    migrate(db)
    assert differences(db) == []
    with db.read() as session:
        assert [subscribers.topics_of(session, n) for n in (1, 2, 3)] == [{"markets", "policy"}, {"markets"}, set()]
        rows = session.exec(select(Delivery).order_by(Delivery.subscriber_id)).all()  # type: ignore[arg-type]
        assert [row.dated_at for row in rows] == [datetime(2026, 3, 12, 11, 0, 0, 250000, UTC)] * 2 + [None]
        cuts = deliveries.cuts(session, 1)
        assert [cuts[row.cut_id].encode() if row.cut_id else "" for row in rows] == ["ff", "ff", ""]
        assert [(row.id, row.worker, row.provider_id) for row in rows] == [
            (1, "", "p1"),
            (2, "w2", "p2"),
            (3, "", "p3"),
        ]
    with db.write() as session:
        session.delete(rows[2])
        session.flush()
        session.add(Delivery(issue_id=1, subscriber_id=3, subscription_id=3))
    with db.read() as session:
        last = session.exec(select(Delivery).where(Delivery.subscriber_id == 3)).one()
        assert last.id == (4 if db.is_postgresql else 3), "ids go on where they were"
    db.close()
