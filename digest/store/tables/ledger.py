"""Who gets what, and what became of it: deliveries, the stories sent, single mails."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlmodel import Field

from digest.store.tables.base import Moment, SQLModel


def _where(condition: Any) -> dict[str, Any]:
    """An index of only some rows, on both databases."""
    return {"sqlite_where": condition, "postgresql_where": condition}


class CutRow(SQLModel, table=True):
    """A distinct cut of an issue: many readers share it, so a row of the ledger only refers to it.

    ``bits`` is a ``domain.mail.Cut`` in hexadecimal. Cuts are never changed, so that what was sent can be shown again.
    """

    __tablename__ = "cut"
    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id")
    bits: str

    __table_args__ = (UniqueConstraint("issue_id", "bits"),)


class QueueRow(SQLModel, table=True):
    """The open half of the ledger: who is still to get an issue. States: queued, sending, unknown.

    A row is written when an issue is planned, and taken out when it is settled (``LedgerRow``): so each reader of an
    issue is in exactly one of the two, and what is rewritten by every claim stays as large as what waits.
    """

    __tablename__ = "delivery_queue"
    not_before: datetime | None = Field(default=None, sa_type=Moment)
    """The reader's hour, or when the next attempt is due; None: as soon as the issue goes out."""
    lease_until: datetime | None = Field(default=None, sa_type=Moment)
    """While a worker has it in hand: how long; None otherwise."""
    dated_at: datetime | None = Field(default=None, sa_type=Moment)
    """The Date header: set at the first attempt and kept, so that the mail can be shown again byte for byte."""
    unknown_since: datetime | None = Field(default=None, sa_type=Moment)
    former_id: int | None = Field(default=None, sa_type=BigInteger)
    """By which the journal of a worker names it that died before rows were named by issue and reader."""
    issue_id: int = Field(primary_key=True)
    subscriber_id: int = Field(primary_key=True)
    subscription_id: int = Field(foreign_key="subscription.id")
    cut_id: int | None = None
    attempts: int = 0
    state: str = "queued"
    reason: str = Field(default="", sa_type=Text)
    """Why it waits for another attempt, or became unknown."""
    worker: str = ""
    """Who has it in hand, or had it last."""
    provider_id: str = ""

    __table_args__ = (
        # The order in which rows are claimed; a claim takes a row out of it.
        Index("ix_delivery_queue_due", "issue_id", "not_before", **_where(text("state = 'queued'"))),
        # Only rows in hand have a lease to run out.
        Index("ix_delivery_queue_lease", "lease_until", **_where(text("lease_until IS NOT NULL"))),
        # A subscription keeps its subscriber, and a cut its issue, from being deleted. PostgreSQL would ask a question of
        # its own for each of these keys of every row, and lock what it finds; SQLite only looks into an index.
        *(ForeignKeyConstraint([f"{to}_id"], [f"{to}.id"]).ddl_if(dialect="sqlite") for to in ("issue", "subscriber")),
        {"sqlite_with_rowid": False},
    )


class LedgerRow(SQLModel, table=True):
    """The settled half: one row for each mail, written once. States: sent, failed, skipped.

    It is the table that grows, so it keeps what a mail is shown again and accounted for by, and nothing else. Up to eight
    columns, PostgreSQL keeps which of them are empty within the 24 bytes that it says about every row.
    """

    __tablename__ = "delivery_ledger"
    dated_at: datetime | None = Field(default=None, sa_type=Moment)
    """The Date header; None for who was never tried."""
    issue_id: int = Field(primary_key=True)
    subscriber_id: int = Field(primary_key=True)
    subscription_id: int
    cut_id: int | None = None
    """Row of the distinct cut (``CutRow``); None for who was skipped."""
    state: str
    reason: str | None = Field(default=None, sa_type=Text)
    """Why it was skipped or failed; what a server said of a mail it took only if that names the mail."""
    provider_id: str | None = None

    __table_args__ = (
        # Few are not sent: who they are, and how many, is asked while millions are.
        Index("ix_delivery_ledger_unsent", "issue_id", "state", **_where(text("state <> 'sent'"))),
        {"sqlite_with_rowid": False},
    )


class Delivery(SQLModel, table=True):
    """The ledger as one: a view of both halves, for reading. One row per issue and subscriber.

    A statement sees both at one moment, so its rows always add up to the audience. ``id`` is made of issue and reader
    (``deliveries.row_id``): it is the same before and after a row is settled.
    """

    metadata = MetaData()  # a view: not among what is created or compared
    id: int = Field(sa_type=BigInteger, primary_key=True)
    issue_id: int
    subscriber_id: int
    subscription_id: int
    cut_id: int | None = None
    state: str
    reason: str
    not_before: datetime | None = Field(default=None, sa_type=Moment)
    dated_at: datetime | None = Field(default=None, sa_type=Moment)
    lease_until: datetime | None = Field(default=None, sa_type=Moment)
    attempts: int
    worker: str
    provider_id: str


_BOTH = """
    SELECT (CAST(issue_id AS BIGINT) << 32) | subscriber_id AS id, issue_id, subscriber_id, subscription_id, cut_id, state,
        reason, not_before, dated_at, lease_until, attempts, worker, provider_id FROM delivery_queue
    UNION ALL
    SELECT (CAST(issue_id AS BIGINT) << 32) | subscriber_id, issue_id, subscriber_id, subscription_id, cut_id, state,
        coalesce(reason, ''), {never}, dated_at, {never}, 0, '', coalesce(provider_id, '') FROM delivery_ledger
"""


def _show_both(_metadata: MetaData, connection: Connection, **_: Any) -> None:
    """The view, where tables are made without migrations."""
    never = "CAST(NULL AS TIMESTAMPTZ)" if connection.dialect.name == "postgresql" else "NULL"
    connection.exec_driver_sql("DROP VIEW IF EXISTS delivery")
    connection.exec_driver_sql(f"CREATE VIEW delivery AS {_BOTH.format(never=never)}")


def _hide_both(_metadata: MetaData, connection: Connection, **_: Any) -> None:
    connection.exec_driver_sql("DROP VIEW IF EXISTS delivery")


event.listen(SQLModel.metadata, "after_create", _show_both)
event.listen(SQLModel.metadata, "before_drop", _hide_both)


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
