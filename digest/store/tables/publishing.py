"""What the newsroom says, and the issues made of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from digest.store.tables.base import SQLModel


class Topic(SQLModel, table=True):
    """What readers choose; ``spec`` is a ``TopicProfile``."""

    slug: str = Field(primary_key=True)
    name: str
    position: int = 0
    spec: dict[str, Any] = Field(sa_type=JSON)
    retired_at: datetime | None = None


class Newsletter(SQLModel, table=True):
    """``spec`` is a ``NewsletterSpec``."""

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    name: str
    spec: dict[str, Any] = Field(sa_type=JSON)
    retired_at: datetime | None = None


class NewsroomItem(SQLModel, table=True):
    """Everything else an editor writes: sponsors, events, research, epigraphs, links, the site itself.

    ``kind`` is ``sponsor``, ``event``, ``research``, ``epigraph``, ``link`` or ``site``; ``spec`` its dataclass.
    """

    __tablename__ = "newsroom_item"
    kind: str = Field(primary_key=True)
    slug: str = Field(primary_key=True)
    position: int = 0
    spec: dict[str, Any] = Field(sa_type=JSON)
    retired_at: datetime | None = None


class Issue(SQLModel, table=True):
    """One number of one newsletter for one window [start, end).

    States: planned → draft → approved → sending → sent; and held, cancelled, empty (nothing to say).
    ``slot`` is the local date of the slot ("2026-11-23"), "first" for a newsletter's first issue, or
    "at:ISO-TIME" for one drafted by hand: the key that makes an issue happen once.
    """

    id: int | None = Field(default=None, primary_key=True)
    newsletter_id: int = Field(foreign_key="newsletter.id")
    cadence: str
    slot: str
    number: int
    state: str = Field(default="planned", index=True)
    reason: str = Field(default="", sa_type=Text)
    window_start: datetime
    window_end: datetime
    due_at: datetime
    spec: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """The newsletter's ``NewsletterSpec`` as it was when the issue was drafted."""
    extras: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """Snapshots of quotes, charts, events, research, links, epigraph, sponsor, letter."""
    claimed_until: datetime | None = None
    claimed_by: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    finished_at: datetime | None = None
    created_at: datetime
    revision: int = 0
    """Counts edits; approval speaks of one revision."""
    audience: int | None = None
    """Readers in the ledger, as planned; None before."""
    rests_until: datetime | None = None
    """While the mail server is away, or the day's limit is reached: nothing of the issue is handed out before."""

    __table_args__ = (UniqueConstraint("newsletter_id", "cadence", "slot"),)


class Placement(SQLModel, table=True):
    """Where a story stands in an issue, and what an editor did to it.

    ``section`` is ``lead`` or ``section:TOPIC``; a story may be a lead variant and stand in a section.
    ``item`` is a ``StoryItem`` as drafted; headline and dek override it where they are set.
    """

    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id", index=True)
    story_id: int = Field(foreign_key="story.id")
    section: str
    position: int
    form: str
    item: dict[str, Any] = Field(sa_type=JSON)
    pinned: bool = False
    dropped: bool = False
    headline: str | None = Field(default=None, sa_type=Text)
    dek: str | None = Field(default=None, sa_type=Text)

    __table_args__ = (UniqueConstraint("issue_id", "section", "story_id"),)


class FragmentRow(SQLModel, table=True):
    """The finished bytes of one block or item of an approved issue (see ``domain.mail.Fragment``)."""

    __tablename__ = "fragment"
    issue_id: int = Field(foreign_key="issue.id", primary_key=True)
    position: int = Field(primary_key=True)
    key: str
    role: str
    group: str = ""
    story_id: int | None = None
    form: str = ""
    headline: str = Field(default="", sa_type=Text)
    dek: str = Field(default="", sa_type=Text)
    html: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    text: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ManifestRow(SQLModel, table=True):
    """What the fragments of an approved issue were printed from (see ``render.manifest.Manifest``)."""

    __tablename__ = "manifest"
    issue_id: int = Field(foreign_key="issue.id", primary_key=True)
    printed_at: datetime
    data: dict[str, Any] = Field(sa_type=JSON)
