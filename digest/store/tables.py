"""The tables. Rows never leave this room for ``curation`` or ``render``: seams in ``workflows`` turn them into values.

``datetime`` columns are aware UTC on both databases (SQLModel's UTCDateTime refuses naive values).
Things end with a reason and a date; they are not deleted.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, MetaData, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

SQLModel.metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Feed(SQLModel, table=True):
    """A source we poll: address, validators, next check, last failure."""

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(unique=True)
    name: str
    kind: str = "feed"
    weight: float = 1.0
    full_text: bool = False
    interval: int = 15
    rules: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """What ``FeedSpec`` says beyond the columns: page, json, provider, fresh_hours (see ``store.feed_specs``)."""
    etag: str = ""
    last_modified: str = ""
    next_check_at: datetime | None = Field(default=None, index=True)
    claimed_until: datetime | None = None
    claimed_by: str = ""
    last_checked_at: datetime | None = None
    last_success_at: datetime | None = None
    last_error: str = Field(default="", sa_type=Text)
    last_error_at: datetime | None = None
    last_failure_body: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    failures: int = 0
    entries_last: int = 0
    moved_to: str = Field(default="", sa_type=Text)
    """Where a permanent redirect sends us, once it is believed; ``url`` stays what the newsroom wrote."""
    moving_to: str = Field(default="", sa_type=Text)
    """Where permanent redirects send us that aren't believed yet: seen how often, and since when."""
    moving_seen: int = 0
    moving_since: datetime | None = None
    rhythm: int = 0
    """Seconds between two items of the source as it goes lately; 0 if unknown."""
    newest_at: datetime | None = None
    """Date of the newest item it showed."""
    alerted_at: datetime | None = None
    """When editors were told that it fails; None again once they were told that it recovered."""
    retired_at: datetime | None = None
    retired_why: str = ""


class WebSub(SQLModel, table=True):
    """The subscription to a feed's hub (W3C WebSub), which pushes what polling would find later.

    ``state``: ``wanted`` (to be asked for), ``asked``, ``active``, ``refused`` (by the hub), ``leaving``, ``ended``.
    """

    __tablename__ = "websub"
    feed_id: int = Field(foreign_key="feed.id", primary_key=True)
    hub: str = Field(sa_type=Text)
    topic: str = Field(sa_type=Text)
    secret: str
    state: str = "wanted"
    act_at: datetime | None = Field(default=None, index=True)
    """When it is looked at next: to ask, to ask again, to renew."""
    asked_at: datetime | None = None
    lease_until: datetime | None = None
    failures: int = 0
    pushed_at: datetime | None = None
    why: str = Field(default="", sa_type=Text)


class FeedDay(SQLModel, table=True):
    """What a day (UTC) of polling a feed was like: polls that went well and badly, new items."""

    __tablename__ = "feed_day"
    feed_id: int = Field(foreign_key="feed.id", primary_key=True)
    day: date = Field(primary_key=True)
    ok: int = 0
    failed: int = 0
    items: int = 0


class HostRest(SQLModel, table=True):
    """A host that asked for a pause: none of its feeds and pages is fetched before ``until``."""

    __tablename__ = "host_rest"
    host: str = Field(primary_key=True)
    until: datetime
    why: str = Field(default="", sa_type=Text)


class Article(SQLModel, table=True):
    """An entry we keep: cleaned, one row per canonical URL."""

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(unique=True, sa_type=Text)
    title: str = Field(sa_type=Text)
    summary: str = Field(default="", sa_type=Text)
    text: str = Field(default="", sa_type=Text)
    author: str = ""
    reporter: str = ""
    source: str = ""
    tags: list[str] = Field(default_factory=list, sa_type=JSON)
    image: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    language: str = ""
    published_at: datetime = Field(index=True)
    first_seen_at: datetime
    feed_id: int = Field(foreign_key="feed.id", index=True)
    story_id: int | None = Field(default=None, foreign_key="story.id", index=True)


class ArticleFeed(SQLModel, table=True):
    """Which feeds carried an article, under which guid."""

    __tablename__ = "article_feed"
    feed_id: int = Field(foreign_key="feed.id", primary_key=True)
    article_id: int = Field(foreign_key="article.id", primary_key=True)
    guid: str = Field(default="", sa_type=Text)
    seen_at: datetime
    __table_args__ = (Index("ix_article_feed_guid", "feed_id", "guid"),)


class ArticleAddress(SQLModel, table=True):
    """Another address of an article: where feeds link to it, if its page names a better one."""

    __tablename__ = "article_address"
    url: str = Field(primary_key=True, sa_type=Text)
    article_id: int = Field(foreign_key="article.id", index=True)


class Story(SQLModel, table=True):
    """Identity of the coverage of one event; it lasts for days."""

    id: int | None = Field(default=None, primary_key=True)
    headline: str = Field(sa_type=Text)
    created_at: datetime
    last_article_at: datetime = Field(index=True)
    last_sent_at: datetime | None = None


class StoryRuleRow(SQLModel, table=True):
    """That an editor holds two articles to be ``together`` one story, or else two. Never changed; the newest holds."""

    __tablename__ = "story_rule"
    id: int | None = Field(default=None, primary_key=True)
    one_id: int = Field(foreign_key="article.id", index=True)
    other_id: int = Field(foreign_key="article.id", index=True)
    together: bool
    actor: str
    created_at: datetime


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


class QuoteRow(SQLModel, table=True):
    """The newest quote of a symbol; ``spec`` is a ``Quote``."""

    __tablename__ = "quote"
    symbol: str = Field(primary_key=True)
    position: int = 0
    spec: dict[str, Any] = Field(sa_type=JSON)
    as_of: datetime


class Media(SQLModel, table=True):
    """A picture we host: fetched, resized, kept under ``media/`` by the hash of its bytes."""

    source_url: str = Field(primary_key=True, sa_type=Text)
    name: str = ""
    width: int = 0
    height: int = 0
    bytes: int = 0
    error: str = ""
    fetched_at: datetime


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


class Suppression(SQLModel, table=True):
    """An address never to write to, by keyed hash, and why."""

    address_hash: str = Field(primary_key=True)
    reason: str
    detail: str = Field(default="", sa_type=Text)
    created_at: datetime


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


class TopicCorrection(SQLModel, table=True):
    """An editor's word that an article belongs to a topic, or that it does not; the newest counts."""

    __tablename__ = "topic_correction"
    topic: str = Field(primary_key=True)
    article_id: int = Field(foreign_key="article.id", primary_key=True, index=True)
    belongs: bool
    editor: str
    at: datetime
