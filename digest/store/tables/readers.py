"""Who reads, what they chose, and who must not be written to."""

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from digest.store.tables.base import SQLModel


class Subscriber(SQLModel, table=True):
    """A person. ``address`` is lower-case in its domain part and unique without case in ``address_key``.

    ``address_hash`` is ``Signer.address_hash`` under the secret that ``hash_key`` names: suppressions are found by it in
    SQL. Rows without it, or under an earlier secret, are hashed before the next planning.
    """

    id: int | None = Field(default=None, primary_key=True)
    address: str
    address_key: str = Field(unique=True)
    name: str = ""
    address_hash: str = ""
    hash_key: str = Field(default="", index=True)
    zone: str = "UTC"
    language: str = "en"
    created_at: datetime
    erased_at: datetime | None = None


class ChoiceSet(SQLModel, table=True):
    """A set of topics that readers chose; all who chose the same refer to one row, so that planning does each set once.

    ``key`` is a ``domain.audience.TopicChoice`` as text.
    """

    __tablename__ = "choice_set"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, sa_type=Text)


class Subscription(SQLModel, table=True):
    """What a person signed up to. States: pending, active, ended (with reason and date).

    ``frequency``: every-issue, daily, weekdays, weekly. ``hour``: "HH:MM" on the reader's clock at which the mail is
    wanted, "" as soon as an issue is out. ``choice_set_id``: the topics asked for; None means everything. Consent fields are the proof (GDPR Art. 7(1)).
    """

    id: int | None = Field(default=None, primary_key=True)
    subscriber_id: int = Field(foreign_key="subscriber.id", index=True)
    newsletter_id: int = Field(foreign_key="newsletter.id", index=True)
    state: str = Field(default="pending", index=True)
    frequency: str = "every-issue"
    hour: str = ""
    choice_set_id: int | None = Field(default=None, foreign_key="choice_set.id")
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


class Suppression(SQLModel, table=True):
    """An address never to write to, by keyed hash, and why."""

    address_hash: str = Field(primary_key=True)
    reason: str
    detail: str = Field(default="", sa_type=Text)
    created_at: datetime
