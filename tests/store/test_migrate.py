"""The migrations and the tables say the same, on both databases."""

import threading

from digest.store.database import Database
from digest.store.migrate import current, differences, head, migrate


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
