"""Jobs by name, and who tells them: whoever changes rows in a way that gives a worker something to do."""

from datetime import datetime

from sqlmodel import Session

from digest.engine.jobs import MAIL
from digest.workflows.context import Context

ADVANCE, SEND_NOTICES, GATHER_PART = "digest.advance", "digest.notices", "digest.gather"


def tell_advance(ctx: Context, session: Session, issue_id: int, at: datetime | None = None) -> None:
    """Let a worker look after an issue when the transaction is committed (and ``at`` has come), or help to deliver it."""
    ctx.jobs.tell(session, MAIL, ADVANCE, {"issue": issue_id}, key=f"advance {issue_id}", at=at)
