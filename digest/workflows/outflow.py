"""How fast mail leaves: the limits of the sender, of each recipient domain and of the day, shared by all workers.

::

    clerk:   how many rows are worth claiming → of the day's mails → which of them wait for their domain
    carrier: for each mail, right before its point of no return: the domain's places, then the sender's turn
    answers: a domain that asks us to slow down rests, then goes on slowly and faster again

Tokens are taken from the database some at a time, so that a mail costs no question. What is taken stays a little below
the limit, so that no ten seconds ever hold more than it allows, however many workers share it.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.domain.limits import REST, Slowed, rate_now, slower
from digest.domain.mail import SendResult
from digest.domain.refusals import asks_to_slow_down
from digest.store import limits
from digest.store.database import Database
from digest.store.limits import Grant
from digest.workflows.context import Context

MARGIN = 0.95
"""Of a limit, the part that is used: what may come together at the edges of ten seconds has room in the rest."""

SLICE = timedelta(seconds=0.1)
"""Turns of so much time are taken at once; they may be used up to ``VALID`` after they came."""

VALID = timedelta(seconds=0.15)

BURST = timedelta(seconds=0.25)
"""Tokens of so much time may gather while a worker is busy elsewhere: with ``SLICE`` and ``VALID`` it fits into the margin."""

DOMAIN_BURST = timedelta(seconds=0.4)
"""The same for a domain, whose rows have to be fetched from the queue again; its tokens are used at once."""

AHEAD = timedelta(hours=24)
SOON = timedelta(seconds=10)
"""A row that waits no longer than this for its domain is waited for."""

LOOK = timedelta(seconds=2)
"""How old what is known of slowed domains may be."""


class Turns:
    """The turns of one worker at a sender's rate."""

    def __init__(self, db: Database, name: str, rate: float, clock: Callable[[], datetime]) -> None:
        self._db, self._name, self._rate, self._clock = db, name, rate * MARGIN, clock
        self._at_once = max(1, int(self._rate * SLICE.total_seconds()))
        self._grant: Grant | None = None
        self._until: datetime | None = None
        self._left = 0
        self._lock = threading.Lock()

    def next(self) -> datetime:
        """The moment from which on the next mail may leave."""
        with self._lock:
            if not self._left or self._grant is None or self._until is None or self._clock() > self._until:
                with self._db.write() as session:
                    self._grant = limits.take(
                        session, self._name, self._at_once, self._rate, self._clock(), burst=BURST, ahead=AHEAD
                    )
                # A database that takes its time must not cost the turns that it brings.
                self._until = max(self._grant.usable_at, self._clock()) + VALID
                self._left = self._grant.count
            self._left -= 1
            return self._grant.usable_at

    def close(self) -> None:
        """Give back what was not used."""
        with self._lock:
            if self._left > 0 and self._grant is not None:
                with self._db.write() as session:
                    limits.give_back(session, self._name, self._grant, self._left, self._rate)
            self._left = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """That a row has to wait: until when, and why."""

    until: datetime
    reason: str


class Outflow:
    """The limits as one worker meets them; for several threads.

    Args:
        goes_on: asked while something is waited for; False ends the wait.

    Attributes:
        holds_back: whether a row was told to wait for its domain.
    """

    def __init__(self, ctx: Context, goes_on: Callable[[], bool]) -> None:
        self._ctx, self._limits, self._goes_on = ctx, ctx.limits, goes_on
        self._sender = ctx.sender.name
        self._turns = Turns(ctx.db, self._sender, ctx.limits.rate, ctx.clock) if ctx.limits.rate else None
        self._slowed: dict[str, Slowed] = {}
        self._looked_at: datetime | None = None
        self.holds_back = False
        self._tails: dict[str, datetime] = {}
        self._under_way: Counter[str] = Counter()
        self._places = threading.Condition()

    # For the clerk

    def appetite(self, most: int) -> int:
        """How many rows are worth claiming at once: those of five seconds at most."""
        return most if self._limits.rate is None else max(1, min(most, int(self._limits.rate * 5)))

    def take_of_day(self, session: Session, wanted: int) -> int:
        """How many of these may still be sent today; what is not sent in the end is given back."""
        if not self._limits.counts_days:
            return wanted
        today = self._ctx.clock().date()
        cap = self._limits.cap_of_issues(limits.days_before(session, self._sender, today))
        return wanted if cap is None else limits.take_of_day(session, self._sender, today, wanted, cap)

    def give_back_of_day(self, session: Session, unused: int) -> None:
        """These were not sent after all."""
        if unused and self._limits.counts_days:
            limits.give_back_of_day(session, self._sender, self._ctx.clock().date(), unused)

    def day_has_room(self, session: Session) -> bool:
        """Whether anything may still be sent today."""
        room = self.take_of_day(session, 1)
        self.give_back_of_day(session, room)
        return room > 0

    def day_is_over(self, session: Session) -> Wait:
        """Until when everything waits that the day has no place for."""
        now = self._ctx.clock()
        tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        before = limits.days_before(session, self._sender, now.date())
        cap = self._limits.cap_of_issues(before)
        step = f" (day {before + 1} of the warm-up)" if before < len(self._limits.warm_up) else ""
        return Wait(tomorrow, f"today's {cap} mails{step} have left; goes on on {tomorrow:%d %B at %H:%M} UTC")

    def sort(self, addresses: Sequence[str]) -> list[Wait | None]:
        """Which of these have to wait for their domain."""
        now = self._ctx.clock()
        waits: list[Wait | None] = [None] * len(addresses)
        slowed = self._slowed_at(now)
        if self._limits.domain_rate is None and not self._limits.domains and not slowed:
            return waits
        by_domain: dict[str, list[int]] = {}
        for index, address in enumerate(addresses):
            by_domain.setdefault(domain_of(address), []).append(index)
        limited = {
            domain: rate
            for domain in by_domain
            if (rate := rate_now(self._limits.rate_of(domain), slowed.get(self._bucket(domain)), now)) is not None
        }
        with self._ctx.db.write() as session:
            for domain, rate in limited.items():
                self._queue(session, domain, rate, by_domain[domain], waits, now)
        return waits

    def rest_until(self, due: datetime | None) -> bool:
        """Wait for the next row that is due, if it waits for its domain and not for long; False if it does not."""
        if not self.holds_back or due is None or due > self._ctx.clock() + SOON:
            return False
        while (left := (due - self._ctx.clock()).total_seconds()) > 0:
            if not self._goes_on():
                return False
            self._ctx.rest(min(left, 0.2))
        return True

    # For carriers

    @property
    def makes_wait(self) -> bool:
        """Whether :meth:`enter` may have to wait."""
        return self._limits.makes_wait

    def enter(self, address: str, *, holds_others: bool = False) -> bool:
        """Wait for this mail's turn; ``leave`` must follow. False if the work was ended meanwhile.

        Args:
            holds_others: the connection has others under way, as in a provider's batch: it would wait for itself.
        """
        if (places := self._limits.domain_parallel) is not None:
            domain = domain_of(address)
            with self._places:
                while self._under_way[domain] >= places and not holds_others:
                    self._places.wait(0.2)
                    if not self._goes_on():
                        return False
                self._under_way[domain] += 1
        if self._turns is None:
            return True
        turn = self._turns.next()
        while (left := (turn - self._ctx.clock()).total_seconds()) > 0:
            if not self._goes_on():
                self.leave(address)
                return False
            self._ctx.rest(min(left, 0.2))
        return True

    def leave(self, address: str) -> None:
        """The mail was answered, or will not be."""
        if self._limits.domain_parallel is not None:
            with self._places:
                self._under_way[domain_of(address)] -= 1
                self._places.notify_all()

    def learn(self, result: SendResult) -> None:
        """Let a domain rest that asks us to slow down."""
        if result.outcome != "deferred" or not asks_to_slow_down(result.code):
            return
        now, domain = self._ctx.clock(), domain_of(result.message.recipient)
        name = self._bucket(domain)
        known = self._slowed.get(name)
        slow = slower(self._limits.rate_of(domain), known, now)
        if slow != known:
            self._slowed[name] = slow
            with self._ctx.db.write() as session:
                limits.slow_down(session, name, slow)

    def close(self) -> None:
        """Give turns back that were not used."""
        if self._turns is not None:
            self._turns.close()

    def _queue(
        self, session: Session, domain: str, rate: float, rows: list[int], waits: list[Wait | None], now: datetime
    ) -> None:
        name = self._bucket(domain)
        slowed = self._slowed.get(name)
        if rate == 0.0 and slowed is not None:
            count, start, rate = 0, slowed.since + REST, slowed.rate
            reason = f"{domain} asked us to slow down: it rests until {start:%H:%M:%S} UTC"
        else:
            rate *= MARGIN
            grant = limits.take(session, name, len(rows), rate, now, burst=DOMAIN_BURST)
            count, start = grant.count, grant.usable_at
            reason = f"waiting for its turn: {domain} gets {rate / MARGIN:.3g} mails a second"
        if count == len(rows):
            return
        self.holds_back = True
        # The next ten seconds' worth comes back when its tokens should be there. A long queue stands behind what was
        # queued before, so that no row is fetched again and again for nothing.
        start, step = max(start, now), timedelta(seconds=1 / rate)
        near = int(SOON / step) + 1
        for place, index in enumerate(rows[count : count + near], start=1):
            waits[index] = Wait(start + place * step, reason)
        tail = max(self._tails.get(domain, now), start + near * step)
        for index in rows[count + near :]:
            tail += step
            waits[index] = Wait(tail, reason)
        self._tails[domain] = tail

    def _slowed_at(self, now: datetime) -> dict[str, Slowed]:
        if self._looked_at is None or not timedelta(0) <= now - self._looked_at < LOOK:
            self._looked_at = now
            with self._ctx.db.read() as session:
                self._slowed = limits.slowed(session)
            prefix = f"{self._sender} → "
            self._slowed = {name: slow for name, slow in self._slowed.items() if name.startswith(prefix)}
        return self._slowed

    def _bucket(self, domain: str) -> str:
        return f"{self._sender} → {domain}"


def domain_of(address: str) -> str:
    """The part behind the last ``@``, in lower case."""
    return address.rpartition("@")[2].lower()
