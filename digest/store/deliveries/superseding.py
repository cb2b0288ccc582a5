"""When a newer issue goes out and a day's number had no place for all of the older one: nobody gets yesterday's paper then.

Who waits longest is next: so a warm-up spreads readers over issues, and never an issue over days in which newer ones are out.
"""

from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from digest.store.deliveries.recording import SUPERSEDED
from digest.store.deliveries.rows import QUEUE, QUEUED, settle
from digest.store.tables import Delivery, Issue

_BACK = timedelta(days=60)
_MOST = 30
"""Issues that are looked through for who got the last one when."""


def supersede(session: Session, issue_id: int, now: datetime) -> int:
    """Skip who waits for an older issue of the newsletter and gets this one, which is about to go out; how many they are.

    Rows that wait for their own hour, or for their own next attempt, go on waiting, and so does who does not get this issue.
    """
    issue = session.get_one(Issue, issue_id)
    older = core_select(col(Issue.id)).where(
        col(Issue.newsletter_id) == issue.newsletter_id, col(Issue.state) == "sending", col(Issue.due_at) < issue.due_at
    )
    newer = QUEUE.alias("newer")
    found = settle(
        session,
        and_(
            QUEUE.c.issue_id.in_(older), QUEUE.c.state == QUEUED, QUEUE.c.reason == "",
            or_(QUEUE.c.not_before.is_(None), QUEUE.c.not_before <= now),
            exists().where(
                newer.c.issue_id == issue_id, newer.c.subscriber_id == QUEUE.c.subscriber_id, newer.c.state == "queued"
            ),
        ),
        "skipped",
        SUPERSEDED,
    )  # fmt: skip
    if found:
        _longest_first(session, issue)
    return found


def _longest_first(session: Session, issue: Issue) -> None:
    """Rows are claimed by the moment for which they are due: let it be when each reader had their last issue."""
    recent = core_select(col(Issue.id), col(Issue.due_at)).where(
        col(Issue.newsletter_id) == issue.newsletter_id, col(Issue.due_at) < issue.due_at,
        col(Issue.due_at) > issue.due_at - _BACK,
    )  # fmt: skip
    newest = session.execute(recent.order_by(col(Issue.due_at).desc()).limit(_MOST)).all()
    ours = (QUEUE.c.issue_id == issue.id, QUEUE.c.state == QUEUED)
    session.execute(update(QUEUE).where(*ours, QUEUE.c.not_before.is_(None)).values(not_before=issue.due_at - _BACK))
    for earlier, due_at in reversed(newest):
        had = core_select(col(Delivery.subscriber_id)).where(
            col(Delivery.issue_id) == earlier, col(Delivery.state).in_(("sent", "unknown"))
        )
        session.execute(
            update(QUEUE)
            .where(*ours, QUEUE.c.not_before < issue.due_at, QUEUE.c.subscriber_id.in_(had))
            .values(not_before=due_at)
        )
