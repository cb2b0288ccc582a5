"""How the sending of an issue goes: how far, how fast, until when, and what became of readers for which reason."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from digest.store import deliveries, issues
from digest.store.deliveries import ReasonCount
from digest.workflows.context import Context

SPAN = 30.0
"""Seconds over which the rate is taken."""

FRESH = 1.0
"""Seconds for which a reading serves everybody who asks: counting a million rows takes a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A reading.

    Attributes:
        counts: as :func:`digest.workflows.deliver.audit` returns them, from one moment.
        rate: readers settled in a second, over the last half minute; None while there is but one reading.
        left: seconds until all are settled at that rate; None if nothing can be said.
        next_at: when the next reader's turn comes, if nobody's has come yet.
        reasons: why rows are skipped, failed, unknown or wait, the most frequent first.
    """

    issue: int
    state: str
    reason: str
    counts: dict[str, int]
    rate: float | None = None
    left: float | None = None
    next_at: datetime | None = None
    reasons: tuple[ReasonCount, ...] = ()

    @property
    def settled(self) -> int:
        """Readers for whom nothing more is to do."""
        return self.counts["audience"] - self.counts["queued"] - self.counts["sending"]

    @property
    def goes_on(self) -> bool:
        """Whether there is more to see later."""
        return self.state in ("approved", "sending")

    @property
    def left_words(self) -> str:
        """The time left, for people; "" if nothing can be said."""
        return "" if self.left is None else in_words(self.left)

    @property
    def words(self) -> str:
        """One line for people."""
        said = [f"{self.settled:,} of {self.counts['audience']:,}", self.state]
        if self.goes_on and self.rate is not None:
            said.append(f"{self.rate:,.0f} a second" if self.rate >= 1 or not self.rate else "less than one a second")
        if self.goes_on and self.left is not None:
            said.append(f"{self.left_words} left")
        if self.goes_on and self.next_at is not None:
            said.append(f"goes on at {self.next_at:%d %b %H:%M:%S} UTC")
        return ", ".join(said) + (f" — {self.reason}" if self.reason else "")

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "issue": self.issue, "state": self.state, "reason": self.reason, **self.counts, "settled": self.settled,
            "rate": self.rate, "seconds_left": self.left, "next_at": self.next_at.isoformat() if self.next_at else None,
            "reasons": [{"state": row.state, "reason": row.reason, "readers": row.readers} for row in self.reasons],
        }  # fmt: skip


@dataclass
class Pulse:
    """Readings of one issue after another, from which the rate comes. May be asked from several threads.

    Attributes:
        ticks: a monotonic clock in seconds.
    """

    ctx: Context
    ticks: Callable[[], float] = time.monotonic
    _marks: dict[int, deque[tuple[float, int]]] = field(default_factory=dict)
    _last: dict[int, tuple[float, Progress]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, issue_id: int) -> Progress:
        """How it stands now.

        Raises:
            NotFound: no such issue.
        """
        with self._lock:
            now = self.ticks()
            kept = self._last.get(issue_id)
            if kept is not None and now - kept[0] < FRESH and kept[1].goes_on:
                with self.ctx.db.read() as session:
                    state, _ = issues.standing(session, issue_id)
                if state == kept[1].state:
                    return kept[1]
            found = self._look(issue_id, now)
            self._last[issue_id] = now, found
            return found

    def _look(self, issue_id: int, now: float) -> Progress:
        with self.ctx.db.read() as session:
            issue = issues.get(session, issue_id)
            counts = deliveries.tally(session, issue_id)
            next_at = deliveries.next_due(session, issue_id)
            reasons = deliveries.reasons(session, issue_id, self.ctx.clock())
        found = Progress(issue_id, issue.state, issue.reason, counts, reasons=tuple(reasons))
        rate = self._rate(issue_id, now, found)
        waiting = counts["queued"] + counts["sending"]
        later = next_at if next_at is not None and next_at > self.ctx.clock() and not counts["sending"] else None
        left = waiting / rate if rate and waiting and later is None else None
        return Progress(issue_id, issue.state, issue.reason, counts, rate, left, later, found.reasons)

    def _rate(self, issue_id: int, now: float, found: Progress) -> float | None:
        marks = self._marks.setdefault(issue_id, deque(maxlen=120))
        if marks and found.settled < marks[-1][1]:
            marks.clear()  # unknown mails went back into the queue
        marks.append((now, found.settled))
        while len(marks) > 2 and now - marks[0][0] > SPAN:
            marks.popleft()
        began, before = marks[0]
        return (found.settled - before) / (now - began) if now > began else None


def in_words(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
