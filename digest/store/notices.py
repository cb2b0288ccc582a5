"""Mails outside the issues: confirmations and links, sent again until they are taken. States: queued, sent, failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session

from digest.store.tables import Notice

_ROWS = Notice.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class ClaimedNotice:
    """A notice in somebody's hands. ``attempts`` counts this one too."""

    id: int
    kind: str
    address: str
    payload: dict[str, Any]
    attempts: int
    created_at: datetime


def add(session: Session, now: datetime, kind: str, address: str, payload: dict[str, Any]) -> None:
    """Queue a notice in the caller's transaction: it goes out if and only if what it speaks of happened."""
    session.add(Notice(kind=kind, address=address, payload=payload, not_before=now, created_at=now))


def any_due(session: Session, now: datetime) -> bool:
    """Whether a notice could be claimed at this moment."""
    due = core_select(_ROWS.c.id).where(
        _ROWS.c.state == "queued",
        _ROWS.c.not_before <= now,
        or_(_ROWS.c.claimed_until.is_(None), _ROWS.c.claimed_until < now),
    )
    return session.execute(due.limit(1)).first() is not None


def claim(session: Session, now: datetime, until: datetime, limit: int) -> list[ClaimedNotice]:
    """Take notices that are due; a process that dies with one in its hands gives it back when ``until`` has passed."""
    due = (
        core_select(_ROWS.c.id)
        .where(
            _ROWS.c.state == "queued",
            _ROWS.c.not_before <= now,
            or_(_ROWS.c.claimed_until.is_(None), _ROWS.c.claimed_until < now),
        )
        .order_by(_ROWS.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    taken = session.execute(
        update(_ROWS)
        .where(_ROWS.c.id.in_(core_select(due.c.id)))
        .values(claimed_until=until, attempts=_ROWS.c.attempts + 1)
        .returning(
            _ROWS.c.id, _ROWS.c.kind, _ROWS.c.address, _ROWS.c.payload, _ROWS.c.attempts, _ROWS.c.created_at
        )
    )  # fmt: skip
    return sorted((ClaimedNotice(*row) for row in taken), key=lambda notice: notice.id)


def finish(session: Session, notice_id: int, state: str, now: datetime, error: str = "") -> None:
    """A notice was sent, or never will be. Its payload, which may hold a link that opens a door, is forgotten."""
    sent_at = now if state == "sent" else None
    session.execute(
        update(_ROWS)
        .where(_ROWS.c.id == notice_id, _ROWS.c.state == "queued")
        .values(state=state, sent_at=sent_at, error=error, claimed_until=None, payload={})
    )


def put_off(session: Session, notice_ids: Sequence[int], until: datetime, error: str) -> None:
    """Notices that could not be sent now are tried again later."""
    session.execute(
        update(_ROWS)
        .where(_ROWS.c.id.in_(list(notice_ids)), _ROWS.c.state == "queued")
        .values(not_before=until, error=error, claimed_until=None)
    )
