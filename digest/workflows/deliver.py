"""Hand out an approved issue: everybody gets their own mail once, whatever breaks on the way (decision 4).

::

    settle what dead workers left
    for each issue that is being sent:
        a clerk, until nothing is due: record what came back, claim rows ahead, look who may be written to
        carriers, one for each connection: make the mails, look again, send,
            noting in the journal "about to" and "done" around every hand-over
        for many readers, beside them: helpers, who do the same in processes of their own
        nobody queued or in hand any more → sent
"""

import random
from collections.abc import Callable

from digest.engine.collector import few_collections
from digest.engine.helpers import Helpers, Team
from digest.errors import MessageError, SenderUnavailable, StateConflict
from digest.senders.base import SenderAbreast
from digest.store import deliveries, issues
from digest.workflows.context import Context
from digest.workflows.delivery_plan import plan_deliveries, write_ledger
from digest.workflows.delivery_report import DeliveryReport
from digest.workflows.messages import proof_for
from digest.workflows.settle import settle
from digest.workflows.telling import tell_advance
from digest.workflows.together import hand_out
from digest.workflows.turns import Turns

__all__ = ["DeliveryReport", "audit", "deliver", "plan_deliveries", "send_test", "settle"]

THREADS = 4
"""Connections that one worker opens at most, with those who help it."""


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
        progress: called with (rows that are settled, rows of the issue) after every chunk, by one thread at a time.
        stop: asked before every hand-over; True ends the work within one message per connection.
        at_once: don't wait longer for a server that could not be reached: somebody asks for it now.
        threads: connections at most; helpers (``ctx.helpers``) get their share of them.
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
        with few_collections(), _team(ctx, number, threads, stop) as team:
            if _start(ctx, number, at_once) and not _waits(ctx, number, report):
                problem = hand_out(ctx, number, report, team, progress, chance)
                report.problem = report.problem or problem
                report.waiting += _finish(ctx, number, problem)
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


def _team(ctx: Context, issue_id: int, connections: int, stop: Callable[[], bool] | None) -> Team:
    """Who hands out the issue: this process, and helpers if there is enough to do for them."""
    helpers = ctx.helpers if isinstance(ctx.sender, SenderAbreast) and not ctx.limits.makes_wait else Helpers()
    if helpers.most > 1:
        with ctx.db.read() as session:
            if not deliveries.has_many_due(session, issue_id, ctx.clock(), helpers.worthwhile):
                helpers = Helpers()
    return helpers.call(issue_id, connections, stop or (lambda: False))


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
