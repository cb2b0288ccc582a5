"""One worker on one issue: claim, look again, make the mails, send, record."""

import random
import re
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.domain.mail import Message, SendResult
from digest.engine.journal import Answer, Journal
from digest.errors import MessageError, SenderRefused, SenderUnavailable
from digest.store import deliveries, issues
from digest.store.deliveries import Change, Claimed
from digest.workflows.context import Context
from digest.workflows.delivery_plan import PAUSED, SUPPRESSED
from digest.workflows.messages import PrintedIssue, addressed

LEASE = timedelta(minutes=15)
"""How long a worker may hold a row; after it, nothing of it is handed over any more."""

CHUNK = 500
"""Rows that a worker claims at most at once, if its sender likes that many."""

RETRY = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240))
"""Waits after a mail was put off (4xx); the last one repeats. Greylisting wants five minutes at least."""

HORIZON = timedelta(hours=48)
"""A mail that is put off for longer than this fails: RFC 5321 4.5.4.1 asks for days, news don't last as long."""

OUTAGE = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 900))
"""Waits after the server could not be reached; the last one repeats."""


REFUSALS = 3
"""So many refusals by policy in a row, while nobody was accepted yet, speak of us and not of the readers."""

LOOK_AGAIN = timedelta(seconds=1)
"""How often a worker looks whether its issue may still be sent."""

_POLICY = re.compile(r"5\d\d 5\.7\.|53[0458]\b|5[05][0-4]\b.*\brelay", re.IGNORECASE)
"""Replies of servers that refuse the sender: RFC 3463 5.7.x, RFC 4954 section 6, and relays without enhanced codes."""


class Withdrawn(Exception):
    """Nothing more may be handed over: somebody asked to stop, or the lease has ended."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait before the next attempt. Jitter keeps rows from coming back all at once."""

    chance: random.Random

    def after(self, waits: Sequence[timedelta], attempts: int, asked: float | None = None) -> timedelta:
        """The wait after that many attempts, a quarter longer at most; never shorter than the server asked for."""
        wait = waits[min(attempts, len(waits)) - 1] * self.chance.uniform(1.0, 1.25)
        return max(wait, timedelta(seconds=asked or 0))


@dataclass
class HandingOut:
    """The work of one worker's threads on one issue. ``step`` may run in several threads.

    Attributes:
        total, settled: rows of the issue, and how many of them need nothing more.
        accepted: whether a server took a mail of this issue, now or before.
        problem: why it was given up, in the server's words.
        tally: what became of rows, by state; ``deferred`` are back in the queue.
    """

    ctx: Context
    issue_id: int
    issue: PrintedIssue
    journal: Journal
    pace: Pace
    stop: Callable[[], bool] | None = None
    progress: Callable[[int, int], None] | None = None
    total: int = 0
    settled: int = 0
    accepted: bool = False
    problem: str = ""
    tally: dict[str, int] = field(default_factory=dict)
    _until: datetime | None = None
    _refusals: int = 0
    _looked_at: datetime | None = None
    _halted: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def step(self) -> bool:
        """Take one chunk through; False when nothing is due, or nothing can be sent any more.

        Any error that is not the server's leaves the rows to the journal, and to whoever settles it.
        """
        if self._halted.is_set():
            return False
        rows, suppressed = self._claim()
        if not rows:
            return False
        changes, mails = self._make(rows, suppressed)
        changes += self._send(mails, {row.id: row for row in rows})
        with self.ctx.db.write() as session:
            deliveries.record(session, self.journal.worker, changes)
            left = {row.id for row in rows} - {change.delivery_id for change in changes}
            deliveries.release(session, self.journal.worker, only=left)
            if self._until is not None:
                deliveries.put_off(session, self.issue_id, self._until)
        self.journal.recorded(row.id for row in rows)
        self._count(changes)
        return True

    def _claim(self) -> tuple[list[Claimed], frozenset[str]]:
        now = self.ctx.clock()
        limit = min(self.ctx.sender.batch, CHUNK)
        with self.ctx.db.write() as session:
            rows = deliveries.claim(
                session, self.issue_id, self.issue.revision, self.journal.worker, now, now + LEASE, limit
            )
        # Read after the claim is committed: whoever unsubscribed before this moment is seen.
        with self.ctx.db.read() as session:
            rows = deliveries.with_recipients(session, rows)
            hashes = [self.ctx.signer.address_hash(row.address) for row in rows]
            return rows, deliveries.suppressed(session, hashes)

    def _make(self, rows: Sequence[Claimed], suppressed: Collection[str]) -> tuple[list[Change], list[Message]]:
        """The mails of those who may be written to at this moment; for the others, why not."""
        now = self.ctx.clock()
        changes: list[Change] = []
        mails: list[Message] = []
        for row in rows:
            if reason := self._reason_to_skip(row, suppressed, now):
                changes.append(Change(row.id, "skipped", reason, finished_at=now))
                continue
            try:
                mails.append(_mail(self.ctx, self.issue, row))
            except MessageError as error:
                changes.append(Change(row.id, "failed", str(error), finished_at=now))
        return changes, mails

    def _reason_to_skip(self, row: Claimed, suppressed: Collection[str], now: datetime) -> str:
        if row.subscription_state != "active":
            return "erased" if row.subscription_state == "erased" else "unsubscribed"
        if self.ctx.signer.address_hash(row.address) in suppressed:
            return SUPPRESSED
        return PAUSED if row.paused_until is not None and row.paused_until > now else ""

    def _send(self, mails: Sequence[Message], rows: dict[int, Claimed]) -> list[Change]:
        """What became of the mails; those that are not named were surely not accepted."""
        if not mails:
            return []
        handed: set[int] = set()
        changes: list[Change] = []

        def hand_over(message: Message) -> None:
            row = rows[_id(message)]
            if (self.stop is not None and self.stop()) or self.ctx.clock() >= row.lease_until:
                raise Withdrawn
            if self._halted.is_set() or not self._goes_on():
                raise Withdrawn
            self.journal.about(row.id)
            handed.add(row.id)

        try:
            for result in self.ctx.sender.send(mails, hand_over):
                self.journal.done(_answer(result))
                handed.discard(_id(result.message))
                changes.append(self._change(result, rows[_id(result.message)]))
        except Withdrawn:
            self._halted.set()
        except SenderUnavailable as trouble:
            self._put_off(str(trouble), max(row.attempts for row in rows.values()))
        except SenderRefused as trouble:
            self._hold(str(trouble))
        else:
            if handed:
                raise AssertionError(f"{self.ctx.sender.name} gave no result for {len(handed)} mails handed over")
        self.journal.taken_back(handed)
        return changes

    def _goes_on(self) -> bool:
        """Whether the issue is still being sent; asked of the database every now and then, not for every mail."""
        now = self.ctx.clock()
        with self._lock:
            if self._looked_at is not None and now - self._looked_at < LOOK_AGAIN:
                return True
            self._looked_at = now
        with self.ctx.db.read() as session:
            return issues.get(session, self.issue_id).state == "sending"

    def _refused(self, result: SendResult) -> bool:
        """Whether a refusal speaks of us: by policy, while nobody was accepted yet. Then nobody is marked failed.

        Raises:
            SenderRefused: it is one of several in a row.
        """
        with self._lock:
            if result.outcome == "sent":
                self.accepted, self._refusals = True, 0
            if self.accepted or result.outcome != "failed" or not _POLICY.match(f"{result.code} {result.detail}"):
                return False
            self._refusals += 1
            if self._refusals >= min(REFUSALS, self.total):
                raise SenderRefused(f"the mail server refuses us: {result.code} {result.detail}")
        return True

    def _change(self, result: SendResult, row: Claimed) -> Change:
        now = self.ctx.clock()
        if self._refused(result):
            words = f"{result.code} {result.detail}".strip()
            return Change(row.id, "queued", words, not_before=now + self.pace.after(RETRY, row.attempts))
        if result.outcome == "deferred" and now - row.dated_at >= HORIZON:
            words = f"given up after {row.attempts} attempts in {HORIZON.total_seconds() / 3600:.0f} hours"
            return Change(row.id, "failed", f"{words}: {result.code} {result.detail}", finished_at=now)
        return change_of(_answer(result), now, now + self.pace.after(RETRY, row.attempts, result.retry_after))

    def _put_off(self, words: str, attempts: int) -> None:
        """The server is away: everything waits, and the issue says why."""
        until = self.ctx.clock() + self.pace.after(OUTAGE, attempts)
        with self._lock:  # of several threads that find it away, the one with the longest patience is right
            self._until = max(self._until or until, until)
        with self.ctx.db.write() as session:
            deliveries.note_problem(session, self.issue_id, words)
        self.problem = words
        self._halted.set()

    def _hold(self, words: str) -> None:
        """The server refuses us: the issue is held until a person has seen to it, nothing is marked failed."""
        with self.ctx.db.write() as session:
            if issues.get(session, self.issue_id).state == "sending":
                issues.move(session, self.issue_id, ["sending"], "held", reason=words)
        self.problem = words
        self._halted.set()

    def _count(self, changes: Sequence[Change]) -> None:
        with self._lock:
            for change in changes:
                word = "deferred" if change.state == "queued" else change.state
                self.tally[word] = self.tally.get(word, 0) + 1
                self.settled += change.state != "queued"
            if self.progress is not None:
                self.progress(self.settled, self.total)


def change_of(answer: Answer, now: datetime, later: datetime) -> Change:
    """What an answer makes of a row; a mail that was put off comes back ``later``."""
    words = f"{answer.code} {answer.detail}".strip()
    if answer.outcome == "deferred":
        return Change(answer.delivery_id, "queued", words, not_before=later)
    return Change(answer.delivery_id, answer.outcome, words, finished_at=now, provider_id=answer.provider_id)


def _mail(ctx: Context, issue: PrintedIssue, row: Claimed) -> Message:
    return addressed(
        ctx,
        issue,
        issue.cuts[row.cut_id],
        delivery_id=row.id,
        subscriber_id=row.subscriber_id,
        subscription_id=row.subscription_id,
        address=row.address,
        name=row.name,
        dated_at=row.dated_at,
    )


def _answer(result: SendResult) -> Answer:
    return Answer(_id(result.message), result.outcome, result.code, result.detail, result.provider_id)


def _id(message: Message) -> int:
    assert message.delivery_id is not None
    return message.delivery_id
