"""The distributed engine: procrastinate, on the PostgreSQL that holds the rows.

Jobs are added on the session's own connection, so they exist exactly if the rows do of which they speak. A job that
is lost, or ends early, costs nothing but time: a sweep (``workflows/errands.py``) tells again what rows still ask for.
"""

import asyncio
import contextlib
import re
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import procrastinate
import structlog
from procrastinate import exceptions
from procrastinate.jobs import Status
from psycopg import errors as postgresql
from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from digest.engine.jobs import GATHER, MAIL, NOTICES, Handler
from digest.errors import ConfigError

AT_ONCE = {MAIL: 1, NOTICES: 1, GATHER: 4}
"""Jobs of each queue that one worker does at a time. A job of ``MAIL`` opens as many connections as the worker may."""

HEARTBEAT, STALLED = 5.0, 20.0
"""Seconds between a worker's signs of life, and after which it counts as dead: its jobs are then told again."""

log = structlog.get_logger(__name__)


class Distributed:
    """The engine of one process.

    Args:
        url: ``postgresql://…``, as psycopg takes it.
    """

    def __init__(self, url: str) -> None:
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=8))
        # Only defers, on connections that it is handed; it opens none.
        self._teller = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

    def tell(
        self,
        session: Session,
        queue: str,
        name: str,
        arguments: Mapping[str, int],
        *,
        key: str,
        alone: bool = False,
        at: datetime | None = None,
    ) -> None:
        """See :class:`digest.engine.jobs.Jobs`."""
        session.flush()
        connection: Any = session.connection().connection.driver_connection
        job = self._teller.configure_task(
            name, queue=queue, queueing_lock=key, lock=key if alone else None, schedule_at=at, connection=connection
        )
        # A job that waits already is an error of the statement: without a savepoint it would take the rows with it.
        connection.execute("SAVEPOINT telling")
        try:
            job.defer(**arguments)
        except exceptions.AlreadyEnqueued:
            connection.execute("ROLLBACK TO SAVEPOINT telling")
        connection.execute("RELEASE SAVEPOINT telling")

    def work(self, handlers: Mapping[str, Handler], done: threading.Event) -> None:
        """Do jobs until ``done``; those at work are waited for. Runs in the calling thread."""
        for name, handler in handlers.items():
            self._app.task(name=name)(handler)
        asyncio.run(self._work(done))

    async def _work(self, done: threading.Event) -> None:
        async with self._app.open_async():
            tasks = [asyncio.create_task(self._attend(queue, count)) for queue, count in AT_ONCE.items()]
            tasks.append(asyncio.create_task(self._reap()))
            await asyncio.to_thread(done.wait)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _attend(self, queue: str, count: int) -> None:
        """Work on one queue; when the database is gone, begin again until it is back."""
        while True:
            try:
                await self._app.run_worker_async(
                    queues=[queue], concurrency=count, wait=True, delete_jobs="always", install_signal_handlers=False,
                    update_heartbeat_interval=HEARTBEAT, stalled_worker_timeout=STALLED, fetch_job_polling_interval=2.0,
                )  # fmt: skip
            except (exceptions.ConnectorException, postgresql.Error, OSError) as trouble:
                log.warning("the database can't be asked for jobs; trying again", queue=queue, error=str(trouble))
            await asyncio.sleep(2)

    async def _reap(self) -> None:
        """Take away the jobs of workers that died: their locks are free then, and the sweep tells what is left of them."""
        while True:
            with contextlib.suppress(exceptions.ConnectorException):
                for job in await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
                    log.info("job of a dead worker is taken away", job=job.id, name=job.task_name)
                    await self._app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
            await asyncio.sleep(HEARTBEAT)


def prepare(engine: Engine) -> None:
    """Make procrastinate's tables, or bring them up to its installed version.

    They bear the newest step that they have seen as a comment. Each step is a transaction of its own, as one may use what
    PostgreSQL lets be used only after a commit (values of an enum); who is broken off goes on behind the last one.

    Raises:
        ConfigError: they are of a newer version than the installed one, or of one that can't be told.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT pg_advisory_lock(7410221)"))
        try:
            if connection.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is None:
                _run(connection, procrastinate.schema.SchemaManager.get_schema(), _steps()[-1][1])
            elif not (reached := _reached(connection)):
                raise ConfigError(
                    "the tables of procrastinate in this database are not ours, and older than the installed version: bring "
                    "them up to date as its documentation tells (migrations), or drop them if nothing else uses them (our "
                    "jobs are told again); then run `digest migrate`",
                    file="DIGEST_DATABASE_URL",
                )
            else:
                for number, step in _steps():
                    if reached < number:
                        _run(connection, step.read_text(encoding="utf-8"), step)
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(7410221)"))


def require(engine: Engine) -> None:
    """See to it that procrastinate's tables are those that its installed version works with.

    Raises:
        ConfigError: they are older, newer or missing; says what to do.
    """
    with engine.connect() as connection:
        there = connection.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is not None
        if not there or _reached(connection) < _steps()[-1][0]:
            what = "are older than the installed version" if there else "are missing"
            raise ConfigError(f"procrastinate's tables {what}: run `digest migrate`", file="DIGEST_DATABASE_URL")


def _reached(connection: Connection) -> tuple[int, ...]:
    """The newest step that the tables have seen; none if they are older and don't say.

    Raises:
        ConfigError: one that is newer than the installed version.
    """
    kept = str(connection.execute(text("SELECT obj_description('procrastinate_jobs'::regclass)")).scalar() or "")
    reached = _number(kept)
    if reached > _number(procrastinate.__version__):
        version = ".".join(map(str, reached[:3]))
        raise ConfigError(
            f"procrastinate's tables are of version {version}, and {procrastinate.__version__} is installed here: "
            f"run `pip install 'procrastinate>={version}'`, or set DIGEST_ENGINE=embedded",
            file="DIGEST_ENGINE",
        )
    if reached:
        return reached
    # Made by procrastinate's own command: they are up to date if all that it calls is there.
    wanted = set(re.findall(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)", procrastinate.schema.SchemaManager.get_schema()))
    there = set(connection.execute(text("SELECT proname FROM pg_proc WHERE proname LIKE 'procrastinate%'")).scalars())
    return _steps()[-1][0] if wanted <= there else ()


def _steps() -> list[tuple[tuple[int, ...], Path]]:
    """Procrastinate's own migrations in their order, by number."""
    return [(_number(file.name), file) for file in sorted(Path(procrastinate.schema.migrations_path).glob("*.sql"))]


def _number(words: str) -> tuple[int, ...]:
    """``03.04.00_50_post_…`` as (3, 4, 0, 50), and ``3.4.0``, with all its steps, as (3, 4, 0, 99); else nothing."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)(?:_(\d+))?", words)
    return (int(found[1]), int(found[2]), int(found[3]), int(found[4] or 99)) if found else ()


def _run(connection: Connection, statements: str, step: Path) -> None:
    """One step, and the note that it was taken."""
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute(f"BEGIN; {statements}; COMMENT ON TABLE procrastinate_jobs IS '{step.stem}'; COMMIT")
    except postgresql.Error as error:
        driver.rollback()
        raise ConfigError(
            f"procrastinate's tables can't be brought up to date by its {step.name}: {error}",
            file="DIGEST_DATABASE_URL",
        ) from error
