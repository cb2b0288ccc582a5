"""Gather: fetch every feed that is due, and keep what is new.

::

    for every waiting feed, few at a time per host:         # gather_hosts
        task    = feeds.claim(feed)                         # nobody else gathers it meanwhile
        answer  = fetcher.get(task)    ┐ in a thread        # _read
        reading = parse(answer)        ┘
        store(reading)                                      # gather_run: short transactions, in the calling thread
        feeds.record_successes or record_failure
    for every new article with but a summary, where its feed asks for it, or whose link looks like a detour:
        page    = extract(fetcher.get(article))             # gather_pages: harmless if it fails
    tell editors of feeds that have begun to fail           # feed_alerts
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from digest.domain.newsroom import FeedSpec, Quote
from digest.errors import DigestError
from digest.feeds.beside import Readers
from digest.feeds.cores import only_one, spare
from digest.feeds.fetch import Fetched
from digest.feeds.pace import wishes_of
from digest.feeds.read import accept
from digest.quotes.provider import open_provider, read_quotes
from digest.store import feeds
from digest.store.feeds import FeedTask
from digest.workflows.context import Context
from digest.workflows.feed_alerts import tell_editors
from digest.workflows.gather_hosts import MOST, host_of
from digest.workflows.gather_pages import read_pages
from digest.workflows.gather_report import FeedOutcome, GatherReport, Progress, State
from digest.workflows.gather_run import LEASE, Reading, Run

__all__ = ["FeedOutcome", "GatherReport", "Progress", "State", "gather"]

DEADLINE = 20.0
"""Seconds for one feed."""

MANY, MANY_TO_FORK = 100, 20
"""Feeds from which on it is worth while to start processes that read beside this one; and where they are at hand at once."""

log = structlog.get_logger()


def gather(
    ctx: Context,
    *,
    due_only: bool = False,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    mine: Callable[[str], bool] = lambda _host: True,
) -> GatherReport:
    """Fetch feeds and keep what is new. One bad feed never stops a run: its outcome and its row say why.

    Args:
        due_only: only feeds whose time has come, and none that another process has; else all that are not retired,
            waiting up to ``LEASE`` for those that another process has.
        progress: see ``Progress``; called in the calling thread.
        stop: asked every half second; once it says yes, the run ends within seconds, and what it had not read
            is free for the next one.
        mine: only feeds of hosts for which it is true: the others are gathered by somebody else.
    """
    started = time.monotonic()
    many = MANY_TO_FORK if ctx.start_reader else MANY
    with ctx.db.read() as session:
        waiting = feeds.waiting(session, ctx.clock(), due_only=due_only)
        unread = feeds.unread(session) if len(waiting) >= many else 0
    waiting = [feed for feed in waiting if mine(host_of(feed[1]))]
    readers = Readers(spare() if len(waiting) >= many else 0, start=ctx.start_reader)
    run = Run(ctx, partial(_read, readers), due_only, len(waiting), progress, stop, readers.help)
    try:
        with readers, only_one(), ThreadPoolExecutor(MOST, thread_name_prefix="gather") as pool:
            if unread >= many:  # there will be much to read
                readers.start()
            run.feeds(pool, waiting)
            # What a killed process had claimed is free again when its lease ends.
            patience = 0.0 if due_only else time.monotonic() + LEASE.total_seconds()
            while run.busy and time.monotonic() < patience and not run.is_to_stop():
                time.sleep(1)
                run.feeds(pool, run.take_busy())
            run.give_up_busy()
            pages, pages_failed = read_pages(run, pool)
    finally:
        ctx.fetcher.hurry(None)
    report = GatherReport(tuple(run.outcomes), time.monotonic() - started, pages, pages_failed)
    tell_editors(ctx, report)
    return report


def _read(readers: Readers, ctx: Context, task: FeedTask) -> Reading:
    """Fetch and parse one feed. Runs in a thread, touches no database, never raises."""
    answer = None
    try:
        answer = ctx.fetcher.get(
            task.url, etag=task.etag, last_modified=task.last_modified, accept=_accept(task), deadline=DEADLINE
        )
        if answer.status == 304:
            return Reading(answer)
        if task.kind == "quotes":
            wishes = wishes_of(answer.headers, answer.body)
            return Reading(answer, quotes=quotes_in(task.spec, answer), wishes=wishes)
        found = readers.understand(
            task.spec,
            task.name,
            answer.body,
            answer.content_type,
            answer.url,
            answer.headers,
            now=ctx.clock(),
            first_read=task.first_read,
        )
        return Reading(answer, found, wishes=found.wishes)
    except DigestError as error:
        return Reading(answer, problem=error)
    except Exception as error:  # a bug in reading one feed must not stop the others
        log.exception("feed could not be read", feed=task.url)
        return Reading(answer, problem=error)


def _accept(task: FeedTask) -> str:
    return open_provider(task.spec.provider).accept if task.kind == "quotes" else accept(task.kind)


def quotes_in(spec: FeedSpec, answer: Fetched) -> tuple[Quote, ...]:
    """The quotes of an answer, by the provider that the newsroom names."""
    return read_quotes(
        spec.provider, answer.body, answer.content_type, answer.url, source=spec.name, fresh_hours=spec.fresh_hours
    )
