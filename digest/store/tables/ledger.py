"""Who gets what, and what became of it: deliveries, the stories sent, single mails."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, Text, UniqueConstraint, text
from sqlmodel import Field

from digest.store.tables.base import Moment, SQLModel

_IN_HAND = text("state = 'sending'")


class CutRow(SQLModel, table=True):
    """A distinct cut of an issue: many readers share it, so a row of the ledger only refers to it.

    ``bits`` is a ``domain.mail.Cut`` in hexadecimal. Cuts are never changed, so that what was sent can be shown again.
    """

    __tablename__ = "cut"
    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id")
    bits: str

    __table_args__ = (UniqueConstraint("issue_id", "bits"),)


class Delivery(SQLModel, table=True):
    """The ledger: one row per issue and subscriber; its states always add up to the audience.

    It is the one table that grows by a row for each mail, so a row is kept small: the cut by reference, moments in
    eight bytes, the wide columns first (PostgreSQL aligns them), and few indexes.
    """

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    )
    not_before: datetime | None = Field(default=None, sa_type=Moment)
    """The reader's hour, or when the next attempt is due; None: as soon as the issue goes out."""
    lease_until: datetime | None = Field(default=None, sa_type=Moment)
    dated_at: datetime | None = Field(default=None, sa_type=Moment)
    """The Date header: set at the first attempt and kept, so that the mail can be shown again byte for byte."""
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    issue_id: int = Field(foreign_key="issue.id")
    subscriber_id: int = Field(foreign_key="subscriber.id")
    subscription_id: int = Field(foreign_key="subscription.id")
    cut_id: int | None = None
    """Row of the distinct cut (``CutRow``); None for who was skipped."""
    attempts: int = 0
    state: str = "queued"
    reason: str = Field(default="", sa_type=Text)
    """Why it waits, was skipped or failed; what a server said of a mail it took only if that names the mail."""
    worker: str = ""
    """Who has it in hand, or had it when it became unknown; "" when it is finished."""
    provider_id: str = ""

    __table_args__ = (
        UniqueConstraint("issue_id", "subscriber_id"),
        # The order in which rows are claimed, and what counting reads.
        Index("ix_delivery_due", "issue_id", "state", "not_before"),
        # Only rows in hand have a lease to run out.
        Index("ix_delivery_lease", "lease_until", sqlite_where=_IN_HAND, postgresql_where=_IN_HAND),
    )


class SentStory(SQLModel, table=True):
    """That an issue carried a story: the short list from which repeats are found (decision 8)."""

    __tablename__ = "sent_story"
    issue_id: int = Field(foreign_key="issue.id", primary_key=True)
    story_id: int = Field(foreign_key="story.id", primary_key=True, index=True)
    positions: str = ""
    """A cut (hexadecimal) of all fragments of that issue that show the story."""


class SentArticle(SQLModel, table=True):
    """The articles of the stories that an issue carried: a story that was merged or split is known again by them.

    Articles may expire before this, so there is no foreign key.
    """

    __tablename__ = "sent_article"
    article_id: int = Field(primary_key=True)
    issue_id: int = Field(foreign_key="issue.id", primary_key=True, index=True)
    story_id: int = Field(primary_key=True)


class Notice(SQLModel, table=True):
    """A mail outside the issues: confirmation, preference link, sign-in link. States: queued, sent, failed."""

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    address: str
    payload: dict[str, Any] = Field(sa_type=JSON)
    state: str = Field(default="queued", index=True)
    attempts: int = 0
    not_before: datetime
    claimed_until: datetime | None = None
    error: str = Field(default="", sa_type=Text)
    created_at: datetime
    sent_at: datetime | None = None
