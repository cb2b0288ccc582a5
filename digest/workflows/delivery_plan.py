"""Who gets what: one row of the ledger for every reader of an approved issue, before anything leaves."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from sqlmodel import Session

from digest.curation.select import select
from digest.domain.calendar import Cadence, CadenceName
from digest.domain.issue import Section
from digest.domain.mail import Fragment
from digest.domain.newsroom import NewsletterSpec
from digest.errors import StateConflict
from digest.render.cut import cut_for
from digest.store import deliveries, issues
from digest.store.deliveries import Reader
from digest.workflows.context import Context
from digest.workflows.messages import PrintedIssue, printed

PAUSED = "paused"
SUPPRESSED = "suppressed"
NOTHING_NEW = "nothing new in the chosen topics"


def plan_deliveries(ctx: Context, issue_id: int) -> dict[str, int]:
    """Write the ledger of an approved issue: everybody is queued with their cut, or skipped with a reason.

    Safe to repeat, and from several processes at once: while the issue is approved it follows what readers
    change; once it is being sent, it is left alone.

    Returns:
        What :func:`digest.workflows.deliver.audit` returns.

    Raises:
        NotFound: no such issue.
        StateConflict: it is neither approved nor being sent.
    """
    with ctx.db.write() as session:
        state = deliveries.lock_issue(session, issue_id)
        if state == "approved":
            write_ledger(ctx, session, issue_id)
        elif state not in ("sending", "sent"):
            raise StateConflict(f"issue {issue_id} is {state}: approve it before it is sent")
        return deliveries.counts(session, issue_id)


def write_ledger(ctx: Context, session: Session, issue_id: int) -> None:
    """Plan within the caller's transaction."""
    row = issues.get(session, issue_id)
    issue = printed(session, issue_id, ctx)
    chooser = Chooser(issue, issues.spec_of(row))
    carried = _positions(issue.fragments)
    deliveries.keep_stories(session, issue_id, carried)
    # Updates come again on purpose, and so does what an editor pinned.
    repeatable = _updates(issue.sections) | issues.pinned(session, issue_id)
    received = deliveries.received(session, issue_id, carried.keys() - repeatable)
    now = ctx.clock()
    for chunk in deliveries.readers(session, row.newsletter_id):
        hashes = {reader.subscriber_id: ctx.signer.address_hash(reader.address) for reader in chunk}
        suppressed = deliveries.suppressed(session, hashes.values())
        rows = []
        for reader in chunk:
            reason = SUPPRESSED if hashes[reader.subscriber_id] in suppressed else ""
            reason = reason or chooser.reason_to_skip(reader, now)
            cut = ""
            if not reason:
                cut, reason = chooser.cut_of(reader.topics, received.get(reader.subscriber_id, frozenset()))
            rows.append(_row(reader, cut, reason))
        deliveries.plan(session, issue_id, rows)


@dataclass
class Chooser:
    """Finds each reader's cut; readers who chose the same share the work."""

    issue: PrintedIssue
    spec: NewsletterSpec
    _known: dict[tuple[frozenset[str], frozenset[int]], tuple[str, str]] = field(default_factory=dict)

    def reason_to_skip(self, reader: Reader, now: datetime) -> str:
        """Why this reader gets no mail whatever is in the issue, "" if nothing stands in the way."""
        if reader.paused_until is not None and reader.paused_until > now:
            return PAUSED
        if not self._comes_on(reader.frequency, self.issue.document.day):
            return f"not on this day: {reader.frequency}"
        return ""

    def cut_of(self, topics: frozenset[str], received: frozenset[int]) -> tuple[str, str]:
        """The cut (hexadecimal) for these choices without what was sent before; or "" and why there is none."""
        key = topics, received
        if key not in self._known:
            selection = select(self.issue.sections, topics, received, self.spec.min_stories)
            if selection.reason or not selection.stories:
                self._known[key] = "", selection.reason or NOTHING_NEW
            else:
                self._known[key] = cut_for(self.issue.fragments, selection).encode(), ""
        return self._known[key]

    def _comes_on(self, frequency: str, day: date) -> bool:
        """Weekly readers get the issue of the newsletter's own weekday; a weekly newsletter is always theirs."""
        if frequency == "every-issue" or self.spec.cadence == "weekly":
            return True
        return Cadence(name=cast(CadenceName, frequency), weekday=self.spec.weekday).falls_on(day)


def _positions(fragments: Iterable[Fragment]) -> dict[int, int]:
    """For each story, as bits, the fragments that show it."""
    carried: dict[int, int] = {}
    for fragment in fragments:
        if fragment.story_id is not None:
            carried[fragment.story_id] = carried.get(fragment.story_id, 0) | 1 << fragment.position
    return carried


def _updates(sections: Iterable[Section]) -> frozenset[int]:
    """Stories that are marked as updates: those come again on purpose."""
    return frozenset(
        placed.item.story_id for section in sections for placed in section.items if placed.item.update_of is not None
    )


def _row(reader: Reader, cut: str, reason: str) -> dict[str, Any]:
    return {
        "subscriber_id": reader.subscriber_id,
        "subscription_id": reader.subscription_id,
        "state": "skipped" if reason else "queued",
        "reason": reason,
        "cut": cut,
    }
