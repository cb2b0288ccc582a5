"""Who gets what, and what became of it: deliveries, the stories sent, single mails."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, Text, UniqueConstraint
from sqlmodel import Field

from digest.store.tables.base import SQLModel


class Delivery(SQLModel, table=True):
    """The ledger: one row per issue and subscriber; its states always add up to the audience."""

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    )
    issue_id: int = Field(foreign_key="issue.id")
    subscriber_id: int = Field(foreign_key="subscriber.id")
    subscription_id: int = Field(foreign_key="subscription.id")
    state: str = "queued"
    reason: str = Field(default="", sa_type=Text)
    cut: str = ""
    not_before: datetime | None = None
    attempts: int = 0
    worker: str = ""
    lease_until: datetime | None = None
    dated_at: datetime | None = None
    """The Date header: set at the first attempt and kept, so that the mail can be shown again byte for byte."""
    finished_at: datetime | None = None
    provider_id: str = ""

    __table_args__ = (
        UniqueConstraint("issue_id", "subscriber_id"),
        Index("ix_delivery_due", "state", "not_before"),
        Index("ix_delivery_issue_state", "issue_id", "state"),
    )


class SentStory(SQLModel, table=True):
    """That an issue carried a story: the short list from which repeats are found (decision 8)."""

    __tablename__ = "sent_story"
    issue_id: int = Field(foreign_key="issue.id", primary_key=True)
    story_id: int = Field(foreign_key="story.id", primary_key=True, index=True)
    positions: str = ""
    """A cut (hexadecimal) of all fragments of that issue that show the story."""


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
