"""One worker on one issue: a clerk who claims ahead and records in bulk, and carriers who send."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.engine.exchange import Exchange
from digest.engine.journal import Journal
from digest.senders.base import SenderAbreast
from digest.store import deliveries, issues
from digest.store.deliveries import Change, Claimed
from digest.workflows.carrying import SKEW, Carrier, Course, Ready, look
from digest.workflows.context import Context
from digest.workflows.messages import PrintedIssue
from digest.workflows.outflow import Outflow
from digest.workflows.pace import Pace

LEASE = timedelta(minutes=15)
"""How long a worker may hold a row; after it, nothing of it is handed over any more."""

MOST, LEAST = 2000, 16
"""Rows that are claimed at once: about what is sent in a second, so that every worker gets its share to the end."""

LOOK_EVERY = 0.2
"""Seconds after which results are recorded at the latest."""


@dataclass
class HandingOut:
    """The work of one worker on one issue.

    Attributes:
        settled: called with how many more rows need nothing any more, after every record.
        total: rows of the issue.
        accepted: whether a server took a mail of this issue before.
        helping: another process does the same: it alone says that the server is away.
        tally: what became of rows, by state; ``deferred`` are back in the queue.
    """

    ctx: Context
    issue_id: int
    issue: PrintedIssue
    journal: Journal
    pace: Pace
    stop: Callable[[], bool]
    settled: Callable[[int], None]
    total: int = 0
    accepted: bool = False
    helping: bool = False
    tally: dict[str, int] = field(default_factory=dict)
    _waits: list[tuple[int, datetime, str]] = field(default_factory=list)
    _chunk: int = LEAST
    _claimed_at: float = 0.0

    def run(self, connections: int) -> str:
        """Hand out what is due, until nothing is, or nothing can be sent any more; returns why, in the server's words.

        Raises:
            Exception: an error that is not the server's. Rows in hand are left to the journal.
        """
        exchange: Exchange[Ready, Change] = Exchange()
        course = Course(self.ctx, self.issue_id, self.issue.revision, self.stop, self.total, self.accepted)
        self._chunk = max(LEAST, connections * min(self.ctx.sender.batch, 50))

        flow = Outflow(self.ctx, course.goes_on)

        # Who may have to wait for a turn with others under way needs a thread for each connection.
        abreast = isinstance(self.ctx.sender, SenderAbreast) and not flow.makes_wait
        carriers, lanes = (1, connections) if abreast else (connections, 1)

        def carry() -> None:
            Carrier(self.ctx, self.issue, self.journal, self.pace, course, flow, exchange, lanes).run()

        with exchange.carriers(carry, carriers):
            self._clerk(exchange, course, flow)
        flow.close()
        return "" if self._is_others_business(course) else course.problem

    def _clerk(self, exchange: Exchange[Ready, Change], course: Course, flow: Outflow) -> None:
        dry = False  # nothing was due at the last look
        while True:
            if not course.goes_on():
                exchange.close()
            low = self._chunk // 2
            ready, idle = exchange.wait(-1 if dry else low, LOOK_EVERY)
            changes, back = exchange.collect()
            if exchange.error is not None:
                return
            rows = self._at_the_ledger(changes, back, course, flow, wanted=not dry and ready <= low)
            if rows:
                until = time.monotonic() + (LEASE - SKEW).total_seconds()
                exchange.offer(self._in_turn(look(self.ctx, rows, until), flow))
            elif idle and (dry or course.halted.is_set()) and not (changes or back or self._waits):
                if course.halted.is_set() or not self._more_comes(course, flow):
                    return
                dry = False
                continue
            dry = not rows and not back and (dry or ready <= low)

    def _in_turn(self, ready: list[Ready], flow: Outflow) -> list[Ready]:
        """Those that need not wait for their domain; the others are put back into the queue with the next record."""
        waits = iter(flow.sort([each.row.address for each in ready if not each.reason]))
        now: list[Ready] = []
        for each in ready:
            wait = None if each.reason else next(waits)
            if wait is None:
                now.append(each)
            else:
                self._waits.append((each.row.id, wait.until, wait.reason))
        return now

    def _more_comes(self, course: Course, flow: Outflow) -> bool:
        """When nothing could be claimed and nothing is in hand: whether to look again, after a short wait at most."""
        with self.ctx.db.write() as session:
            if not deliveries.is_due(session, self.issue_id, self.ctx.clock()):
                due = deliveries.next_due(session, self.issue_id)
            elif flow.day_has_room(session):
                return (
                    self.ctx.limits.counts_days
                )  # what was kept for mails that did not leave; else it is others' work
            else:
                over = flow.day_is_over(session)
                course.away(over.reason, over.until)
                self._say_why(session, course)
                return False
        return flow.rest_until(due)

    def _at_the_ledger(
        self, changes: Sequence[Change], back: Sequence[Ready], course: Course, flow: Outflow, *, wanted: bool
    ) -> list[Claimed]:
        """One transaction for everything: record, give back, put off or hold, claim. Nothing to do costs nothing."""
        wanted = wanted and not course.halted.is_set()
        waits, self._waits = self._waits, []
        if not (changes or back or waits or wanted):
            return []
        rows: list[Claimed] = []
        worker, now = self.journal.worker, self.ctx.clock()
        untried = [ready.row.id for ready in back]
        with self.ctx.db.write() as session:
            deliveries.record(session, worker, changes)
            deliveries.release(session, worker, only=untried, tried=course.until is not None and not self.helping)
            deliveries.make_wait(session, worker, waits)
            left = sum(change.state in ("sent", "unknown") for change in changes)
            flow.give_back_of_day(session, len(changes) - left + len(back) + len(waits))
            if course.halted.is_set() and course.problem:
                self._say_why(session, course)
            if wanted:
                most = flow.take_of_day(session, flow.appetite(self._appetite()))
                if most:
                    rows = deliveries.claim(session, self.issue_id, self.issue.revision, worker, now, now + LEASE, most)
                    self.issue.learn(session, (row.cut_id for row in rows))
                flow.give_back_of_day(session, most - len(rows))
        self.journal.recorded([*(change.delivery_id for change in changes), *untried, *(row for row, _, _ in waits)])
        self._count(changes)
        return rows

    def _say_why(self, session: Session, course: Course) -> None:
        """What keeps the issue: until when it waits, or that a person must see to it."""
        if course.held:
            if issues.standing(session, self.issue_id)[0] == "sending":
                issues.move(session, self.issue_id, ["sending"], "held", reason=course.problem)
            return
        if self._is_others_business(course):
            return
        deliveries.note_problem(session, self.issue_id, course.problem)
        if course.until is not None:
            deliveries.put_off(session, self.issue_id, course.until)

    def _is_others_business(self, course: Course) -> bool:
        """Whether the trouble may be of our own making: the server has no place for the connections of one more."""
        return self.helping and not course.held

    def _appetite(self) -> int:
        """How many rows to claim: twice as many when the last ones went within half a second, fewer when they lasted."""
        now = time.monotonic()
        lasted = now - self._claimed_at if self._claimed_at else 1.0
        if lasted < 0.5:
            self._chunk = min(MOST, self._chunk * 2)
        elif lasted > 2:
            self._chunk = max(LEAST, self._chunk // 2)
        self._claimed_at = now
        return self._chunk

    def _count(self, changes: Sequence[Change]) -> None:
        for change in changes:
            word = "deferred" if change.state == "queued" else change.state
            self.tally[word] = self.tally.get(word, 0) + 1
        if changes:
            self.settled(sum(change.state != "queued" for change in changes))
