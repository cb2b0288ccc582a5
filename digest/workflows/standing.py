"""How the sender stands: what it may send, how far its warm-up is, and which domains asked it to slow down."""

from dataclasses import dataclass
from typing import Any

from digest.domain.limits import rate_now
from digest.store import limits
from digest.workflows.context import Context


@dataclass(frozen=True, slots=True)
class SlowDomain:
    """A domain that asked us to slow down: mails a second now (0: it rests), and since when."""

    domain: str
    rate: float
    since: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The sender at this moment.

    Attributes:
        sent_today, cap_today: None where no day is counted.
        warm_up_day, warm_up_days: which day of the warm-up today is; 0 after it, or without one.
    """

    sender: str
    rate: float | None
    domain_rate: float | None
    domains: dict[str, float]
    sent_today: int | None
    cap_today: int | None
    warm_up_day: int
    warm_up_days: int
    slow: tuple[SlowDomain, ...]

    @property
    def words(self) -> str:
        """For people."""
        lines = [self.sender, f"  in all: {_per_second(self.rate)}"]
        lines.append(f"  to a domain: {_per_second(self.domain_rate)}")
        lines += [f"  to {domain}: {_per_second(rate)}" for domain, rate in sorted(self.domains.items())]
        if self.cap_today is not None:
            step = f", day {self.warm_up_day} of {self.warm_up_days} of the warm-up" if self.warm_up_day else ""
            lines.append(f"  today: {self.sent_today} of {self.cap_today} mails{step}")
        for slow in self.slow:
            now = f"goes at {slow.rate:.3g} a second" if slow.rate else "rests"
            lines.append(f"  {slow.domain} asked us to slow down at {slow.since} UTC: {now}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "sender": self.sender, "rate": self.rate, "domain_rate": self.domain_rate, "domains": self.domains,
            "sent_today": self.sent_today, "cap_today": self.cap_today,
            "warm_up_day": self.warm_up_day, "warm_up_days": self.warm_up_days,
            "slow": [{"domain": slow.domain, "rate": slow.rate, "since": slow.since} for slow in self.slow],
        }  # fmt: skip


def standing(ctx: Context) -> Standing:
    """How the sender stands at this moment."""
    now, allowed, sender = ctx.clock(), ctx.limits, ctx.sender.name
    with ctx.db.read() as session:
        before = limits.days_before(session, sender, now.date())
        sent = limits.sent_on(session, sender, now.date())
        slowed = limits.slowed(session)
    slow = []
    for name, state in sorted(slowed.items()):
        of, _, domain = name.partition(" → ")
        rate = rate_now(allowed.rate_of(domain), state, now)
        if of == sender and rate is not None and rate != allowed.rate_of(domain):
            slow.append(SlowDomain(domain, rate, f"{state.since:%d %B, %H:%M}"))
    days = len(allowed.warm_up)
    return Standing(
        sender=sender,
        rate=allowed.rate,
        domain_rate=allowed.domain_rate,
        domains=dict(allowed.domains),
        sent_today=sent if allowed.counts_days else None,
        cap_today=allowed.cap(before),
        warm_up_day=before + 1 if before < days else 0,
        warm_up_days=days,
        slow=tuple(slow),
    )


def _per_second(rate: float | None) -> str:
    return "as fast as it takes them" if rate is None else f"{rate:.3g} mails a second"
