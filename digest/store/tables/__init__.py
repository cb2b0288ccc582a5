"""The tables. Rows never leave this room for ``curation`` or ``render``: seams in ``workflows`` turn them into values.

``datetime`` columns are aware UTC on both databases (SQLModel's UTCDateTime refuses naive values).
Things end with a reason and a date; they are not deleted.
"""

from digest.store.tables.desk import AuditEntry, Editor, SignIn
from digest.store.tables.ledger import CutRow, Delivery, LedgerRow, Notice, QueueRow, SentArticle, SentStory
from digest.store.tables.news import (
    Article,
    ArticleAddress,
    ArticleFeed,
    Media,
    QuoteRow,
    Story,
    StoryRuleRow,
    TopicCorrection,
)
from digest.store.tables.publishing import FragmentRow, Issue, ManifestRow, Newsletter, NewsroomItem, Placement, Topic
from digest.store.tables.readers import ChoiceSet, Subscriber, Subscription, Suppression
from digest.store.tables.sending import SendDay, SendLimit
from digest.store.tables.sources import Feed, FeedDay, HostRest, WebSub

__all__ = [
    "Article",
    "ArticleAddress",
    "ArticleFeed",
    "AuditEntry",
    "ChoiceSet",
    "CutRow",
    "Delivery",
    "Editor",
    "Feed",
    "FeedDay",
    "FragmentRow",
    "HostRest",
    "Issue",
    "LedgerRow",
    "ManifestRow",
    "Media",
    "Newsletter",
    "NewsroomItem",
    "Notice",
    "Placement",
    "QueueRow",
    "QuoteRow",
    "SendDay",
    "SendLimit",
    "SentArticle",
    "SentStory",
    "SignIn",
    "Story",
    "StoryRuleRow",
    "Subscriber",
    "Subscription",
    "Suppression",
    "Topic",
    "TopicCorrection",
    "WebSub",
]
