"""Who reads, what they chose, and who must not be written to."""

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from digest.store.tables.base import SQLModel


class Subscriber(SQLModel, table=True):
    """A person. ``address`` is lower-case in its domain part and unique without case in ``address_key``."""

    id: int | None = Field(default=None, primary_key=True)
    address: str
    address_key: str = Field(unique=True)
    name: str = ""
    zone: str = "UTC"
    language: str = "en"
    created_at: datetime
    erased_at: datetime | None = None


class Subscription(SQLModel, table=True):
    """What a person signed up to. States: pending, active, ended (with reason and date).

    ``frequency``: every-issue, daily, weekdays, weekly. Consent fields are the proof (GDPR Art. 7(1)).
    """

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True)
    newsletter_id: int = Field(foreign_key="newsletter.id", index=True)
    state: str = Field(default="pending", index=True)
    frequency: str = "every-issue"
    paused_until: datetime | None = None
    created_at: datetime
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    ended_why: str = ""
    consent_text: str = Field(default="", sa_type=Text)
    consent_version: str = ""
    consent_url: str = ""
    consent_ip: str = ""

    __table_args__ = (UniqueConstraint("subscriber_id", "newsletter_id"),)


class TopicChoice(SQLModel, table=True):
    """A topic that a subscription asks for; none at all means everything."""

    __tablename__ = "topic_choice"
    subscription_id: int = Field(foreign_key="subscription.id", primary_key=True)
    topic: str = Field(primary_key=True)


class Suppression(SQLModel, table=True):
    """An address never to write to, by keyed hash, and why."""

    address_hash: str = Field(primary_key=True)
    reason: str
    detail: str = Field(default="", sa_type=Text)
    created_at: datetime
