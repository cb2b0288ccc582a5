"""One carrier's share of an issue: take rows, look once more who may be written to, make the mails, send them."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from digest.domain.mail import Message, SendResult
from digest.engine.exchange import Exchange
from digest.engine.journal import Answer, Journal
from digest.errors import MessageError, SenderRefused, SenderUnavailable
from digest.senders.base import SenderAbreast
from digest.store import deliveries, issues
from digest.store.deliveries import Change, Claimed
from digest.workflows.context import Context
from digest.workflows.delivery_plan import PAUSED, SUPPRESSED
from digest.workflows.messages import PrintedIssue, addressed
from digest.workflows.outflow import Outflow, domain_of
from digest.workflows.pace import RETRY, Pace, change_of

LOOK_AGAIN = timedelta(seconds=1)
"""How old a look at an issue or a reader may be when a mail is handed over."""

_TICKS, _NOTHING = LOOK_AGAIN.total_seconds(), timedelta(0)

SKEW = timedelta(minutes=1)
"""How far the clocks of two machines may be apart: so long before its lease ends, a worker stops by itself."""

REFUSALS = 3
"""So many refusals by policy in a row, while nobody was accepted yet, speak of us and not of the readers."""

LATER_REFUSALS = 5
"""The same when others were accepted before: a server that changed its mind about us."""

LARGE = 10
"""Readers at one domain of whom none more is tried when it refuses us; at a smaller one they fail, each with its words."""


class Look(NamedTuple):
    """When something was looked at: by both clocks, as a wall clock may jump and a monotonic one can stand still."""

    by_ticks: float
    by_wall: datetime

    @classmethod
    def now(cls, ctx: Context) -> "Look":
        """This moment."""
        return cls(time.monotonic(), ctx.clock())

    def is_old(self, now: "Look") -> bool:
        """Whether it is time to look again."""
        if now.by_ticks - self.by_ticks >= _TICKS:
            return True
        return not _NOTHING <= now.by_wall - self.by_wall < LOOK_AGAIN


class Withdrawn(Exception):
    """Nothing more may be handed over: somebody asked to stop, or the lease has ended."""


class Overtaken(Exception):
    """This reader may not be written to any more; whoever comes behind may."""


class Ready(NamedTuple):
    """A row, and how its reader stood at a moment.

    Attributes:
        reason: why nothing may be sent to them; "" if it may.
        seen: when that was looked at.
        until: when the lease has ended by the monotonic clock, however the wall clock jumps.
    """

    row: Claimed
    reason: str
    seen: Look
    until: float


@dataclass
class Course:
    """How the work on one issue stands, for all connections of a worker.

    Attributes:
        revision: of the fragments that it hands out.
        total: readers of the issue.
        accepted: whether a server took a mail of this issue, now or before.
        problem: why it was given up, in the server's words.
        held: the server refuses us: a person must see to it.
        until: when the server may be back.
    """

    ctx: Context
    issue_id: int
    revision: int
    stop: Callable[[], bool]
    total: int
    accepted: bool
    problem: str = ""
    held: bool = False
    until: datetime | None = None
    halted: threading.Event = field(default_factory=threading.Event)
    _refusals: int = 0
    _by_domain: dict[str, int] = field(default_factory=dict)
    _looked: Look | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def goes_on(self, now: Look | None = None) -> bool:
        """Whether mails may still be handed over; asked of the database every second, not for every mail.

        Args:
            now: this moment, if the caller has just looked at the clocks.
        """
        if self.halted.is_set():
            return False
        if self.stop():
            self.halted.set()
        elif self._is_old(now or Look.now(self.ctx)):
            # The others wait meanwhile: however slow the database is, nobody goes on by an old look.
            with self._looking:
                if self._is_old(Look.now(self.ctx)):
                    looked = Look.now(self.ctx)
                    with self.ctx.db.read() as session:
                        if issues.standing(session, self.issue_id) != ("sending", self.revision):
                            self.halted.set()
                    self._looked = looked
        return not self.halted.is_set()

    def _is_old(self, now: Look) -> bool:
        return self._looked is None or self._looked.is_old(now)

    def away(self, words: str, until: datetime) -> None:
        """The server is away: everything waits. Of several that find it so, the one with the longest patience is right."""
        with self._lock:
            self.until = max(self.until or until, until)
            self.problem = words
        self.halted.set()

    def refused(self, words: str) -> None:
        """The server refuses us: nothing is marked failed."""
        with self._lock:
            self.problem, self.held = words, True
        self.halted.set()

    def speaks_of_us(self, result: SendResult) -> bool:
        """Whether a refusal speaks of us: by policy, while nobody was accepted yet. Such a mail is tried again.

        Raises:
            SenderRefused: it is one of several in a row, in all or at a large domain. Nobody more is burnt.
        """
        if result.outcome == "sent":
            if not self.accepted or self._refusals:
                self._accepted(domain_of(result.message.recipient))
            return False
        if result.outcome != "failed" or result.refusal != "policy":
            return False
        domain, words = domain_of(result.message.recipient), f"{result.code} {result.detail}"
        with self._lock:
            self._refusals += 1
            at_domain = self._by_domain[domain] = self._by_domain.get(domain, 0) + 1
            most = LATER_REFUSALS if self.accepted else min(REFUSALS, self.total)
            too_many = self._refusals >= most
        if too_many:
            raise SenderRefused(f"the mail server refuses us: {words}")
        if self.accepted and at_domain >= REFUSALS and self._is_large(domain):
            raise SenderRefused(f"{domain} refuses us: {words}")
        return not self.accepted

    def _accepted(self, domain: str) -> None:
        with self._lock:
            self.accepted, self._refusals = True, 0
            self._by_domain.pop(domain, None)

    def _is_large(self, domain: str) -> bool:
        with self.ctx.db.read() as session:
            return deliveries.waiting_at(session, self.issue_id, domain) >= max(LARGE, self.total // 100)


@dataclass
class Carrier:
    """Carries rows until the exchange is closed. Lives in a thread of its own.

    Attributes:
        connections: that it keeps busy, if its sender can do that.
    """

    ctx: Context
    issue: PrintedIssue
    journal: Journal
    pace: Pace
    course: Course
    flow: Outflow
    exchange: Exchange[Ready, Change]
    connections: int = 1
    _hand: dict[int, Ready] = field(default_factory=dict)
    _handed: set[int] = field(default_factory=set)

    def run(self) -> None:
        """Carry. Trouble with the server ends it in good order.

        Raises:
            Exception: any error that is not the server's; what is in hand stays for the journal to settle.
        """
        while rows := self.exchange.take(self.ctx.sender.batch):
            try:
                self._send(self._mails(rows))
            except Overtaken:
                pass  # the row goes back, and is looked at again when it is claimed
            except Withdrawn:
                self.course.halted.set()
            except SenderUnavailable as trouble:
                attempts = max((ready.row.attempts for ready in self._hand.values()), default=1)
                self.course.away(str(trouble), self.ctx.clock() + self.pace.outage(attempts))
            except SenderRefused as trouble:
                self.course.refused(str(trouble))
            else:
                if self._handed:
                    raise AssertionError(f"{self.ctx.sender.name} gave no result for {len(self._handed)} mails")
            for delivery_id in self._handed:
                self.flow.leave(self._hand[delivery_id].row.address)
            self.journal.taken_back(self._handed)
            self.exchange.give_back(self._hand.values())
            self._handed.clear()
            self._hand.clear()

    def _send(self, mails: Iterator[Message]) -> None:
        for result in self._results(mails):
            assert result.message.delivery_id is not None
            if result.message.delivery_id in self._handed:
                self.flow.leave(result.message.recipient)
            self.flow.learn(result)
            answer = Answer(
                result.message.delivery_id, result.outcome, result.code, result.detail, result.provider_id
            )  # fmt: skip
            try:
                change = self._change(result, answer)
            except SenderRefused as trouble:
                # Not passed on from here: the sender may have others under way, and hears them out when nothing comes.
                self.course.refused(str(trouble))
                self._handed.discard(answer.delivery_id)
                self.journal.taken_back([answer.delivery_id])
                continue
            if change.state == "queued":
                self.journal.taken_back([answer.delivery_id])
            else:
                self.journal.done(answer)
            self._handed.discard(answer.delivery_id)
            self._settle(change)

    def _results(self, mails: Iterator[Message]) -> Iterator[SendResult]:
        sender = self.ctx.sender
        if self.connections > 1 and isinstance(sender, SenderAbreast):
            return sender.send_abreast(mails, self._hand_over, self.connections)
        return sender.send(mails, self._hand_over)

    def _mails(self, rows: list[Ready]) -> Iterator[Message]:
        """The mails of these rows, and of those that become ready meanwhile: a connection is kept busy, not filled."""
        while rows:
            self._hand.update((ready.row.id, ready) for ready in rows)
            for row_id in [ready.row.id for ready in rows]:
                if self.course.halted.is_set():
                    return
                # By one clock, as whoever hands it over looks at both; here it saves a look for each mail on its own.
                if time.monotonic() - self._hand[row_id].seen.by_ticks >= _TICKS:
                    self._look_again([ready for each in rows if (ready := self._hand.get(each.row.id)) is not None])
                if (mail := self._mail(self._hand[row_id])) is not None:
                    yield mail
            rows = self.exchange.take(self.ctx.sender.batch, wait=False) if self.course.goes_on() else []

    def _mail(self, ready: Ready) -> Message | None:
        row = ready.row
        if ready.reason:
            self._settle(Change(row.id, "skipped", ready.reason, finished_at=self.ctx.clock()))
            return None
        try:
            return addressed(
                self.ctx, self.issue, self.issue.cuts[row.cut_id], delivery_id=row.id, subscriber_id=row.subscriber_id,
                subscription_id=row.subscription_id, address=row.address, name=row.name, dated_at=row.dated_at,
            )  # fmt: skip
        except MessageError as error:
            self._settle(Change(row.id, "failed", str(error), finished_at=self.ctx.clock()))
            return None

    def _hand_over(self, message: Message) -> None:
        """Called by the sender before the point of no return; it has the last word.

        Raises:
            Withdrawn: nothing more may leave.
            Overtaken: this one may not.
        """
        assert message.delivery_id is not None
        if message.delivery_id in self._handed:  # it changes hands between two senders: it had its turn
            self._look_last(message.delivery_id)
            return
        if not self.flow.enter(message.recipient, holds_others=bool(self._handed)):
            raise Withdrawn
        try:
            self._look_last(message.delivery_id)
        except Exception:
            self.flow.leave(message.recipient)
            raise
        self.journal.about(message.delivery_id)
        self._handed.add(message.delivery_id)

    def _look_last(self, delivery_id: int) -> None:
        ready, now = self._hand[delivery_id], Look.now(self.ctx)
        if not self.course.goes_on(now):
            raise Withdrawn
        if now.by_wall >= ready.row.lease_until - SKEW or now.by_ticks >= ready.until:
            raise Withdrawn
        if ready.seen.is_old(now):
            self._look_again([ready])
            if self._hand[delivery_id].reason:
                raise Overtaken

    def _look_again(self, rows: list[Ready]) -> None:
        for ready in look(self.ctx, [ready.row for ready in rows], rows[0].until):
            self._hand[ready.row.id] = ready

    def _settle(self, change: Change) -> None:
        del self._hand[change.delivery_id]
        self.exchange.give(change)

    def _change(self, result: SendResult, answer: Answer) -> Change:
        now = self.ctx.clock()
        row = self._hand[answer.delivery_id].row
        if self.course.speaks_of_us(result):
            words = f"{result.code} {result.detail}".strip()
            return Change(row.id, "queued", words, not_before=now + self.pace.after(RETRY, row.attempts))
        if result.outcome == "deferred" and now - row.dated_at >= self.ctx.limits.give_up:
            hours = self.ctx.limits.give_up.total_seconds() / 3600
            words = f"given up after {row.attempts} attempts in {hours:.0f} hours"
            return Change(row.id, "failed", f"{words}: {result.code} {result.detail}", finished_at=now)
        later = now + self.pace.after(RETRY, row.attempts, result.retry_after) if result.outcome == "deferred" else now
        return change_of(answer, now, later)


def look(ctx: Context, claimed: Iterable[Claimed], until: float) -> list[Ready]:
    """How the readers of these rows stand at this moment: one question for all of them.

    Asked after the claim is committed, whoever unsubscribed before this moment is seen.
    """
    seen = Look.now(ctx)
    with ctx.db.read() as session:
        rows = deliveries.with_recipients(session, list(claimed), ctx.signer)
    return [Ready(row, _reason_to_skip(row, seen.by_wall), seen, until) for row in rows]


def _reason_to_skip(row: Claimed, now: datetime) -> str:
    if row.is_suppressed:
        return SUPPRESSED
    if row.subscription_state != "active":
        return "erased" if row.subscription_state == "erased" else "unsubscribed"
    return PAUSED if row.paused_until is not None and row.paused_until > now else ""
