"""What is gathered from: feeds, hubs, their health, and the hosts that asked for rest."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, Text
from sqlmodel import Field

from digest.store.tables.base import SQLModel


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
