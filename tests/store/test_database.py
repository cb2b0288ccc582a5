"""A write happens as a whole or not at all."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import inspect
from sqlmodel import SQLModel, select

from digest.errors import ConfigError
from digest.store.database import Database
from digest.store.migrate import migrate
from digest.store.tables import Feed


def _urls(db: Database) -> list[str]:
    with db.read() as session:
        return sorted(session.exec(select(Feed.url)))


def test_a_write_that_fails_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(RuntimeError), db.write() as session:
        session.add(Feed(url="https://a.example/rss", name="A"))
        session.flush()
        raise RuntimeError
    assert _urls(db) == []


def test_a_read_never_writes(db: Database) -> None:
    with db.read() as session:
        session.add(Feed(url="https://a.example/rss", name="A"))
        session.flush()
    assert _urls(db) == []


def test_writers_at_the_same_time_wait_for_each_other(db: Database) -> None:
    def many(writer: int) -> None:
        for number in range(20):
            with db.write() as session:
                session.add(Feed(url=f"https://a.example/{writer}/{number}", name="A"))

    threads = [threading.Thread(target=many, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_urls(db)) == 80


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense", ""])
def test_another_kind_of_database_is_refused_with_what_to_write_instead(url: str) -> None:
    with pytest.raises(ConfigError, match=r"DIGEST_DATABASE_URL.*sqlite"):
        Database(url)


@pytest.mark.parametrize(
    "make", [lambda db: SQLModel.metadata.create_all(db.engine), migrate], ids=["made", "migrated"]
)
def test_all_tables_can_be_dropped_and_made_again_though_the_ledger_is_a_view(
    database_url: str, make: Callable[[Database], object]
) -> None:
    db = Database(database_url)
    make(db)
    SQLModel.metadata.drop_all(db.engine)
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    assert inspect(db.engine).get_view_names() == []
    SQLModel.metadata.create_all(db.engine)
    assert _urls(db) == []
    assert inspect(db.engine).get_view_names() == ["delivery"]
    db.close()
