"""One run of gathering: what is under way, and what came of it. Rows are written here, in the calling thread."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from digest.domain.newsroom import Quote
from digest.errors import DigestError, FetchError, GoneError
from digest.feeds.fetch import Fetched
from digest.feeds.pace import HostGate, Rhythm, Wishes, next_poll, wishes_of
from digest.feeds.understand import Understood
from digest.store import articles, events, feeds, hosts, quotes, websub
from digest.store.articles import Shown, Stored
from digest.store.feeds import FeedTask, Success
from digest.workflows.context import Context
from digest.workflows.gather_hosts import GAP, by_host, gate_for, host_of
from digest.workflows.gather_pages import PageTask
from digest.workflows.gather_report import FeedOutcome, Progress

LEASE = timedelta(seconds=60)
"""How long a claimed feed stays ours: a fetch's deadline, parsing, and a wait for the database."""
AT_ONCE = 48
"""Feeds that are claimed, and recorded, in one transaction."""
LINGER = 0.25
"""Seconds after which what is known of fewer feeds is recorded as well: what a killed run loses."""
LAST_SECONDS = 3.0
"""What fetches under way still have when the process is to end."""
PAGES_PER_FEED = 25
FULL_TEXT = 600
"""Characters from which on an item's own text counts as full."""
TOO_MANY = timedelta(minutes=10)
"""How long a host is left alone that says 429 (too many requests) without saying for how long."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a thread brings back: the values of one feed, or why there are none."""

    answer: Fetched | None = None
    found: Understood = field(default_factory=Understood)
    quotes: tuple[Quote, ...] = ()
    problem: Exception | None = None
    wishes: Wishes = field(default_factory=Wishes)


@dataclass
class Run:
    """The state of a run. Lives in the calling thread.

    Attributes:
        read: fetches and parses one feed, in a thread; never raises.
        page_tasks: pages of new articles to be read: for their text, or to see where a detour leads.
        help: reads an answer that waits to be read, when there is nothing else to do; says whether there was one.
        stop: whether the process is to end: then nothing more is begun, and what is under way is cut short.
        resting: hosts that asked for a pause, and until when.
        claimed: feeds that are ours and not asked yet.
    """

    ctx: Context
    read: Callable[[Context, FeedTask], Reading]
    due_only: bool
    total: int
    progress: Progress | None
    stop: Callable[[], bool]
    help: Callable[[], bool] = lambda: False
    stopped: bool = False
    gate: HostGate = field(init=False)
    outcomes: list[FeedOutcome] = field(default_factory=list)
    page_tasks: list[PageTask] = field(default_factory=list)
    busy: list[tuple[int, str]] = field(default_factory=list)
    resting: dict[str, datetime] = field(default_factory=dict)
    claimed: dict[int, FeedTask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gate = gate_for(self.ctx.fetcher.allow)
        with self.ctx.db.read() as session:
            self.resting = hosts.resting(session, self.ctx.clock())

    def feeds(self, pool: ThreadPoolExecutor, waiting: list[tuple[int, str]]) -> None:
        """Gather the feeds, and record what became of each as soon as it is known."""
        ahead = deque(waiting)

        def begin(feed: tuple[int, str]) -> tuple[FeedTask, Future[Reading]] | None:
            task = self._claim(*feed, ahead)
            return (task, pool.submit(self.read, self.ctx, task)) if task else None

        try:
            rounds = by_host(
                waiting,
                lambda feed: feed[1],
                begin,
                self.gate,
                batch=AT_ONCE,
                linger=LINGER,
                stop=self.is_to_stop,
                idle=self.help,
                urgent=lambda reading: reading.result().problem is not None,  # its host may ask for a pause
            )
            for some in rounds:
                self._settle([(task, reading.result()) for task, reading in some])
        finally:
            self._let_go(list(self.claimed.values()))

    def is_to_stop(self) -> bool:
        """Whether to come to an end; what is under way then has a few seconds left."""
        if not self.stopped and self.stop():
            self.stopped = True
            self.ctx.fetcher.hurry(LAST_SECONDS)
        return self.stopped

    def take_busy(self) -> list[tuple[int, str]]:
        """The feeds that another process had, for another try."""
        busy, self.busy = self.busy, []
        return busy

    def give_up_busy(self) -> None:
        """Leave the feeds that another process has to it."""
        for feed_id, url in self.take_busy():
            self._done(FeedOutcome(feed_id, url, "", "busy"))

    def rest(self, url: str, problem: FetchError) -> None:
        """Leave the host alone if that is what its answer asks for: for this run, the next ones, other processes."""
        seconds = problem.retry_after or (TOO_MANY.total_seconds() if problem.status == 429 else 0)
        if not seconds:
            return
        host, now = host_of(url), self.ctx.clock()
        until = now + min(timedelta(seconds=seconds), feeds.MAX_RETRY_AFTER)
        self.resting[host] = max(until, self.resting.get(host, until))
        with self.ctx.db.write() as session:
            hosts.rest(session, host, until, str(problem), now)

    def rests(self, url: str) -> datetime | None:
        """Until when the URL's host is to be left alone; None if it need not be."""
        until = self.resting.get(host_of(url))
        return until if until and until > self.ctx.clock() else None

    def _claim(self, feed_id: int, url: str, ahead: deque[tuple[int, str]]) -> FeedTask | None:
        """The feed, claimed. Those that come next are claimed with it: one transaction for many."""
        now = self.ctx.clock()
        task = self.claimed.pop(feed_id, None)
        if until := self.rests(url):
            self._let_go([task] if task else [])
            with self.ctx.db.write() as session:
                feeds.postpone(session, [feed_id], until)
            why = f"{host_of(url)} asked for a pause until {until:%d %b %H:%M} UTC"
            self._done(FeedOutcome(feed_id, url, "", "postponed", error=why))
            return None
        if task is None:
            some = {feed_id: url} | dict(ahead.popleft() for _ in range(min(AT_ONCE, len(ahead))))
            self.claimed |= {each.id: each for each in self._take(some, now)}
            task = self.claimed.pop(feed_id, None)
        elif task.claimed_until - now < LEASE / 2:  # its host kept us waiting
            with self.ctx.db.write() as session:
                task = feeds.renew(session, task, now, LEASE)
        if task is None:
            self.busy.append((feed_id, url))
        return task

    def _take(self, some: Mapping[int, str], now: datetime) -> list[FeedTask]:
        """Claim feeds, by id with their URLs, but none of a host that another process asks: its limits are for both."""
        with self.ctx.db.write() as session:
            others = hosts.asked_elsewhere(session, self.ctx.worker, now, timedelta(seconds=GAP))
            theirs = {host_of(url) for url, is_held in others if is_held or not self.gate.is_unhurried(host_of(url))}
            free = [ident for ident, url in some.items() if host_of(url) not in theirs]
            return feeds.claim_some(session, free, now, LEASE, worker=self.ctx.worker, due_only=self.due_only)

    def _let_go(self, tasks: list[FeedTask]) -> None:
        if tasks:
            with self.ctx.db.write() as session:
                feeds.let_go(session, tasks)
            for task in tasks:
                self.claimed.pop(task.id, None)

    def _settle(self, ended: Sequence[tuple[FeedTask, Reading]]) -> None:
        """Record what came of feeds: together, or each by itself if the database refuses something."""
        read = [(task, reading) for task, reading in ended if not reading.problem]
        try:
            outcomes = self._store(read)
        except Exception as error:  # a row that the database refuses must not stop the other feeds
            if len(read) > 1:
                for pair in ended:
                    self._settle([pair])
                return
            ((task, reading),) = read
            log.exception("feed could not be stored", feed=task.url)
            outcomes = [self._fail(task, Reading(answer=reading.answer, problem=error))]
        problems = [(task, reading) for task, reading in ended if reading.problem]
        if self.stopped:  # we ourselves may have cut it short, so nothing is held against the source
            self._let_go([task for task, _ in problems])
        else:
            outcomes += [self._fail(task, reading) for task, reading in problems]
        for outcome in outcomes:
            self._done(outcome)

    def _store(self, read: Sequence[tuple[FeedTask, Reading]]) -> list[FeedOutcome]:
        now = self.ctx.clock()
        changed = [(task, reading) for task, reading in read if not _is_unchanged(task, reading)]
        outcomes: list[FeedOutcome] = []
        new_ids: dict[int, dict[str, int]] = {}
        read_well: list[Success] = []
        for task, reading in read:
            if _is_unchanged(task, reading):
                read_well.append(Success(task, _asked_again(task, reading, now)))
                outcomes.append(FeedOutcome(task.id, task.url, task.name, "not_modified"))
        if not read:
            return outcomes
        with self.ctx.db.write() as session:
            shown = [
                Shown(task.id, task.name, reading.found.items, task.first_read)
                for task, reading in changed
                if task.kind not in ("quotes", "events")
            ]
            stored = articles.upsert_all(session, shown, now)
            if changed:
                hubs = {task.id: reading.found.hub for task, reading in changed if _is_new(reading)}
                websub.note_all(session, hubs, now)
            for task, reading in changed:
                kept = stored.get(task.id, Stored({}, 0))
                new_ids[task.id] = kept.new
                success, outcome = self._store_one(session, task, reading, kept, now)
                outcomes.append(outcome)
                read_well += [success] if success else []
            feeds.record_successes(session, read_well, now)
        for task, reading in changed:
            self._plan_pages(task, reading, new_ids[task.id])
        return outcomes

    def _store_one(
        self, session: Session, task: FeedTask, reading: Reading, kept: Stored, now: datetime
    ) -> tuple[Success | None, FeedOutcome]:
        """Store what isn't articles; what to record of the feed (None if that is done), and what to tell."""
        answer = reading.answer
        assert answer is not None
        moved = answer.permanent_url
        if answer.status == 304:
            again = _asked_again(task, reading, now)
            feeds.record_success(session, task, now, next_check_at=again, permanent_url=moved)
            return None, FeedOutcome(task.id, task.url, task.name, "not_modified")
        new, seen = self._keep(session, task, reading, kept, now)
        rhythm = reading.found.rhythm
        success = Success(
            task,
            next_poll(now, task.interval, rhythm, reading.wishes),
            entries=seen,
            new=new,
            etag=answer.etag,
            last_modified=answer.last_modified,
            rhythm=int(rhythm.gap.total_seconds()) if rhythm.gap else 0,
            newest_at=rhythm.newest,
        )
        outcome = FeedOutcome(task.id, task.url, task.name, "ok", new, seen, kind=task.kind)
        if not moved or moved == task.url:
            return success, outcome
        feeds.record_success(
            session,
            task,
            now,
            etag=success.etag,
            last_modified=success.last_modified,
            entries=seen,
            new=new,
            next_check_at=success.again,
            rhythm=success.rhythm,
            newest_at=success.newest_at,
            permanent_url=moved,
        )
        return None, replace(outcome, note=f"says that it has moved for good to {moved}")

    def _keep(self, session: Session, task: FeedTask, reading: Reading, kept: Stored, now: datetime) -> tuple[int, int]:
        """Store what isn't articles; the number of new things, and of things."""
        match task.kind:
            case "quotes":
                return quotes.save(session, reading.quotes), len(reading.quotes)
            case "events":
                return events.save_gathered(session, task.id, reading.found.events, now), len(reading.found.events)
            case _:
                return len(kept.new), kept.seen

    def _plan_pages(self, task: FeedTask, reading: Reading, new: dict[str, int]) -> None:
        """Which pages to read: those of which the feed gave but a summary, if it is to be so; and where detours lead."""
        if not (new and (task.full_text or reading.found.detours)):
            return
        # Once: some feeds show an item twice.
        items = {item.url: item for item in reading.found.items if item.url in new}
        whole = [url for url, item in items.items() if task.full_text and len(item.text) < FULL_TEXT]
        detours = [url for url in items if url not in whole and url in reading.found.detours]
        tasks = [PageTask(new[url], url, task.name) for url in whole] + [
            PageTask(new[url], url, task.name, whole=False) for url in detours
        ]
        self.page_tasks += tasks[:PAGES_PER_FEED]

    def _fail(self, task: FeedTask, reading: Reading) -> FeedOutcome:
        problem, now = reading.problem, self.ctx.clock()
        message = str(problem) if isinstance(problem, DigestError) else f"unexpected: {type(problem).__name__}"
        body = problem.evidence if isinstance(problem, DigestError) and problem.evidence else None
        if body is None and reading.answer:
            body = reading.answer.body
        if isinstance(problem, GoneError) and not task.moved_to:
            with self.ctx.db.write() as session:
                feeds.retire(session, task, now, message, body=body)
            return FeedOutcome(task.id, task.url, task.name, "retired", error=message)
        if isinstance(problem, FetchError):
            self.rest(task.url, problem)
        retry_after = problem.retry_after if isinstance(problem, FetchError) else None
        with self.ctx.db.write() as session:
            feeds.record_failure(session, task, now, message, body=body, retry_after=retry_after)
        return FeedOutcome(task.id, task.url, task.name, "failed", error=message)

    def _done(self, outcome: FeedOutcome) -> None:
        self.outcomes.append(outcome)
        if self.progress:
            self.progress(outcome, len(self.outcomes), self.total)


def _is_unchanged(task: FeedTask, reading: Reading) -> bool:
    """Whether there is nothing to note but that the feed was asked."""
    answer = reading.answer
    return answer is not None and answer.status == 304 and answer.permanent_url in ("", task.url)


def _is_new(reading: Reading) -> bool:
    return reading.answer is not None and reading.answer.status != 304


def _asked_again(task: FeedTask, reading: Reading, now: datetime) -> datetime:
    """When to ask a feed again that is as it was: its rhythm is the one that we know."""
    assert reading.answer is not None
    known = Rhythm(timedelta(seconds=task.rhythm) if task.rhythm else None, task.newest_at)
    return next_poll(now, task.interval, known, wishes_of(reading.answer.headers))
