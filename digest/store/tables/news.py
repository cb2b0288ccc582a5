"""What was gathered: articles, stories, editors' rules for stories, corrections of topics, quotes and pictures."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field

from digest.store.tables.base import SQLModel


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
    """That an editor holds two articles to be ``together`` one story, or else two; the newest that wasn't revoked holds.

    ``step`` is the audit entry of the step that wrote it, with its other rules.
    """

    __tablename__ = "story_rule"
    id: int | None = Field(default=None, primary_key=True)
    one_id: int = Field(foreign_key="article.id", index=True)
    other_id: int = Field(foreign_key="article.id", index=True)
    together: bool
    actor: str
    created_at: datetime
    step: int | None = Field(default=None, index=True)
    revoked_at: datetime | None = None
    revoked_by: str = ""


class TopicCorrection(SQLModel, table=True):
    """An editor's word that an article belongs to a topic, or that it does not; the newest counts."""

    __tablename__ = "topic_correction"
    topic: str = Field(primary_key=True)
    article_id: int = Field(foreign_key="article.id", primary_key=True, index=True)
    belongs: bool
    editor: str
    at: datetime


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
