"""procrastinate on PostgreSQL: jobs exist exactly if their rows do, and workers do each of them."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from digest.engine.distributed import Distributed, prepare
from digest.engine.jobs import MAIL
from digest.store.database import Database

pytest.importorskip("procrastinate")


@pytest.fixture
def pg(database_url: str, db: Database) -> Iterator[Database]:
    if not db.is_postgresql:
        pytest.skip("procrastinate needs PostgreSQL")
    prepare(db.engine)
    return db


@pytest.fixture
def engine(pg: Database) -> Distributed:
    return Distributed(pg.engine.url.set(drivername="postgresql").render_as_string(hide_password=False))


def waiting(db: Database) -> int:
    with db.read() as session:
        return int(session.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")).scalar_one())


def working(engine: Distributed, handler: Callable[..., object], until: Callable[[], bool]) -> None:
    """A worker at work until something is so, or ten seconds have passed."""
    done = threading.Event()
    thread = threading.Thread(target=engine.work, args=({"count": handler}, done))
    thread.start()
    end = time.monotonic() + 10
    while not until() and time.monotonic() < end:
        time.sleep(0.02)
    done.set()
    thread.join()
    assert until()


def test_a_job_exists_if_and_only_if_its_transaction_was_committed(pg: Database, engine: Distributed) -> None:
    with pytest.raises(LookupError), pg.write() as session:
        engine.tell(session, MAIL, "count", {"number": 1}, key="one")
        raise LookupError
    assert waiting(pg) == 0
    with pg.write() as session:
        engine.tell(session, MAIL, "count", {"number": 1}, key="one")
    assert waiting(pg) == 1


def test_a_job_that_waits_already_is_not_added_and_the_rows_of_the_transaction_stay(
    pg: Database, engine: Distributed
) -> None:
    with pg.write() as session:
        engine.tell(session, MAIL, "count", {"number": 1}, key="one")
    with pg.write() as session:
        session.execute(text("CREATE TABLE kept (number int)"))
        engine.tell(session, MAIL, "count", {"number": 1}, key="one")
        engine.tell(session, MAIL, "count", {"number": 2}, key="two")
        session.execute(text("INSERT INTO kept VALUES (7)"))
    with pg.read() as session:
        assert session.execute(text("SELECT number FROM kept")).scalar_one() == 7
    assert waiting(pg) == 2


def test_a_worker_does_every_job_with_its_arguments_and_leaves_nothing_behind(
    pg: Database, engine: Distributed
) -> None:
    with pg.write() as session:
        for number in range(5):
            engine.tell(session, MAIL, "count", {"number": number}, key=f"key {number}")
    done: list[int] = []
    working(engine, lambda number: done.append(number), lambda: len(done) == 5)
    assert sorted(done) == [0, 1, 2, 3, 4]
    with pg.read() as session:
        assert session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 0


def test_a_job_that_fails_does_not_end_the_worker(pg: Database, engine: Distributed) -> None:
    with pg.write() as session:
        for number in range(2):
            engine.tell(session, MAIL, "count", {"number": number}, key=f"key {number}")
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number == 0:
            raise LookupError(number)

    working(engine, work, lambda: len(done) == 2)


def test_a_job_of_a_worker_that_died_is_taken_away_so_that_it_can_be_told_again(
    pg: Database, engine: Distributed
) -> None:
    with pg.write() as session:
        engine.tell(session, MAIL, "count", {"number": 1}, key="one", alone=True)
        session.execute(text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL"))
    with pg.write() as session:
        engine.tell(session, MAIL, "count", {"number": 2}, key="one", alone=True)
    done: list[int] = []
    working(engine, lambda number: done.append(number), lambda: bool(done))
    assert done == [2]


def test_its_tables_are_made_once_and_stand_beside_ours(pg: Database) -> None:
    prepare(pg.engine)
    with pg.read() as session:
        assert session.execute(text("SELECT count(*) FROM delivery")).scalar_one() == 0
        assert session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 0
