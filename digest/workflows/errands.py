"""Work as jobs, for an engine that spreads it over processes: what each kind does, and what rows ask for.

::

    advance issue    plan → draft → approve by policy → deliver; several may help to deliver one issue
    notices          confirmations, sign-in links: apart, as people wait for them
    gather part      the due feeds of some hosts; a host belongs to one part, and a part is never gathered twice at once,
                     so what a host may be asked holds for all workers together
    sweep            told by every worker every few seconds: whatever rows ask for and no job stands for (the engine
                     may have lost it, or its worker died)
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from zlib import crc32

from sqlmodel import Session

from digest.engine.jobs import GATHER, NOTICES, Handler
from digest.store import deliveries, feeds, issues, notices
from digest.store.tables import Issue
from digest.workflows.autopilot import GRACE, advance_one, send_due_notices
from digest.workflows.context import Context
from digest.workflows.deliver import settle
from digest.workflows.gather import gather
from digest.workflows.gather_hosts import host_of
from digest.workflows.recover import recover
from digest.workflows.telling import ADVANCE, GATHER_PART, SEND_NOTICES, tell_advance
from digest.workflows.websub import tend_subscriptions

PARTS = 8
"""Parts into which hosts fall."""


def handlers(ctx: Context, stop: Callable[[], bool], threads: int) -> Mapping[str, Handler]:
    """What this worker does, by the name of the job."""

    def advance(issue: int) -> None:
        advance_one(ctx, issue, stop=stop, threads=threads)

    def send() -> None:
        send_due_notices(ctx)

    def gather_part(part: int) -> None:
        gather(ctx, due_only=True, stop=stop, mine=lambda host: part_of(host) == part)
        if part == 0:
            tend_subscriptions(ctx)

    return {ADVANCE: advance, SEND_NOTICES: send, GATHER_PART: gather_part}


def part_of(host: str) -> int:
    """The part that a host belongs to, in every process."""
    return crc32(host.encode()) % PARTS


def sweep(ctx: Context) -> None:
    """Settle what the dead left, and tell what is due. Cheap when nothing is; safe from every worker at once."""
    recover(ctx)
    settle(ctx)
    now = ctx.clock()
    with ctx.db.read() as session:
        unfinished = issues.in_state(session, "planned", "draft", "approved", "sending")
        due = [issue.id for issue in unfinished if issue.id is not None and _wants(session, issue, now)]
        waits = notices.any_due(session, now)
        parts = {part_of(host_of(url)) for _, url in feeds.waiting(session, now, due_only=True)}
    if not (due or waits or parts):
        return
    with ctx.db.write() as session:
        for issue_id in due:
            tell_advance(ctx, session, issue_id)
        if waits:
            ctx.jobs.tell(session, NOTICES, SEND_NOTICES, {}, key="notices")
        for part in sorted(parts):
            ctx.jobs.tell(session, GATHER, GATHER_PART, {"part": part}, key=f"gather {part}", alone=True)


def _wants(session: Session, issue: Issue, now: datetime) -> bool:
    """Whether a worker could take the issue further at this moment."""
    if issue.state == "planned":
        return True
    if issue.due_at > now:
        return False
    if issue.state == "draft":
        by_hand = issue.slot.startswith(issues.BY_HAND)
        return not by_hand and (issues.spec_of(issue).approval == "auto" or now - issue.due_at > GRACE)
    assert issue.id is not None
    return issue.state == "approved" or deliveries.wants_work(session, issue.id, now)
