"""When a newer issue goes out and a day's number had no place for all of the older one: nobody gets yesterday's paper then.

Who waits longest is next: so a warm-up spreads readers over issues, and never an issue over days in which newer ones are out.
"""

from datetime import datetime, timedelta

from sqlalchemy import exists, or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from digest.store.deliveries.recording import SUPERSEDED, WAITING
from digest.store.tables import Delivery, Issue

_ROWS = Delivery.__table__  # type: ignore[attr-defined]
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
    newer = _ROWS.alias("newer")
    result = session.execute(
        update(_ROWS)
        .where(
            _ROWS.c.issue_id.in_(older), _ROWS.c.state == "queued",
            or_(
                _ROWS.c.reason == WAITING,
                (_ROWS.c.reason == "") & or_(_ROWS.c.not_before.is_(None), _ROWS.c.not_before <= now),
            ),
            exists().where(
                newer.c.issue_id == issue_id, newer.c.subscriber_id == _ROWS.c.subscriber_id, newer.c.state == "queued"
            ),
        )
        .values(state="skipped", reason=SUPERSEDED, not_before=None, finished_at=now)
    )  # fmt: skip
    found = int(result.rowcount)  # type: ignore[attr-defined]
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
    ours = (_ROWS.c.issue_id == issue.id, _ROWS.c.state == "queued")
    session.execute(update(_ROWS).where(*ours, _ROWS.c.not_before.is_(None)).values(not_before=issue.due_at - _BACK))
    got = _ROWS.alias("got")
    for earlier, due_at in reversed(newest):
        had = core_select(got.c.subscriber_id).where(got.c.issue_id == earlier, got.c.state.in_(("sent", "unknown")))
        session.execute(
            update(_ROWS)
            .where(*ours, _ROWS.c.not_before < issue.due_at, _ROWS.c.subscriber_id.in_(had))
            .values(not_before=due_at)
        )
