"""The migrations and the tables say the same, on both databases."""

import threading
from datetime import UTC, datetime

from alembic import command
from sqlalchemy import text
from sqlmodel import col, select

from digest.store import deliveries, subscribers
from digest.store.database import Database
from digest.store.migrate import _config, current, differences, head, migrate
from digest.store.tables import Delivery
from digest.store.unknowns import unknown


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
            (deliveries.row_id(1, 1), "", "p1"),
            (deliveries.row_id(1, 2), "w2", "p2"),
            (deliveries.row_id(1, 3), "", "p3"),
        ]
    db.close()


def test_rows_in_the_middle_of_being_sent_are_divided_and_a_journal_from_before_still_names_them(
    database_url: str,
) -> None:
    db = Database(database_url)
    moment = datetime(2026, 3, 12, 11, 0, 0, 250000, UTC)
    now = "'2026-03-12 11:00:00.250000+00'" if db.is_postgresql else str(int(moment.timestamp() * 1_000_000))
    stamp = "'2026-03-12 11:00:00.250000'"
    rows = (
        # reader, state, reason, worker, not_before, lease, dated, finished, attempts, provider
        (1, "queued", "", "", "NULL", "NULL", "NULL", "NULL", 0, ""),
        (2, "queued", "waiting for the mail server", "w", now, "NULL", now, "NULL", 1, ""),
        (3, "queued", "450 later", "w", now, "NULL", now, "NULL", 1, ""),
        (4, "sending", "", "w", "NULL", now, now, "NULL", 1, ""),
        (5, "sending", "", "w", "NULL", now, now, "NULL", 1, ""),
        (6, "sending", "", "w", "NULL", now, now, "NULL", 1, ""),
        (7, "unknown", "lost", "w", "NULL", "NULL", now, now, 1, ""),
        (8, "sent", "", "", "NULL", "NULL", now, now, 1, "p8"),
        (9, "failed", "550 no", "", "NULL", "NULL", now, now, 2, ""),
        (10, "skipped", "paused", "", "NULL", "NULL", "NULL", "NULL", 0, ""),
    )
    with db.engine.begin() as connection:
        command.upgrade(_config(connection), "0006")
        for statement in (
            "INSERT INTO newsletter (id, slug, name, spec) VALUES (1, 'a', 'A', '{}')",
            "INSERT INTO issue (id, newsletter_id, cadence, slot, number, state, reason, window_start, window_end, due_at, "
            "spec, extras, claimed_by, approved_by, created_at, revision) VALUES (3, 1, 'daily', 'x', 1, 'sending', '', "
            f"{stamp}, {stamp}, {stamp}, '{{}}', '{{}}', '', '', {stamp}, 0)",
            *(
                "INSERT INTO subscriber (id, address, address_key, name, zone, language, created_at, address_hash, "
                f"hash_key) VALUES ({n}, 'r{n}@x.example', 'r{n}@x.example', '', 'UTC', 'en', {stamp}, '', '')"
                for n, *_ in rows
            ),
            *(
                "INSERT INTO subscription (id, subscriber_id, newsletter_id, state, frequency, hour, created_at, ended_why, "
                f"consent_text, consent_version, consent_url, consent_ip) VALUES ({n}, {n}, 1, 'active', 'every-issue', '', "
                f"{stamp}, '', '', '', '', '')"
                for n, *_ in rows
            ),
            *(
                "INSERT INTO delivery (id, issue_id, subscriber_id, subscription_id, cut_id, state, reason, worker, "
                "not_before, lease_until, dated_at, finished_at, attempts, provider_id) VALUES "
                f"({100 + n}, 3, {n}, {n}, 5, '{state}', '{reason}', '{worker}', {wait}, {lease}, {dated}, {end}, {tries}, "
                f"'{provider}')"
                for n, state, reason, worker, wait, lease, dated, end, tries, provider in rows
            ),
        ):
            connection.execute(text(statement))
    migrate(db)
    assert differences(db) == []
    with db.read() as session:
        numbers = {"queued": 3, "sending": 3, "sent": 1, "skipped": 1, "failed": 1, "unknown": 1}
        assert deliveries.counts(session, 3) == deliveries.tally(session, 3) == {"audience": 10, **numbers}
        found = session.exec(select(Delivery).order_by(Delivery.subscriber_id)).all()  # type: ignore[arg-type]
        assert [(row.subscriber_id, row.state, row.attempts, row.provider_id) for row in found] == [
            (n, state, tries if state in ("queued", "sending", "unknown") else 0, provider)
            for n, state, *_, tries, provider in rows
        ]
        assert [row.reason for row in found] == ["", "", "450 later", "", "", "", "lost", "", "550 no", "paused"]
        assert {row.dated_at for row in found} == {None, moment}
        assert [row.since for row in unknown(session, 3)] == [moment]
    with db.write() as session:  # what the worker's journal says: 4 was taken, of 5 there is no answer, 6 was not tried
        told = [deliveries.Change(104, "sent"), deliveries.Change(105, "unknown", deliveries.LOST, finished_at=moment)]
        assert deliveries.record(session, "w", told) == 2
        assert deliveries.bury(session, "w") == 1
    with db.read() as session:
        query = (
            select(Delivery.state).where(col(Delivery.subscriber_id).in_((4, 5, 6))).order_by(Delivery.subscriber_id)
        )  # type: ignore[arg-type]
        assert list(session.exec(query)) == ["sent", "unknown", "queued"]
    db.close()
