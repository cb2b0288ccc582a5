"""A write happens as a whole or not at all."""

import threading

import pytest
from sqlmodel import select

from digest.errors import ConfigError
from digest.store.database import Database
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
