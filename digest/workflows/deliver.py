"""Hand out an approved issue: everybody gets their own mail once, whatever breaks on the way (decision 4).

::

    settle what dead workers left
    for each issue that is being sent:
        a clerk, until nothing is due: record what came back, claim rows ahead, look who may be written to
        carriers, one for each connection: make the mails, look again, send,
            noting in the journal "about to" and "done" around every hand-over
        nobody queued or in hand any more → sent
"""

import os
import random
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digest.engine.collector import few_collections
from digest.engine.journal import Journal, living, settle_dead
from digest.errors import MessageError, SenderUnavailable, StateConflict
from digest.store import deliveries, issues
from digest.store.deliveries import Change
from digest.workflows.context import Context
from digest.workflows.delivery_plan import plan_deliveries, write_ledger
from digest.workflows.handing_out import HandingOut
from digest.workflows.messages import printed, proof_for
from digest.workflows.pace import RETRY, Pace, change_of
from digest.workflows.telling import tell_advance
from digest.workflows.turns import Turns

__all__ = ["DeliveryReport", "audit", "deliver", "plan_deliveries", "send_test", "settle"]

THREADS = 4
"""Connections that one worker opens at most."""


@dataclass
class DeliveryReport:
    """What one call of :func:`deliver` did.

    Attributes:
        issues: ids of the issues that it worked on.
        sent, skipped, failed, unknown: rows that reached that state during the call.
        deferred: rows that a server put off, and that will be tried again.
        waiting: rows still queued at the end.
        problem: what kept it from going on, in the server's words; "" if nothing did.
    """

    issues: list[int] = field(default_factory=list)
    sent: int = 0
    skipped: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    waiting: int = 0
    problem: str = ""

    @property
    def words(self) -> str:
        """One line for people."""
        numbers = {
            "sent": self.sent,
            "skipped": self.skipped,
            "put off": self.deferred,
            "failed": self.failed,
            "unknown": self.unknown,
            "waiting": self.waiting,
        }
        said = ", ".join(f"{number} {word}" for word, number in numbers.items() if number) or "nothing to send"
        return f"{said} — {self.problem}" if self.problem else said

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "issues": self.issues,
            "sent": self.sent,
            "skipped": self.skipped,
            "deferred": self.deferred,
            "failed": self.failed,
            "unknown": self.unknown,
            "waiting": self.waiting,
            "problem": self.problem,
        }


def deliver(
    ctx: Context,
    issue_id: int | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
    at_once: bool = False,
    threads: int = THREADS,
    chance: random.Random | None = None,
) -> DeliveryReport:
    """Send what is due now, of one issue or of all whose hour has come, and come back when nothing more is due.

    Any number of processes may do this at once. Trouble with the server is no exception here: it stands in the
    report and on the issue, and the rows wait.

    Args:
        progress: called with (rows that are settled, rows of the issue) after every chunk, from several threads.
        stop: asked before every hand-over; True ends the work within one message per connection.
        at_once: don't wait longer for a server that could not be reached: somebody asks for it now.
        threads: connections at most.
        chance: source of the jitter in waiting times.

    Raises:
        NotFound, StateConflict: ``issue_id`` names no issue, or one that can't be sent in its state.
    """
    chance = chance or random.Random()  # noqa: S311  (jitter, no secret)
    settle(ctx, chance=chance)
    report = DeliveryReport()
    for number in [issue_id] if issue_id is not None else _due_issues(ctx):
        if stop is not None and stop():
            break
        with few_collections():
            if _start(ctx, number, at_once) and not _waits(ctx, number, report):
                _hand_out(ctx, number, report, progress, stop, threads, chance)
        report.issues.append(number)
    return report


def audit(ctx: Context, issue_id: int) -> dict[str, int]:
    """How many of an issue's readers are in each state; the states add up to ``audience`` at every moment.

    Raises:
        NotFound: no such issue.
    """
    with ctx.db.read() as session:
        issues.get(session, issue_id)
        return deliveries.counts(session, issue_id)


def send_test(ctx: Context, issue_id: int, address: str) -> str:
    """Send the whole issue as it stands to one address, marked [Test]; the ledger does not know of it, the limits do.

    Returns:
        The server's words.

    Raises:
        NotFound: no such issue.
        MessageError: the address can't be mailed, or the server says so.
        SenderUnavailable, SenderRefused: it could not be sent.
    """
    mail, turns = proof_for(ctx, issue_id, address), Turns(ctx)
    if (wait := turns.far(address)) is not None:
        raise SenderUnavailable(f"the test mail to {address} can't leave yet: {wait.reason}")
    for result in ctx.sender.send([mail], turns.take):
        turns.learn(result)
        if result.outcome == "sent":
            return f"{result.code} {result.detail}".strip()
        trouble = f"the test mail to {address} was not taken: {result.code} {result.detail}"
        raise MessageError(trouble) if result.outcome == "failed" else SenderUnavailable(trouble)
    raise SenderUnavailable(f"the test mail to {address} was not sent")


def settle(ctx: Context, *, chance: random.Random | None = None) -> None:
    """Put in order what workers left that are dead: by their journals, and by their leases where those are gone.

    Called before every delivery; it costs nothing when there is nothing to settle.
    """
    pace = Pace(chance or random.Random())  # noqa: S311
    folder = _journals(ctx)
    for estate in settle_dead(folder):
        now = ctx.clock()
        with ctx.db.write() as session:
            later = now + pace.after(RETRY, 1)
            changes = [change_of(answer, now, later) for answer in estate.answered.values()]
            if not estate.idempotent:
                changes += [
                    Change(delivery_id, "unknown", deliveries.LOST, finished_at=now)
                    for delivery_id in estate.unanswered
                ]
            deliveries.record(session, estate.worker, changes)
            deliveries.bury(session, estate.worker)
    with ctx.db.write() as session:
        deliveries.sweep(session, ctx.clock(), living(folder), idempotent=ctx.sender.idempotent)
        deliveries.skip_cancelled(session, ctx.clock())


def _worker_name() -> str:
    """Unlike every other worker's, on this machine and on all others."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def _journals(ctx: Context) -> Path:
    return ctx.var / "journal"


def _due_issues(ctx: Context) -> list[int]:
    with ctx.db.read() as session:
        found = issues.in_state(session, "approved", "sending")
        if ctx.limits.counts_days:
            found.reverse()  # where a day has no place for all, the newest issue goes first
        return [issue.id for issue in found if issue.id is not None and issue.due_at <= ctx.clock()]


def _start(ctx: Context, issue_id: int, at_once: bool) -> bool:
    """Bring the ledger up to date and let the issue go: one transaction, so that no reader falls in between."""
    with ctx.db.write() as session:
        state = deliveries.lock_issue(session, issue_id)
        if state == "sent":
            return False
        if state == "approved":
            write_ledger(ctx, session, issue_id)
            issues.move(session, issue_id, ["approved"], "sending", reason="")
            if ctx.limits.counts_days:
                deliveries.supersede(session, issue_id, ctx.clock())
        elif state != "sending":
            raise StateConflict(f"issue {issue_id} is {state}: approve it before it is sent")
        if at_once:
            deliveries.wake(session, issue_id)
        if deliveries.wants_work(session, issue_id, ctx.clock()):
            tell_advance(ctx, session, issue_id)  # one more may help, who will tell the next
    return True


def _waits(ctx: Context, issue_id: int, report: DeliveryReport) -> bool:
    """Whether nobody's hour has come yet: then there is nothing to make ready."""
    with ctx.db.read() as session:
        until = deliveries.next_due(session, issue_id)
        if until is None or until <= ctx.clock():
            return False
        report.waiting += deliveries.tally(session, issue_id)["queued"]
    return True


def _hand_out(
    ctx: Context,
    issue_id: int,
    report: DeliveryReport,
    progress: Callable[[int, int], None] | None,
    stop: Callable[[], bool] | None,
    threads: int,
    chance: random.Random,
) -> None:
    with ctx.db.read() as session:
        issue = printed(session, issue_id, ctx)
        before = deliveries.tally(session, issue_id)
    with Journal(_journals(ctx), _worker_name(), idempotent=ctx.sender.idempotent) as journal:
        work = HandingOut(
            ctx, issue_id, issue, journal, Pace(chance), stop or (lambda: False), progress,
            total=before["audience"],
            settled=before["audience"] - before["queued"] - before["sending"],
            accepted=before["sent"] > 0,
        )  # fmt: skip
        problem = work.run(threads)
    report.sent += work.tally.get("sent", 0)
    report.skipped += work.tally.get("skipped", 0)
    report.deferred += work.tally.get("deferred", 0)
    report.failed += work.tally.get("failed", 0)
    report.unknown += work.tally.get("unknown", 0)
    report.problem = report.problem or problem
    report.waiting += _finish(ctx, issue_id, problem)


def _finish(ctx: Context, issue_id: int, problem: str) -> int:
    """Close the issue if nobody waits for it any more; returns how many do."""
    waiting, closed = _close(ctx, issue_id, problem)
    if closed:
        deliveries.tidy(ctx.db)
    return waiting


def _close(ctx: Context, issue_id: int, problem: str) -> tuple[int, bool]:
    now = ctx.clock()
    with ctx.db.write() as session:
        numbers = deliveries.tally(session, issue_id)
        state = issues.get(session, issue_id).state
        if state == "cancelled":
            deliveries.skip_cancelled(session, now)
            return 0, True
        if state != "sending":
            return numbers["queued"], False
        if not numbers["queued"] and not numbers["sending"]:
            try:
                issues.move(session, issue_id, ["sending"], "sent", reason="", finished_at=now, rests_until=None)
            except StateConflict:
                return 0, False  # another worker closed it at the same moment
            deliveries.mark_stories_sent(session, issue_id, now)
            return 0, True
        if not problem:
            deliveries.note_problem(session, issue_id, "")
        return numbers["queued"], False
