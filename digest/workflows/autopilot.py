"""The service at work by itself: what is due is planned, drafted, approved by policy and sent.

Every step is safe to repeat and to run in several processes at once: the database lets each thing happen once.
``plan_due`` is all that a scheduler does; ``publish`` and ``collect`` are what a worker does, side by side, and ``work``
is both in turn; an embedded service does all of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from digest.errors import DigestError, PreflightFailed, StateConflict
from digest.store import issues, subscribers
from digest.store.newsroom import newsletters
from digest.store.tables import Issue
from digest.workflows.approve import approve, hold
from digest.workflows.context import Context
from digest.workflows.deliver import THREADS, deliver
from digest.workflows.draft import make_draft, plan_issue
from digest.workflows.gather import gather
from digest.workflows.notices import send_notices
from digest.workflows.recover import recover
from digest.workflows.websub import tend_subscriptions

log = structlog.get_logger(__name__)

GRACE = timedelta(hours=6)
"""An issue that is later than this (after downtime) waits for a person instead of being sent."""

HORIZON = timedelta(days=3)
"""Old news is not sent by itself once the mail server is back, or when a day's number had no place for it. A reader's hour may
be a day after the issue's; who approves an issue late, or lets it go on, wants it sent for so long from then."""

HASHED_AT_ONCE = 5000
"""Addresses that are hashed in one transaction."""

ACTOR = "policy"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done or could not be done, in words for the log and the screen."""

    issue: int
    words: str
    failed: bool = False


def plan_due(ctx: Context) -> list[int]:
    """Make sure that every newsletter has the issue whose hour has come; safe from any number of schedulers."""
    _hash_addresses(ctx)
    with ctx.db.read() as session:
        slugs = [spec.slug for spec in newsletters(session)]
    planned: list[int] = []
    for slug in slugs:
        try:
            issue_id = plan_issue(ctx, slug)
        except DigestError as error:
            log.warning("newsletter can't be planned", newsletter=slug, error=str(error))
            continue
        planned += [issue_id] if issue_id is not None else []
    return planned


def _hash_addresses(ctx: Context) -> None:
    """After an update, or a change of the secret: some at a time, so that nobody waits long to write."""
    while True:
        with ctx.db.write() as session:
            if not subscribers.hash_addresses(session, ctx.signer, most=HASHED_AT_ONCE):
                return


def work(
    ctx: Context, *, stop: Callable[[], bool] | None = None, progress: Callable[[str], None] | None = None
) -> list[Step]:
    """Do everything that is due now: draft, approve by policy, deliver, send notices; then gather."""
    steps = publish(ctx, stop=stop, progress=progress)
    if stop is None or not stop():
        collect(ctx, stop=stop)
    return steps


def publish(
    ctx: Context,
    *,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[str], None] | None = None,
    threads: int = THREADS,
) -> list[Step]:
    """Draft, approve by policy, deliver and send notices: apart from gathering, as mail never waits for a slow source."""
    recover(ctx)
    return [*advance(ctx, stop=stop, progress=progress, threads=threads), *send_due_notices(ctx)]


def collect(ctx: Context, *, stop: Callable[[], bool] | None = None) -> None:
    """Gather from the sources that are due, and look after subscriptions to hubs."""
    recover(ctx)
    gather(ctx, due_only=True, stop=stop or (lambda: False))
    tend_subscriptions(ctx)


def advance(
    ctx: Context,
    *,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[str], None] | None = None,
    at_once: bool = False,
    threads: int = THREADS,
) -> list[Step]:
    """Take every unfinished issue as far as it can go now. One that fails does not keep the others.

    Args:
        at_once: somebody asks for it now: don't wait longer for a mail server that could not be reached before.
        threads: connections at most.
    """
    steps: list[Step] = []
    with ctx.db.read() as session:
        unfinished = [issue.id for issue in issues.in_state(session, "planned", "draft", "approved", "sending")]
    if ctx.limits.counts_days:
        unfinished.reverse()  # where a day has no place for all, the newest issue goes first
    for issue_id in unfinished:
        assert issue_id is not None
        if stop is not None and stop():
            break
        steps += advance_one(ctx, issue_id, stop=stop, progress=progress, at_once=at_once, threads=threads)
    return steps


def advance_one(
    ctx: Context,
    issue_id: int,
    *,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[str], None] | None = None,
    at_once: bool = False,
    threads: int = THREADS,
) -> list[Step]:
    """Take one issue as far as it can go now, see :func:`advance`. What keeps it is a step too, never an exception."""
    try:
        return _advance(ctx, issue_id, stop, progress, at_once, threads)
    except PreflightFailed as failed:
        return [_keep_back(ctx, issue_id, str(failed))]
    except StateConflict as conflict:  # another process or an editor was quicker: the next look sees what they did
        log.info("issue moved on", issue=issue_id, why=str(conflict))
        return []
    except DigestError as error:
        log.warning("issue waits", issue=issue_id, error=str(error))
        return [Step(issue_id, str(error), failed=True)]
    except Exception as error:  # a fault of one issue must not keep the others from their readers
        log.exception("issue failed", issue=issue_id)
        return [Step(issue_id, f"issue {issue_id} failed: {error!r} (see the log)", failed=True)]


def _advance(
    ctx: Context,
    issue_id: int,
    stop: Callable[[], bool] | None,
    progress: Callable[[str], None] | None,
    at_once: bool,
    threads: int,
) -> list[Step]:
    steps: list[Step] = []
    issue = _look(ctx, issue_id)
    if issue.state == "planned":
        report = make_draft(ctx, issue_id, progress=progress)
        issue = _look(ctx, issue_id)
        if issue.state != "planned":
            steps.append(Step(issue_id, f"{issue.state}: {report.stories} stories in {report.sections} sections"))
    if issue.state == "draft" and issue.due_at <= ctx.clock():
        step = _by_policy(ctx, issue)
        if step is not None:
            steps.append(step)
        issue = _look(ctx, issue_id)
    if issue.state == "approved" and _missed(ctx, issue):
        hold(ctx, issue_id, ACTOR, _too_late(issue))
        return [*steps, Step(issue_id, "held: its hour has passed; resume it to send it after all", failed=True)]
    if issue.state == "sending" and _age(ctx, issue) > HORIZON:
        hold(ctx, issue_id, ACTOR, f"not sent within {HORIZON.days} days of its hour: {issue.reason or 'no answer'}")
        return [*steps, Step(issue_id, "held: its news is old by now; approve it to go on all the same", failed=True)]
    if issue.state in ("approved", "sending") and issue.due_at <= ctx.clock():
        delivery = deliver(ctx, issue_id, stop=stop, at_once=at_once, threads=threads)
        steps.append(Step(issue_id, delivery.words, failed=bool(delivery.problem)))
    return steps


def _by_policy(ctx: Context, issue: Issue) -> Step | None:
    """What the newsletter's policy does with a draft whose hour has come."""
    assert issue.id is not None
    if issue.slot.startswith(issues.BY_HAND):
        return None  # whoever drafted it by hand approves it by hand
    spec = issues.spec_of(issue)
    late = ctx.clock() - issue.due_at
    if spec.approval == "auto" and late <= GRACE:
        warnings = approve(ctx, issue.id, ACTOR)
        return Step(issue.id, f"approved by policy ({len(warnings)} warnings)")
    if late > GRACE:
        hold(ctx, issue.id, ACTOR, _too_late(issue))
        return Step(issue.id, "held: its hour has passed; approve it to send it after all", failed=True)
    return None  # waits for an editor


def _missed(ctx: Context, issue: Issue) -> bool:
    """Whether nobody was there to send an approved issue, and too long since; who approves it late wants it sent."""
    return _age(ctx, issue) > GRACE


def _age(ctx: Context, issue: Issue) -> timedelta:
    """The time since the issue was wanted: since its hour, or since somebody let it go after that."""
    return ctx.clock() - max(issue.due_at, issue.approved_at or issue.due_at)


def _too_late(issue: Issue) -> str:
    return f"its hour was {issue.due_at:%d %b %H:%M} UTC, over {GRACE.seconds // 3600} hours ago"


def _keep_back(ctx: Context, issue_id: int, why: str) -> Step:
    issue = _look(ctx, issue_id)
    if issue.state == "draft" and issue.due_at <= ctx.clock():
        hold(ctx, issue_id, ACTOR, why)
        log.warning("issue held", issue=issue_id, why=why)
    return Step(issue_id, why, failed=True)


def send_due_notices(ctx: Context) -> list[Step]:
    """Send the notices that are due; trouble is a step."""
    try:
        send_notices(ctx)
    except DigestError as error:
        log.warning("notices wait", error=str(error))
        return [Step(0, str(error), failed=True)]
    return []


def _look(ctx: Context, issue_id: int) -> Issue:
    with ctx.db.read() as session:
        return issues.get(session, issue_id)
