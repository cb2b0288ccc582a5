"""The audit log: who did what, when, before and after. Entries are only ever added."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from digest.store.tables import AuditEntry

State = dict[str, Any] | None


def issue_subject(issue_id: int) -> str:
    """How an issue is named in ``AuditEntry.subject``."""
    return f"issue:{issue_id}"


def record(
    session: Session, at: datetime, actor: str, action: str, subject: str, *, before: State = None, after: State = None
) -> AuditEntry:
    """Add an entry in the caller's transaction, so that the deed and its record stand or fall together."""
    entry = AuditEntry(at=at, actor=actor, action=action, subject=subject, before=before, after=after)
    session.add(entry)
    session.flush()
    return entry


def about(session: Session, subject: str, *, limit: int = 200) -> list[AuditEntry]:
    """Entries on one subject, newest first."""
    newest = select(AuditEntry).where(AuditEntry.subject == subject).order_by(col(AuditEntry.id).desc())
    return list(session.exec(newest.limit(limit)))


def of_actions(session: Session, subject: str, actions: Collection[str]) -> list[AuditEntry]:
    """All entries on one subject whose action is one of ``actions``, newest first."""
    wanted = select(AuditEntry).where(AuditEntry.subject == subject, col(AuditEntry.action).in_(actions))
    return list(session.exec(wanted.order_by(col(AuditEntry.id).desc())))
