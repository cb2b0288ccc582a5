"""From settings to a working service: every door to the world is opened here."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec

from digest.domain.audience import Signer
from digest.domain.newsroom import Newsroom, Site
from digest.engine.helpers import Helpers, processes
from digest.engine.jobs import Jobs, Untold
from digest.engine.nursery import Child
from digest.engine.presence import Presence
from digest.errors import ConfigError
from digest.feeds.fetch import Fetcher, user_agent_with
from digest.newsroom import read
from digest.semantic.model import open_model
from digest.senders.open import limits_in, open_sender
from digest.settings import Settings
from digest.store import feed_moves
from digest.store.database import Database
from digest.store.migrate import current, head, migrate
from digest.store.newsroom import read_newsroom
from digest.summariser.chat import ChatSummariser
from digest.workflows import newsroom as newsroom_workflow
from digest.workflows.context import Context

HELPER, READER = "helper", "reader"
"""What processes that are forked may be: those that hand out an issue, and those that read feeds."""

Fork = Callable[..., Child]
"""Takes one of these, and numbers."""


def now() -> datetime:
    """The clock of the service."""
    return datetime.now(UTC)


def database(settings: Settings) -> Database:
    """The database named in the settings.

    Raises:
        ConfigError: its schema isn't that of this version.
    """
    db = Database(settings.database)
    if current(db) != head():
        db.close()
        raise ConfigError("the database isn't up to date: run `digest migrate`", file="DIGEST_DATABASE_URL")
    return db


def migrated(settings: Settings) -> str:
    """Bring the database up to date and return its revision."""
    db = Database(settings.database)
    try:
        revision = migrate(db)
        if is_distributed(settings, db):
            from digest.engine.distributed import prepare

            prepare(db.engine)
        return revision
    finally:
        db.close()


@contextmanager
def service(settings: Settings, *, checked: bool = False, start: Fork | None = None) -> Iterator[Context]:
    """Everything that workflows need, closed again at the end.

    Args:
        checked: the schema was looked at a moment ago.
        start: starts processes for large issues and for many feeds.

    Raises:
        ConfigError: a setting that can't be used, by its name.
    """
    db = Database(settings.database) if checked else database(settings)
    site = _site(db, settings)
    public_url = settings.public_url or site.public_url or f"http://{settings.host}:{settings.port}"
    if settings.environment == "production" and not public_url.startswith("https://"):
        raise ConfigError("must begin with https://: one-click unsubscribe needs it", file="DIGEST_PUBLIC_URL")
    allow = frozenset(host.strip() for host in settings.fetch_allow.split(",") if host.strip())
    if settings.is_sample:
        allow |= {f"127.0.0.1:{settings.sample_port}"}
    retired = tuple(key.strip().encode() for key in settings.retired_keys.split(",") if key.strip())
    summariser = (
        ChatSummariser(settings.summariser_url, settings.summariser_model, settings.summariser_key)
        if settings.summariser_url
        else None
    )
    ctx = Context(
        db=db,
        sender=open_sender(settings.sender_dsn, stream=sys.stderr),
        fetcher=Fetcher(allow=allow, user_agent=user_agent_with(public_url)),
        signer=Signer(settings.key(), retired),
        clock=now,
        public_url=public_url.rstrip("/"),
        var=settings.var,
        templates=settings.templates,
        newsroom=settings.newsroom_path,
        summariser=summariser,
        sentences=open_model(settings.sentence_model) if settings.semantic else None,
        limits=limits_in(settings.sender_dsn),
        jobs=_jobs(settings, db),
        helpers=Helpers(start and partial(start, HELPER), settings.delivery_processes or processes()),
        start_reader=start and partial(start, READER),
    )
    try:
        with Presence(ctx.presence) as here:
            yield replace(ctx, worker=here.name)
    finally:
        ctx.sender.close()
        ctx.fetcher.close()
        if summariser is not None:
            summariser.close()
        db.close()


def is_distributed(settings: Settings, db: Database) -> bool:
    """Whether procrastinate spreads the work.

    Raises:
        ConfigError: it is asked for and can't.
    """
    installed = find_spec("procrastinate") is not None
    if settings.engine == "procrastinate" and not (db.is_postgresql and installed):
        missing = "install the extra `postgres`" if db.is_postgresql else "set DIGEST_DATABASE_URL to a PostgreSQL"
        raise ConfigError(f"procrastinate can't be used yet: {missing}", file="DIGEST_ENGINE")
    return settings.engine != "embedded" and db.is_postgresql and installed


def _jobs(settings: Settings, db: Database) -> Jobs:
    if not is_distributed(settings, db):
        return Untold()
    from digest.engine.distributed import Distributed, require

    require(db.engine)
    return Distributed(db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False))


def newsroom_files(settings: Settings) -> Newsroom:
    """The newsroom in files, with its addresses filled in.

    Raises:
        ConfigError: the first problem, by file, line and key.
    """
    return read.load(settings.newsroom_path, newsroom_variables(settings))


def newsroom_variables(settings: Settings) -> dict[str, str]:
    """What ``{name}`` stands for in feed addresses."""
    return {"sample": f"http://127.0.0.1:{settings.sample_port}"}


@contextmanager
def news_at_hand(ctx: Context, settings: Settings) -> Iterator[None]:
    """While it lasts, a newsroom that brings its own news is served on loopback; others need nothing.

    Its feeds follow it to another port.
    """
    if not settings.is_sample:
        yield
        return
    from digest.sample.server import SampleServer

    server = SampleServer(settings.newsroom_path, settings.sample_port, settings.var / "sample.json", now)
    server.start()
    with ctx.db.write() as session:
        feed_moves.follow(session, server.base, {feed.url for feed in newsroom_files(settings).feeds})
    try:
        yield
    finally:
        server.stop()


def first_newsroom(ctx: Context, settings: Settings) -> bool:
    """On an empty database, bring the newsroom's files into force, with the subscribers that it may bring along.

    Later changes are the operator's to apply (``digest newsroom apply``), as editors change the tables too.
    """
    if not _is_empty(ctx.db):
        return False
    newsroom_workflow.apply(ctx, newsroom_files(settings))
    return True


def _is_empty(db: Database) -> bool:
    with db.read() as session:
        return replace(read_newsroom(session), site=Site()) == Newsroom()


def _site(db: Database, settings: Settings) -> Site:
    """The site in force; while nothing is in force yet, the one that the files are about to bring."""
    if _is_empty(db):
        return read.check(settings.newsroom_path, newsroom_variables(settings))[0].site
    with db.read() as session:
        return read_newsroom(session).site
