"""Who works at the desk, and what they did."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from digest.store.tables.base import SQLModel


class Editor(SQLModel, table=True):
    """Somebody who may sign in to the desk. Roles: viewer, editor, publisher, admin."""

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(unique=True)
    role: str = "publisher"
    created_at: datetime


class SignIn(SQLModel, table=True):
    """A one-time sign-in link (``kind`` = link) or a session (``session``); only the token's hash is kept."""

    __tablename__ = "sign_in"
    token_hash: str = Field(primary_key=True)
    kind: str
    editor_id: int = Field(foreign_key="editor.id")
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


class AuditEntry(SQLModel, table=True):
    """Who did what, when, before and after."""

    __tablename__ = "audit_entry"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    actor: str
    action: str
    subject: str
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSON)
