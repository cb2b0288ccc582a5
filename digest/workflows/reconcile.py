"""Settle what is unknown: a mail was handed over, and its answer was lost (decision 4).

Evidence comes first: a Message-ID found in a Maildir or in the log of the relay was sent. What no evidence speaks of
stays as it is, held and shown, until a person gives their word: send it again, or consider it sent. Either way the
ledger and the audit log say who settled it, and why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sqlmodel import Session

from digest.errors import StateConflict, UsageError
from digest.store import deliveries, issues, unknowns
from digest.store.audit_log import issue_subject, record
from digest.workflows.context import Context
from digest.workflows.evidence import in_log, in_maildir
from digest.workflows.messages import message_id_of, printed
from digest.workflows.telling import tell_advance

Word = Literal["", "resend", "consider-sent"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A mail whose answer was lost.

    Attributes:
        message_id: the same on every attempt; what evidence is looked for by.
        since: when its answer was given up.
    """

    delivery_id: int
    address: str
    message_id: str
    attempts: int
    since: datetime | None
    reason: str


@dataclass
class Reconciled:
    """What came of it: rows found by evidence, sent again or considered sent by word, and those still unknown."""

    issue: int
    found: int = 0
    resent: int = 0
    considered_sent: int = 0
    left: list[Unknown] = field(default_factory=list)

    @property
    def words(self) -> str:
        """For people."""
        numbers = {"found, so sent": self.found, "queued again": self.resent, "considered sent": self.considered_sent}
        said = [f"{number} {word}" for word, number in numbers.items() if number]
        said += [f"{len(self.left)} still unknown"] if self.left else []
        return ", ".join(said) or f"nothing of issue {self.issue} is unknown"

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        left = [{"address": row.address, "message_id": row.message_id, "reason": row.reason} for row in self.left]
        return {
            "issue": self.issue, "found": self.found, "resent": self.resent, "considered_sent": self.considered_sent,
            "unknown": len(self.left), "left": left,
        }  # fmt: skip


def unknown(ctx: Context, issue_id: int) -> list[Unknown]:
    """The issue's mails whose answer was lost.

    Raises:
        NotFound: no such issue.
    """
    with ctx.db.read() as session:
        issues.get(session, issue_id)
        return _unknown(ctx, session, issue_id)


def reconcile(
    ctx: Context,
    issue_id: int,
    actor: str,
    *,
    maildirs: Sequence[Path] = (),
    logs: Sequence[Path] = (),
    word: Word = "",
    why: str = "",
) -> Reconciled:
    """Settle unknown mails by evidence, then the others by word, if one is given.

    Args:
        actor: who does it, for the ledger and the audit log.
        maildirs, logs: where to look for Message-IDs.
        word: ``resend`` queues what was not found (with the same Message-ID), ``consider-sent`` closes it.
        why: what the word rests on; a word needs it.

    Raises:
        NotFound: no such issue.
        UsageError: a word without a reason, a place that can't be read.
        StateConflict: ``resend`` for an issue that was cancelled.
    """
    if word and not why.strip():
        raise UsageError("say why with --why: it is kept with the word that settles these mails")
    rows = unknown(ctx, issue_id)
    found = _look(rows, maildirs, logs)
    report = Reconciled(issue_id)
    now = ctx.clock()
    with ctx.db.write() as session:
        state = deliveries.lock_issue(session, issue_id)
        if word == "resend" and state == "cancelled":
            raise StateConflict(f"issue {issue_id} is cancelled: nothing of it is sent again")
        for place in sorted(set(found.values())):
            ids = [row.delivery_id for row in rows if found.get(row.message_id) == place]
            report.found += unknowns.settle_as_sent(session, ids, f"found in {place} ({actor})")
        rest = [row.delivery_id for row in rows if row.message_id not in found]
        if word == "resend":
            report.resent = unknowns.settle_by_resending(session, rest, f"sent again by {actor}: {why.strip()}")
        elif word == "consider-sent":
            reason = f"considered sent by {actor}: {why.strip()}"
            report.considered_sent = unknowns.settle_as_sent(session, rest, reason)
        if report.resent and state == "sent":
            issues.move(session, issue_id, ["sent"], "sending", finished_at=None)
        if report.resent:
            tell_advance(ctx, session, issue_id)
        report.left = _unknown(ctx, session, issue_id)
        if report.found or report.resent or report.considered_sent:
            _note(session, now, actor, report, len(rows), sorted(set(found.values())), why)
    return report


def _look(rows: Sequence[Unknown], maildirs: Sequence[Path], logs: Sequence[Path]) -> dict[str, str]:
    """The Message-IDs that were found, each with the place."""
    wanted = {row.message_id for row in rows}
    found: dict[str, str] = {}
    finders: list[tuple[Callable[[Path, set[str]], set[str]], Path]] = [(in_maildir, path) for path in maildirs]
    finders += [(in_log, path) for path in logs]
    for finder, path in finders:
        found |= dict.fromkeys(finder(path, wanted - found.keys()), path.name)
    return found


def _unknown(ctx: Context, session: Session, issue_id: int) -> list[Unknown]:
    rows = unknowns.unknown(session, issue_id)
    if not rows:
        return []
    issue = printed(session, issue_id, ctx)
    return [
        Unknown(
            row.id, row.address, message_id_of(ctx, issue, row.subscriber_id), row.attempts, row.since, row.reason,
        )
        for row in rows
    ]  # fmt: skip


def _note(
    session: Session, now: datetime, actor: str, report: Reconciled, before: int, places: list[str], why: str
) -> None:
    after = {key: value for key, value in report.as_dict().items() if key not in ("issue", "left")}
    subject = issue_subject(report.issue)
    after |= {"evidence": places, "why": why.strip()}
    record(session, now, actor, "reconcile", subject, before={"unknown": before}, after=after)
