"""Turns of mails that somebody waits for: confirmations, links, tests. They take tokens where issues take theirs, and go first.

An issue takes a tenth of a second's tokens at a time, so the next token at the sender's rate is never far. At a domain, rows
of an issue wait in the queue for tokens that are there, while these mails take the next one that will be. Of a day's number
issues leave a part to them; what exceeds it leaves all the same and is counted.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.domain.limits import REST, rate_now, slower
from digest.domain.mail import Message, SendResult
from digest.domain.refusals import asks_to_slow_down
from digest.store import limits
from digest.workflows.context import Context
from digest.workflows.outflow import AHEAD, BURST, DOMAIN_BURST, MARGIN, Wait, domain_of

PATIENCE = timedelta(seconds=10)
"""A mail whose turn at its domain is further away is put off until then."""


class Turns:
    """The turns of mails outside the issues.

    Args:
        goes_on: asked while a turn is waited for; False lets the mail go at once, as nobody will come back to it.
    """

    def __init__(self, ctx: Context, goes_on: Callable[[], bool] = lambda: True) -> None:
        self._ctx, self._limits, self._sender, self._goes_on = ctx, ctx.limits, ctx.sender.name, goes_on
        self._counted: set[str] = set()

    def far(self, address: str) -> Wait | None:
        """Until when this mail is better put off, and why; None if its turn is near. Takes nothing."""
        domain, now = domain_of(address), self._ctx.clock()
        with self._ctx.db.read() as session:
            rate, rests_until = self._rate(session, domain)
            taken_until = limits.next_token(session, self._bucket(domain)) if rate else now
        if rests_until is not None:
            return Wait(rests_until, f"{domain} asked us to slow down: it rests until {rests_until:%H:%M:%S} UTC")
        if taken_until > now + PATIENCE:
            return Wait(taken_until, f"waiting for its turn: {domain} gets {rate:.3g} mails a second")
        return None

    def take(self, message: Message) -> None:
        """Wait for the mail's turn, right before its point of no return, and count it."""
        domain, now = domain_of(message.recipient), self._ctx.clock()
        with self._ctx.db.read() as session:
            rate, _ = self._rate(session, domain)
        buckets = [(self._bucket(domain), rate, DOMAIN_BURST), (self._sender, self._limits.rate, BURST)]
        limited = [(name, rate, burst) for name, rate, burst in buckets if rate]
        turn = now
        if limited or self._limits.counts_days:
            with self._ctx.db.write() as session:
                for name, rate, burst in limited:
                    grant = limits.take(session, name, 1, rate * MARGIN, now, burst=burst, ahead=AHEAD)
                    turn = max(turn, grant.usable_at)
                if self._limits.counts_days:
                    limits.count_notice(session, self._sender, now.date())
                    self._counted.add(message.message_id)
        while (left := (turn - self._ctx.clock()).total_seconds()) > 0 and self._goes_on():
            self._ctx.rest(min(left, 0.2))

    def learn(self, result: SendResult) -> None:
        """Let a domain rest that asks us to slow down; what was not sent is not counted."""
        if result.outcome not in ("deferred", "failed"):
            return
        now, domain, name = self._ctx.clock(), domain_of(result.message.recipient), result.message.message_id
        with self._ctx.db.write() as session:
            if name in self._counted:
                self._counted.remove(name)
                limits.count_notice(session, self._sender, now.date(), -1)
            if result.outcome == "deferred" and asks_to_slow_down(result.code):
                known = limits.slowed(session, [self._bucket(domain)]).get(self._bucket(domain))
                limits.slow_down(session, self._bucket(domain), slower(self._limits.rate_of(domain), known, now))

    def _rate(self, session: Session, domain: str) -> tuple[float | None, datetime | None]:
        """Mails a second to the domain now, and until when it rests, if it does."""
        slowed = limits.slowed(session, [self._bucket(domain)]).get(self._bucket(domain))
        rate = rate_now(self._limits.rate_of(domain), slowed, self._ctx.clock())
        return rate, slowed.since + REST if slowed is not None and rate == 0.0 else None

    def _bucket(self, domain: str) -> str:
        return f"{self._sender} → {domain}"
