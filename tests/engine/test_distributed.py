"""procrastinate on PostgreSQL: jobs exist exactly if their rows do, and workers do each of them."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.engine.jobs import MAIL
from digest.errors import ConfigError
from digest.store.database import Database

procrastinate = pytest.importorskip("procrastinate")

from digest.engine.distributed import Distributed, prepare, require  # noqa: E402


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


MIGRATIONS = Path(procrastinate.schema.migrations_path)


def tables_of(db: Database, version: str, comment: str) -> None:
    """Procrastinate's tables as ``version`` had them, with a job that waits."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for step in sorted(MIGRATIONS.glob("*.sql")):
            if step.name <= f"{version}_99":
                driver.execute(step.read_text(encoding="utf-8"))
        driver.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('mail', 'count', '{\"number\": 5}')"
        )
        if comment:
            driver.execute(f"COMMENT ON TABLE procrastinate_jobs IS '{comment}'")


@pytest.fixture
def bare(db: Database) -> Database:
    if not db.is_postgresql:
        pytest.skip("procrastinate needs PostgreSQL")
    return db


@pytest.mark.parametrize(("version", "comment"), [("03.00.00", "3.0.0"), ("03.02.00", "3.3.1"), ("02.14.01", "2.15.0")])
def test_older_tables_are_refused_by_workers_and_brought_up_to_date_with_their_jobs(
    bare: Database, version: str, comment: str
) -> None:
    tables_of(bare, version, comment)
    with pytest.raises(ConfigError, match="older than the installed version: run `digest migrate`"):
        require(bare.engine)
    prepare(bare.engine)
    prepare(bare.engine)
    require(bare.engine)
    engine = Distributed(bare.engine.url.set(drivername="postgresql").render_as_string(hide_password=False))
    with bare.write() as session:
        engine.tell(session, MAIL, "count", {"number": 1}, key="one")
    done: list[int] = []
    working(engine, lambda number: done.append(number), lambda: len(done) == 2)
    assert sorted(done) == [1, 5]
    with bare.read() as session:
        names = set(session.execute(text("SELECT proname FROM pg_proc WHERE proname LIKE 'procrastinate%'")).scalars())
    schema = procrastinate.schema.SchemaManager.get_schema()
    assert names >= set(re.findall(r"CREATE FUNCTION (\w+)", schema))


def test_tables_that_do_not_say_their_version_are_used_if_they_are_whole_and_refused_if_not(bare: Database) -> None:
    tables_of(bare, "03.00.00", "")
    for look in (prepare, require):
        with pytest.raises(ConfigError, match="digest migrate"):
            look(bare.engine)
    tables_of_nobody(bare)
    tables_of(bare, "99.00.00", "")
    require(bare.engine)
    prepare(bare.engine)


def test_tables_of_a_newer_version_are_refused_with_what_to_install(pg: Database) -> None:
    with pg.write() as session:
        session.execute(text("COMMENT ON TABLE procrastinate_jobs IS '99.1.0'"))
    for look in (prepare, require):
        with pytest.raises(
            ConfigError, match=r"of version 99\.1\.0.*pip install 'procrastinate>=99\.1\.0'.*DIGEST_ENGINE"
        ):
            look(pg.engine)


def test_tables_that_are_missing_are_named_before_any_work(bare: Database) -> None:
    with pytest.raises(ConfigError, match="are missing: run `digest migrate`"):
        require(bare.engine)


def tables_of_nobody(db: Database) -> None:
    """Take procrastinate's tables, types and functions away."""
    with db.engine.begin() as connection:
        tables = "procrastinate_jobs, procrastinate_periodic_defers, procrastinate_events"
        connection.exec_driver_sql(f"DROP TABLE {tables} CASCADE")
        for name, arguments in connection.exec_driver_sql(
            "SELECT proname, pg_get_function_identity_arguments(oid) FROM pg_proc WHERE proname LIKE 'procrastinate%%'"
        ).all():
            connection.exec_driver_sql(f"DROP FUNCTION {name}({arguments}) CASCADE")
        for name in (
            connection.exec_driver_sql(
                "SELECT typname FROM pg_type WHERE typname LIKE 'procrastinate%%' AND typtype IN ('e', 'c')"
            )
            .scalars()
            .all()
        ):
            connection.exec_driver_sql(f"DROP TYPE IF EXISTS {name} CASCADE")
