"""Gather: fetch every feed that is due, and keep what is new.

::

    for every waiting feed, at most two at a time per host:
        task    = feeds.claim(feed)                     # nobody else gathers it meanwhile
        answer  = fetcher.get(task)    ┐ in a thread
        reading = parse(answer)        ┘
        store(reading)                                  # short transactions, in the calling thread
        feeds.record_success or record_failure
    for every new article with but a summary, where its feed asks for it:
        page    = extract(fetcher.get(article))         # harmless if it fails
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import structlog
from sqlmodel import Session

from digest.domain.content import Entry
from digest.domain.newsroom import EventSpec, FeedSpec, Quote
from digest.errors import DigestError, FetchError, GoneError, ParseError
from digest.feeds.clean import canonical_url
from digest.feeds.extract import Page, extract
from digest.feeds.fetch import PAGE_ACCEPT, Fetched
from digest.feeds.read import accept, read
from digest.feeds.reporter import original_reporter
from digest.feeds.websub import Hub
from digest.quotes.provider import open_provider, read_quotes
from digest.store import articles, events, feeds, quotes, websub
from digest.store.articles import Incoming
from digest.store.feeds import FeedTask
from digest.workflows.context import Context

THREADS = 16
PER_HOST = 2
DEADLINE = 20.0
"""Seconds for one feed or page."""
LEASE = timedelta(seconds=60)
"""How long a claimed feed stays ours: a fetch's deadline, parsing, and a wait for the database."""
PAGES_PER_RUN = 200
PAGES_PER_FEED = 25
FULL_TEXT = 600
"""Characters from which on an item's own text counts as full."""

State = Literal["ok", "not_modified", "failed", "retired", "postponed", "busy"]

Thing = TypeVar("Thing")
Begun = TypeVar("Begun")
Result = TypeVar("Result")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FeedOutcome:
    """What a run did to one feed.

    Attributes:
        state: ``ok`` (read), ``not_modified`` (304), ``failed``, ``retired`` (410), ``postponed`` (its host asked
            for a pause in this run), ``busy`` (another process has it).
        new, seen: articles (or quotes, or events) that are new, and that the feed shows.
        error: why, for the editor who looks after the feed.
        note: what else is worth knowing, such as a permanent move.
    """

    feed_id: int
    url: str
    name: str
    state: State
    new: int = 0
    seen: int = 0
    error: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class GatherReport:
    """The result of a run. ``feeds`` counts those that it dealt with: ok, not_modified and failed add up to it.

    Attributes:
        pages: article pages that were read for their full text; ``pages_failed`` those that could not be.
        busy: feeds that another process was gathering.
    """

    outcomes: tuple[FeedOutcome, ...]
    seconds: float
    pages: int = 0
    pages_failed: int = 0

    def _count(self, *states: State) -> int:
        return sum(outcome.state in states for outcome in self.outcomes)

    @property
    def feeds(self) -> int:
        """Feeds that this run dealt with."""
        return len(self.outcomes) - self.busy

    @property
    def busy(self) -> int:
        """Feeds that another process was gathering."""
        return self._count("busy")

    @property
    def ok(self) -> int:
        """Feeds that were read."""
        return self._count("ok")

    @property
    def not_modified(self) -> int:
        """Feeds that had nothing new to say (304)."""
        return self._count("not_modified")

    @property
    def failed(self) -> int:
        """Feeds that could not be read, have ended, or were put off."""
        return self._count("failed", "retired", "postponed")

    @property
    def articles_new(self) -> int:
        """Articles that no feed had brought before."""
        return sum(outcome.new for outcome in self.outcomes)

    @property
    def articles_seen(self) -> int:
        """Articles that the feeds show, new or known."""
        return sum(outcome.seen for outcome in self.outcomes)

    def as_dict(self) -> dict[str, Any]:
        """The document that ``digest gather --json`` prints."""
        return {
            "feeds": self.feeds,
            "ok": self.ok,
            "not_modified": self.not_modified,
            "failed": self.failed,
            "articles_new": self.articles_new,
            "articles_seen": self.articles_seen,
            "seconds": round(self.seconds, 3),
            "problems": [{"feed": each.url, "error": each.error} for each in self.outcomes if each.error],
        }


Progress = Callable[[FeedOutcome, int, int], None]
"""Called after every feed with its outcome, how many are done, and how many there are."""


def gather(ctx: Context, *, due_only: bool = False, progress: Progress | None = None) -> GatherReport:
    """Fetch feeds and keep what is new. One bad feed never stops a run: its outcome and its row say why.

    Args:
        due_only: only feeds whose time has come, and none that another process has; else all that are not retired,
            waiting up to ``LEASE`` for those that another process has.
        progress: see ``Progress``; called in the calling thread.
    """
    started = time.monotonic()
    with ctx.db.read() as session:
        waiting = feeds.waiting(session, ctx.clock(), due_only=due_only)
    run = _Run(ctx, due_only, len(waiting), progress)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="gather") as pool:
        run.feeds(pool, waiting)
        # What a killed process had claimed is free again when its lease ends.
        patience = 0.0 if due_only else time.monotonic() + LEASE.total_seconds()
        while run.busy and time.monotonic() < patience:
            time.sleep(1)
            run.feeds(pool, run.take_busy())
        run.give_up_busy()
        run.pages(pool)
    return GatherReport(tuple(run.outcomes), time.monotonic() - started, run.pages_read, run.pages_failed)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a thread brings back: the values of one feed, or why there are none."""

    answer: Fetched | None = None
    items: tuple[Incoming, ...] = ()
    quotes: tuple[Quote, ...] = ()
    events: tuple[EventSpec, ...] = ()
    ttl_minutes: int | None = None
    problem: Exception | None = None
    hub: Hub | None = None


@dataclass(frozen=True, slots=True)
class _PageTask:
    article_id: int
    url: str
    source: str


@dataclass
class _Run:
    """One run: what is under way, and what came of it. Lives in the calling thread."""

    ctx: Context
    due_only: bool
    total: int
    progress: Progress | None
    outcomes: list[FeedOutcome] = field(default_factory=list)
    page_tasks: list[_PageTask] = field(default_factory=list)
    busy: list[tuple[int, str]] = field(default_factory=list)
    resting: dict[str, float] = field(default_factory=dict)
    pages_read: int = 0
    pages_failed: int = 0

    def feeds(self, pool: ThreadPoolExecutor, waiting: list[tuple[int, str]]) -> None:
        """Gather the feeds, and record what became of each as soon as it is known."""

        def begin(feed: tuple[int, str]) -> tuple[FeedTask, Future[_Reading]] | None:
            task = self._claim(*feed)
            return (task, pool.submit(_read, self.ctx, task)) if task else None

        for task, reading in _by_host(waiting, lambda feed: feed[1], begin):
            self._settle(task, reading.result())

    def take_busy(self) -> list[tuple[int, str]]:
        """The feeds that another process had, for another try."""
        busy, self.busy = self.busy, []
        return busy

    def give_up_busy(self) -> None:
        """Leave the feeds that another process has to it."""
        for feed_id, url in self.take_busy():
            self._done(FeedOutcome(feed_id, url, "", "busy"))

    def pages(self, pool: ThreadPoolExecutor) -> None:
        """Fetch the pages of new articles of which the feed gave but a summary."""

        def begin(task: _PageTask) -> tuple[_PageTask, Future[Page | None]]:
            return task, pool.submit(_read_page, self.ctx, task)

        for task, found in _by_host(self.page_tasks[:PAGES_PER_RUN], lambda task: task.url, begin):
            page = found.result()
            if page is None or not page.text:
                self.pages_failed += 1
                continue
            with self.ctx.db.write() as session:
                articles.add_text(
                    session,
                    task.article_id,
                    text=page.text,
                    author=page.author,
                    image=page.image,
                    reporter=original_reporter(page.text, task.source),
                )
            self.pages_read += 1

    def _claim(self, feed_id: int, url: str) -> FeedTask | None:
        now = self.ctx.clock()
        if seconds := self.resting.get(_host(url)):
            with self.ctx.db.write() as session:
                feeds.postpone(session, [feed_id], now + timedelta(seconds=seconds))
            why = f"{_host(url)} asked for a pause of {seconds:g} seconds"
            self._done(FeedOutcome(feed_id, url, "", "postponed", error=why))
            return None
        with self.ctx.db.write() as session:
            task = feeds.claim(session, feed_id, now, LEASE, worker=self.ctx.worker, due_only=self.due_only)
        if task is None:
            self.busy.append((feed_id, url))
        return task

    def _settle(self, task: FeedTask, reading: _Reading) -> None:
        try:
            outcome = self._fail(task, reading) if reading.problem else self._store(task, reading)
        except Exception as error:  # a row that the database refuses must not stop the other feeds
            log.exception("feed could not be stored", feed=task.url)
            outcome = self._fail(task, _Reading(answer=reading.answer, problem=error))
        self._done(outcome)

    def _store(self, task: FeedTask, reading: _Reading) -> FeedOutcome:
        answer, now = reading.answer, self.ctx.clock()
        assert answer is not None
        with self.ctx.db.write() as session:
            if answer.status == 304:
                feeds.record_success(session, task, now, permanent_url=answer.permanent_url)
                return FeedOutcome(task.id, task.url, task.name, "not_modified")
            new_ids, new, seen = self._keep(session, task, reading)
            websub.note(session, task.id, reading.hub, now)
            feeds.record_success(
                session,
                task,
                now,
                etag=answer.etag,
                last_modified=answer.last_modified,
                entries=seen,
                ttl_minutes=reading.ttl_minutes,
                permanent_url=answer.permanent_url,
            )
        self._plan_pages(task, reading, new_ids)
        note = f"has moved for good to {answer.permanent_url}" if answer.permanent_url else ""
        return FeedOutcome(task.id, task.url, task.name, "ok", new, seen, note=note)

    def _keep(self, session: Session, task: FeedTask, reading: _Reading) -> tuple[dict[str, int], int, int]:
        """Store by kind; ids of new articles by URL, number of new things, number of things."""
        now = self.ctx.clock()
        match task.kind:
            case "quotes":
                return {}, quotes.save(session, reading.quotes), len(reading.quotes)
            case "events":
                return {}, events.save_gathered(session, task.id, reading.events, now), len(reading.events)
            case _:
                stored = articles.upsert(session, task.id, task.name, reading.items, now)
                return stored.new, len(stored.new), stored.seen

    def _plan_pages(self, task: FeedTask, reading: _Reading, new: dict[str, int]) -> None:
        if task.full_text:
            short = [item.url for item in reading.items if item.url in new and len(item.entry.content) < FULL_TEXT]
            self.page_tasks += [_PageTask(new[url], url, task.name) for url in short[:PAGES_PER_FEED]]

    def _fail(self, task: FeedTask, reading: _Reading) -> FeedOutcome:
        problem, now = reading.problem, self.ctx.clock()
        message = str(problem) if isinstance(problem, DigestError) else f"unexpected: {type(problem).__name__}"
        body = reading.answer.body if reading.answer else None
        with self.ctx.db.write() as session:
            if isinstance(problem, GoneError):
                feeds.retire(session, task, now, message)
                return FeedOutcome(task.id, task.url, task.name, "retired", error=message)
            retry_after = problem.retry_after if isinstance(problem, FetchError) else None
            if retry_after:
                self.resting[_host(task.url)] = retry_after
            feeds.record_failure(session, task, now, message, body=body, retry_after=retry_after)
        return FeedOutcome(task.id, task.url, task.name, "failed", error=message)

    def _done(self, outcome: FeedOutcome) -> None:
        self.outcomes.append(outcome)
        if self.progress:
            self.progress(outcome, len(self.outcomes), self.total)


def _by_host(
    things: Iterable[Thing],
    url_of: Callable[[Thing], str],
    begin: Callable[[Thing], tuple[Begun, Future[Result]] | None],
) -> Iterator[tuple[Begun, Future[Result]]]:
    """Begin the things, at most ``THREADS`` at once and ``PER_HOST`` per host; yield each as it ends.

    ``begin`` returns the thing that was begun and its future, or None if there is nothing to wait for.
    """
    queue, hosts = deque(things), Counter[str]()
    running: dict[Future[Result], tuple[str, Begun]] = {}
    while queue or running:
        for _ in range(len(queue)):
            if len(running) >= THREADS:
                break
            thing = queue.popleft()
            host = _host(url_of(thing))
            if hosts[host] >= PER_HOST:
                queue.append(thing)
            elif begun := begin(thing):
                running[begun[1]] = (host, begun[0])
                hosts[host] += 1
        for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
            host, begun_thing = running.pop(future)
            hosts[host] -= 1
            yield begun_thing, future


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()


def _read(ctx: Context, task: FeedTask) -> _Reading:
    """Fetch and parse one feed. Runs in a thread, touches no database, never raises."""
    answer = None
    try:
        answer = ctx.fetcher.get(
            task.url, etag=task.etag, last_modified=task.last_modified, accept=_accept(task), deadline=DEADLINE
        )
        if answer.status == 304:
            return _Reading(answer)
        if task.kind == "quotes":
            return _Reading(answer, quotes=quotes_in(task.spec, answer))
        found = read(task.spec, answer.body, answer.content_type, answer.url, now=ctx.clock(), headers=answer.headers)
        items = (incoming(entry, task.name) for entry in found.entries)
        return _Reading(
            answer, tuple(item for item in items if item), (), found.events, found.ttl_minutes, hub=found.hub
        )
    except DigestError as error:
        return _Reading(answer, problem=error)
    except Exception as error:  # a bug in reading one feed must not stop the others
        log.exception("feed could not be read", feed=task.url)
        return _Reading(answer, problem=error)


def _accept(task: FeedTask) -> str:
    return open_provider(task.spec.provider).accept if task.kind == "quotes" else accept(task.kind)


def quotes_in(spec: FeedSpec, answer: Fetched) -> tuple[Quote, ...]:
    """The quotes of an answer, by the provider that the newsroom names."""
    return read_quotes(
        spec.provider, answer.body, answer.content_type, answer.url, source=spec.name, fresh_hours=spec.fresh_hours
    )


def incoming(entry: Entry, source: str) -> Incoming | None:
    """An entry as an article to be; None if it has no title or links nowhere: nobody could read it."""
    url = canonical_url(entry.url)
    if not url or not entry.title:
        return None
    return Incoming(entry, url, original_reporter(f"{entry.summary}\n{entry.content}", source))


def _read_page(ctx: Context, task: _PageTask) -> Page | None:
    """Fetch one article page. Runs in a thread; None if it could not be read."""
    try:
        answer = ctx.fetcher.get(task.url, accept=PAGE_ACCEPT, deadline=DEADLINE, max_bytes=5_000_000)
        return extract(answer.body, answer.url)
    except (DigestError, ParseError) as error:
        log.info("no full text", article=task.url, why=str(error))
        return None
