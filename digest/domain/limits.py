"""How fast mail may leave: what an operator allows, what a warm-up allows today, what a provider asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

REST = timedelta(minutes=1)
"""How long a domain that asked us to slow down gets nothing at all."""

DOUBLING = timedelta(minutes=1)
"""After the rest its rate doubles in this time, as long as it does not ask again."""

START = 10.0
"""Mails a second that a domain without a limit of its own is taken to have had when it first asks."""

LEAST = 0.1
"""Mails a second that are always tried; below this nobody would learn that it may be faster again."""

KEPT = 20
"""One in so many of a day's mails is kept for those that somebody waits for, such as confirmations."""

FREE = 1000.0
"""Mails a second above which a domain without a limit of its own is free again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator of a sender allows. None is no limit.

    Attributes:
        rate: mails a second in all, over all workers.
        domain_rate: the same to each recipient domain; ``domains`` names those that have their own.
        domain_parallel: mails of one worker that may be on their way to one domain at the same time.
        daily: mails a day (UTC).
        warm_up: mails on the first, second … day on which this sender sends; afterwards ``daily``.
        give_up: a mail that was put off (4xx) for longer than this fails: RFC 5321 4.5.4.1 asks for days, news don't
            last as long.
    """

    rate: float | None = None
    domain_rate: float | None = None
    domains: Mapping[str, float] = field(default_factory=dict)
    domain_parallel: int | None = None
    daily: int | None = None
    warm_up: tuple[int, ...] = ()
    give_up: timedelta = timedelta(hours=48)

    def rate_of(self, domain: str) -> float | None:
        """Mails a second to a domain."""
        return self.domains.get(domain, self.domain_rate)

    def cap(self, days_before: int) -> int | None:
        """Mails on a day before which the sender sent on that many others."""
        return self.warm_up[days_before] if days_before < len(self.warm_up) else self.daily

    def cap_of_issues(self, days_before: int) -> int | None:
        """Of those mails, what issues may take."""
        cap = self.cap(days_before)
        return None if cap is None else cap - cap // KEPT

    @property
    def makes_wait(self) -> bool:
        """Whether a mail that is ready may have to wait for its turn."""
        return self.rate is not None or self.domain_parallel is not None

    @property
    def counts_days(self) -> bool:
        """Whether there is any limit for a day."""
        return bool(self.warm_up) or self.daily is not None


@dataclass(frozen=True, slots=True)
class Slowed:
    """That a domain asked us to slow down: to which rate, and when."""

    rate: float
    since: datetime


def rate_now(limit: float | None, slowed: Slowed | None, now: datetime) -> float | None:
    """Mails a second at this moment: 0 while the domain rests, None if nothing limits it."""
    if slowed is None:
        return limit
    passed = now - slowed.since - REST
    if passed < timedelta(0):
        return 0.0
    doublings = min(passed / DOUBLING, 60.0)
    grown: float = slowed.rate * 2.0**doublings
    if limit is not None:
        return min(limit, grown)
    return grown if grown < FREE else None


def slower(limit: float | None, slowed: Slowed | None, now: datetime) -> Slowed:
    """The state after a domain asked us to slow down: half of what it had. While it rests, asking again adds nothing."""
    rate = rate_now(limit, slowed, now)
    if rate == 0.0:
        assert slowed is not None
        return slowed
    return Slowed(max((START if rate is None else rate) / 2, LEAST), now)
