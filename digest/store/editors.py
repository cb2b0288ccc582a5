"""Editors, their sign-in links and sessions."""

from datetime import datetime
from typing import Literal

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from digest.store.tables import Editor, SignIn

SignInKind = Literal["link", "session"]


def by_address(session: Session, address: str) -> Editor | None:
    """The editor with that address, compared without case."""
    return session.exec(select(Editor).where(Editor.address == address.strip().lower())).first()


def addresses(session: Session) -> list[str]:
    """Everybody who may sign in, in the order in which they were let in."""
    return list(session.exec(select(Editor.address).order_by(col(Editor.id))))


def live_links(session: Session, editor_id: int, now: datetime) -> int:
    """How many unused links of an editor are still good."""
    return session.exec(
        select(func.count())
        .select_from(SignIn)
        .where(
            SignIn.editor_id == editor_id,
            SignIn.kind == "link",
            col(SignIn.used_at).is_(None),
            SignIn.expires_at > now,
        )
    ).one()


def holder(session: Session, token_hash: str, kind: SignInKind, now: datetime) -> Editor | None:
    """The editor whom a live link or session belongs to."""
    return session.exec(
        select(Editor)
        .join(SignIn, col(SignIn.editor_id) == Editor.id)
        .where(
            SignIn.token_hash == token_hash,
            SignIn.kind == kind,
            col(SignIn.used_at).is_(None),
            SignIn.expires_at > now,
        )
    ).first()


def use_up(session: Session, token_hash: str, kind: SignInKind, now: datetime) -> bool:
    """End a live link or session; only one of several callers at the same moment gets True."""
    ended = session.exec(
        update(SignIn)
        .where(
            col(SignIn.token_hash) == token_hash,
            col(SignIn.kind) == kind,
            col(SignIn.used_at).is_(None),
            col(SignIn.expires_at) > now,
        )
        .values(used_at=now)
    )
    return ended.rowcount == 1


def end_sessions(session: Session, editor_id: int, now: datetime) -> int:
    """End every session of an editor; returns how many there were."""
    ended = session.exec(
        update(SignIn)
        .where(col(SignIn.editor_id) == editor_id, col(SignIn.kind) == "session", col(SignIn.used_at).is_(None))
        .values(used_at=now)
    )
    return ended.rowcount
