"""What will happen when an issue goes out, before anything leaves: the plan, counted instead of written.

It is the same plan, by the same statements, as the one that is written to the ledger, so on frozen data the numbers are
those of the real run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from digest.domain.mail import Cut
from digest.domain.outflow import Outflow, outflow
from digest.errors import StateConflict
from digest.store import deliveries, issues, limits
from digest.store.deliveries import Addressed
from digest.workflows.context import Context
from digest.workflows.delivery_plan import assigned
from digest.workflows.messages import PrintedIssue, addressed, drafted, printed

FORECASTABLE = ("draft", "held", "approved")

_PERSONAL = 600
"""Bytes by which two readers' copies of one cut differ at most: To, and nothing else, has no fixed length."""


@dataclass(frozen=True)
class Forecast:
    """The numbers of a send.

    Attributes:
        audience: readers of the newsletter; ``recipients`` get a mail, ``skips`` says why the others don't.
        settled: readers of whom an earlier run of this issue has disposed already.
        cuts: distinct mails (greeting and links apart).
        largest: bytes of the largest mail, as it is handed to the server.
        first_at, last_at: when the first and the last reader's hour is.
        sending: what the sender's limits make of it.
    """

    issue: int
    audience: int
    recipients: int
    settled: int
    skips: Mapping[str, int]
    cuts: int
    largest: int
    first_at: datetime | None
    last_at: datetime | None
    sending: Outflow

    @property
    def hours(self) -> float:
        """Hours of sending at the limit."""
        return self.sending.seconds / 3600

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "issue": self.issue,
            "audience": self.audience,
            "recipients": self.recipients,
            "settled": self.settled,
            "skipped": sum(self.skips.values()),
            "skips": dict(self.skips),
            "cuts": self.cuts,
            "largest": self.largest,
            "first_at": self.first_at.isoformat() if self.first_at else None,
            "last_at": self.last_at.isoformat() if self.last_at else None,
            "sender_hours": round(self.hours, 4),
            "done_at": self.sending.done_at.isoformat() if self.sending.done_at else None,
            "shortfall": self.sending.shortfall,
        }


def forecast(ctx: Context, issue_id: int) -> Forecast:
    """Count what sending the issue would do now, as it stands and as readers chose at this moment.

    Nothing is written.

    Raises:
        NotFound: no such issue.
        StateConflict: it is not a draft, approved or held: then nothing lies ahead, or the ledger knows better.
        RenderError: it can't be rendered.
    """
    with ctx.db.read() as session:
        row = issues.get(session, issue_id)
        frozen = printed(session, issue_id, ctx) if issues.fragments(session, issue_id) else None
    if row.state not in FORECASTABLE:
        raise StateConflict(
            f"issue {issue_id} is {row.state}: there is nothing to forecast; `digest issue audit {issue_id}` shows its ledger"
        )
    issue = frozen or drafted(ctx, issue_id)
    with ctx.db.read() as session, assigned(ctx, session, row, issue) as plan:
        numbered = {cut: number for number, cut in enumerate(plan.cuts, start=1)}
        plan.write_cuts(numbered)
        select = plan.audience.plan()
        counted = deliveries.count_plan(session, issue_id, select, max(row.due_at, ctx.clock()))
        by_number = {number: cut for cut, number in numbered.items() if number in counted.cuts}
        likely = _largest_cuts(issue, by_number)
        candidates = deliveries.longest_of(session, issue_id, select, likely)
        domains = (
            deliveries.domains_of(session, issue_id, select) if ctx.limits.domain_rate or ctx.limits.domains else {}
        )
        sending = _sending(ctx, session, counted.waves, domains)
    return Forecast(
        issue=issue_id,
        audience=counted.recipients + counted.settled + sum(counted.skips.values()),
        recipients=counted.recipients,
        settled=counted.settled,
        skips=counted.skips,
        cuts=len(counted.cuts),
        largest=max((_size(ctx, issue, by_number[each.cut], each, row.due_at) for each in candidates), default=0),
        first_at=min(counted.waves, default=None),
        last_at=max(counted.waves, default=None),
        sending=sending,
    )


def _largest_cuts(issue: PrintedIssue, cuts: Mapping[int, Cut]) -> list[int]:
    """Those of which one may be the largest mail, whoever gets it."""
    sizes = {
        number: sum(len(part.html) + len(part.text) for part in issue.fragments if part.position in cut)
        for number, cut in cuts.items()
    }
    most = max(sizes.values(), default=0)
    return [number for number, size in sizes.items() if size >= most - _PERSONAL]


def _size(ctx: Context, issue: PrintedIssue, cut: Cut, reader: Addressed, dated_at: datetime) -> int:
    mail = addressed(
        ctx, issue, cut, delivery_id=None, subscriber_id=reader.subscriber_id, subscription_id=reader.subscription_id,
        address=reader.address, name=reader.name, dated_at=dated_at,
    )  # fmt: skip
    return len(mail.data)


def _sending(ctx: Context, session: Session, waves: Mapping[datetime, int], domains: Mapping[str, int]) -> Outflow:
    allowed, sender, today = ctx.limits, ctx.sender.name, ctx.clock().date()
    before = limits.days_before(session, sender, today) if allowed.counts_days else 0
    sent = limits.sent_on(session, sender, today) if allowed.counts_days else 0
    first = min(waves, default=ctx.clock()).date()
    slow = [(count, rate) for domain, count in domains.items() if (rate := allowed.rate_of(domain))]
    return outflow(
        waves,
        rate=allowed.rate,
        cap=lambda day: allowed.cap_of_issues(before + day),
        sent_today=sent if first == today else 0,
        domains=slow,
    )
