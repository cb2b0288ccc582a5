"""Approve, hold, pause, resume, cancel: the steps by which an issue is let out or kept back.

Each is one guarded UPDATE; workers look at the issue again before they hand anything over, so a step takes effect
within seconds wherever they run, and lasts over restarts.
"""

from dataclasses import asdict

from sqlmodel import Session

from digest.errors import PreflightFailed, StateConflict
from digest.render.preflight import Finding
from digest.store import deliveries, issues
from digest.store.audit_log import issue_subject, record
from digest.workflows import replay
from digest.workflows.context import Context
from digest.workflows.document import document_of
from digest.workflows.preflight import inspected
from digest.workflows.printing import renderer
from digest.workflows.telling import tell_advance

OPEN = ("draft", "held")
"""States in which an issue can be approved or cancelled."""


def approve(ctx: Context, issue_id: int, actor: str, revision: int | None = None) -> tuple[Finding, ...]:
    """Freeze the issue's bytes and let it out at its hour, at once if that has come. Returns preflight's warnings.

    Args:
        revision: the one that ``actor`` has seen; None means whatever it is now.

    Raises:
        NotFound: no such issue.
        StateConflict: it is not open, or it was changed meanwhile.
        PreflightFailed: preflight found errors; all are named.
    """
    with ctx.db.read() as session:
        issue = issues.get(session, issue_id)
        state, revision = issue.state, issue.revision if revision is None else revision
        if state not in OPEN:
            raise StateConflict(f"issue {issue_id} is {state}; only a draft or a held issue can be approved")
        if state == "held" and issue.approved_at is not None:
            return _release(ctx, issue_id, actor, revision)
    with ctx.db.read() as session:
        document = document_of(session, issue_id, ctx)
    printer = renderer(ctx, document.newsletter)
    fitted = printer.fit(document)
    findings = inspected(ctx, issue_id, fitted.document, fitted.fragments, steps=fitted.steps).findings
    errors = [f"{finding.id}: {finding.message} ({finding.where})" for finding in findings if finding.level == "error"]
    if errors:
        raise PreflightFailed(f"issue {issue_id} can't be approved yet. " + " · ".join(errors))
    now = ctx.clock()
    with ctx.db.write() as session:
        values = {"approved_by": actor, "approved_at": now, "reason": "", "if_revision": revision}
        issues.move(session, issue_id, OPEN, "approved", **values)
        issues.save_fragments(session, issue_id, fitted.fragments)
        issues.keep(session, issue_id, "steps", [asdict(step) for step in fitted.steps])
        replay.keep(session, ctx, issue_id, fitted.document, fitted.fragments, printer, now)
        _record(ctx, session, actor, "approve", issue_id, state, "approved")
        tell_advance(ctx, session, issue_id, issue.due_at)
    return findings


def _release(ctx: Context, issue_id: int, actor: str, revision: int) -> tuple[Finding, ...]:
    """Let an approved issue go on that was held on its way: same bytes, same ledger."""
    with ctx.db.write() as session:
        # The moment counts: who lets it go long after its hour wants it sent (see autopilot).
        values = {"reason": "", "approved_at": ctx.clock(), "if_revision": revision}
        issues.move(session, issue_id, ["held"], "approved", **values)
        _record(ctx, session, actor, "resume", issue_id, "held", "approved")
        tell_advance(ctx, session, issue_id, issues.get(session, issue_id).due_at)
    return ()


def hold(ctx: Context, issue_id: int, actor: str, why: str = "") -> None:
    """Keep an issue back until it is approved again; what was sent stays sent.

    Raises:
        StateConflict: it is sent, cancelled or empty.
    """
    with ctx.db.write() as session:
        before = issues.get(session, issue_id).state
        reason = why or f"held by {actor}"
        issues.move(session, issue_id, ["draft", "approved", "sending"], "held", reason=reason)
        _record(ctx, session, actor, "hold", issue_id, before, "held")


def pause(ctx: Context, issue_id: int, actor: str, why: str = "") -> None:
    """Hold an approved issue without voiding its approval: the mails in hand end, nothing more leaves.

    Raises:
        NotFound: no such issue.
        StateConflict: it is neither approved nor being sent.
    """
    with ctx.db.write() as session:
        before = issues.get(session, issue_id).state
        issues.move(session, issue_id, ["approved", "sending"], "held", reason=why or f"paused by {actor}")
        _record(ctx, session, actor, "pause", issue_id, before, "held")


def resume(ctx: Context, issue_id: int, actor: str) -> None:
    """Let an issue go on that was held after its approval: same bytes, and nobody gets a second copy.

    Raises:
        NotFound: no such issue.
        StateConflict: it is not held, or must be approved (anew, if it was edited meanwhile).
    """
    with ctx.db.read() as session:
        issue = issues.get(session, issue_id)
    if issue.state == "held" and issue.approved_at is None:
        raise StateConflict(f"issue {issue_id} is held and not approved as it stands: approve it instead")
    _release(ctx, issue_id, actor, issue.revision)


def cancel(ctx: Context, issue_id: int, actor: str, why: str = "") -> None:
    """End an issue. What has left stays sent, whoever still waits gets nothing of it.

    Raises:
        NotFound: no such issue.
        StateConflict: it is sent, empty or cancelled already.
    """
    with ctx.db.write() as session:
        before = issues.get(session, issue_id).state
        issues.move(
            session, issue_id, ["planned", "draft", "approved", "held", "sending"], "cancelled",
            reason=why or f"cancelled by {actor}", finished_at=ctx.clock(),
        )  # fmt: skip
        # Rows in a worker's hands follow when it gives them back (see deliver.settle).
        deliveries.skip_cancelled(session, ctx.clock())
        _record(ctx, session, actor, "cancel", issue_id, before, "cancelled")


def _record(ctx: Context, session: Session, actor: str, action: str, issue_id: int, before: str, after: str) -> None:
    subject = issue_subject(issue_id)
    record(session, ctx.clock(), actor, action, subject, before={"state": before}, after={"state": after})
