"""Signing in to the desk: a link by mail that works once, then a session.

Tokens are random and only their SHA-256 is kept: whoever reads the database can't sign in with it.
A link is looked at by GET (mail scanners do) and used up by POST alone.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Literal

from sqlmodel import Session

from digest.errors import InvalidToken, NotFound, UsageError
from digest.store import audit_log, editors
from digest.store.tables import Editor, SignIn
from digest.workflows.context import Context
from digest.workflows.notices import queue_notice

LINK_LIFE = timedelta(minutes=30)
SESSION_LIFE = timedelta(days=14)
MAX_LIVE_LINKS = 5
"""Links that one editor may have at a time, so that nobody's inbox can be flooded through the sign-in page."""

Role = Literal["viewer", "editor", "publisher", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "editor", "publisher", "admin")
Right = Literal["look", "edit", "publish"]
RIGHTS: dict[str, frozenset[Right]] = {
    "viewer": frozenset({"look"}),
    "editor": frozenset({"look", "edit"}),
    "publisher": frozenset({"look", "edit", "publish"}),
    "admin": frozenset({"look", "edit", "publish"}),
}


@dataclass(frozen=True, slots=True)
class EditorView:
    """Who is at the desk.

    Attributes:
        role: viewer (looks), editor (edits, holds, sends tests), publisher and admin (approve, cancel).
    """

    id: int
    address: str
    role: str

    def may(self, right: Right) -> bool:
        """Whether the role includes a right; an unknown role has none."""
        return right in RIGHTS.get(self.role, frozenset())


def ensure_editor(ctx: Context, address: str, role: Role = "publisher") -> EditorView:
    """Let somebody sign in, or change the role of one who already may. Their sessions end when the role changes.

    Raises:
        UsageError: no address, or no such role.
    """
    key = address.strip().lower()
    if "@" not in key:
        raise UsageError(f"{address!r} is not a mail address")
    if role not in ROLES:
        raise UsageError(f"there is no role {role!r}: use one of {', '.join(ROLES)}")
    with ctx.db.write() as session:
        editor = editors.by_address(session, key)
        if editor is None:
            editor = Editor(address=key, role=role, created_at=ctx.clock())
        elif editor.role != role and editor.id is not None:
            editors.end_sessions(session, editor.id, ctx.clock())
            editor.role = role
        session.add(editor)
        session.flush()
        return _view(editor)


def make_link(ctx: Context, address: str) -> str:
    """A fresh sign-in token for an editor, good once and for 30 minutes: the last part of ``/desk/sign-in/…``.

    Raises:
        NotFound: nobody with that address may sign in.
    """
    with ctx.db.write() as session:
        editor = editors.by_address(session, address)
        if editor is None:
            raise NotFound(f"no editor has the address {address}: name it under `editors` in the newsroom's site.toml")
        return _new_token(ctx, session, editor, "link")


def link_url(ctx: Context, token: str) -> str:
    """The address that a sign-in token opens at."""
    return f"{ctx.public_url}/desk/sign-in/{token}"


def ask_for_link(ctx: Context, address: str) -> None:
    """Send an editor a sign-in link by mail.

    It says nothing about the address: an unknown one, and one that has asked too often, get no mail.
    """
    with ctx.db.write() as session:
        editor = editors.by_address(session, address)
        if editor is None or editor.id is None:
            return
        if editors.live_links(session, editor.id, ctx.clock()) >= MAX_LIVE_LINKS:
            return
        url = link_url(ctx, _new_token(ctx, session, editor, "link"))
        queue_notice(session, ctx.clock(), "sign-in-link", editor.address, {"url": url})


def link_is_good(ctx: Context, token: str) -> bool:
    """Whether a link would still sign somebody in. Looking does not use it up."""
    with ctx.db.read() as session:
        return editors.holder(session, _hash(token), "link", ctx.clock()) is not None


def sign_in(ctx: Context, token: str) -> str:
    """Use up a link and open a session of 14 days; returns the session's token.

    Raises:
        InvalidToken: unknown, used or run out. Of two that come at once, one gets in.
    """
    with ctx.db.write() as session:
        now = ctx.clock()
        editor = editors.holder(session, _hash(token), "link", now)
        if editor is None or not editors.use_up(session, _hash(token), "link", now):
            raise InvalidToken("this sign-in link is not valid any more: ask for a new one")
        audit_log.record(session, now, editor.address, "sign-in", "desk")
        return _new_token(ctx, session, editor, "session")


def editor_of(ctx: Context, session_token: str) -> EditorView | None:
    """Who a session belongs to; None if it has ended."""
    with ctx.db.read() as session:
        editor = editors.holder(session, _hash(session_token), "session", ctx.clock())
        return _view(editor) if editor else None


def sign_out(ctx: Context, session_token: str) -> None:
    """End a session; ending it twice is no error."""
    with ctx.db.write() as session:
        editors.use_up(session, _hash(session_token), "session", ctx.clock())


def _new_token(ctx: Context, session: Session, editor: Editor, kind: editors.SignInKind) -> str:
    token, now = secrets.token_urlsafe(32), ctx.clock()
    life = LINK_LIFE if kind == "link" else SESSION_LIFE
    assert editor.id is not None
    session.add(SignIn(token_hash=_hash(token), kind=kind, editor_id=editor.id, created_at=now, expires_at=now + life))
    return token


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def _view(editor: Editor) -> EditorView:
    assert editor.id is not None
    return EditorView(editor.id, editor.address, editor.role)
