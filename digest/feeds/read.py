"""The one seam between a source's kind and the code that reads it.

What reads the rarer kinds is imported when there is one: a process that reads beside a gather then starts sooner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from digest.domain.content import Entry
from digest.domain.newsroom import EventSpec, FeedKind
from digest.domain.source_rules import JsonRules, PageRules
from digest.errors import ParseError
from digest.feeds.entries import ParsedFeed
from digest.feeds.hubs import Hub, hub_of
from digest.feeds.parse import parse

FEED_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json;q=0.9, application/json;q=0.8, "
    "application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1"
)
PAGE_ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
_ACCEPT: dict[str, str] = {
    "sitemap": "application/xml, text/xml;q=0.9, */*;q=0.1",
    "page": PAGE_ACCEPT,
    "json": "application/json, */*;q=0.1",
    "events": "text/calendar, */*;q=0.1",
}


class Source(Protocol):
    """What must be known of a source to read it: a ``FeedSpec`` is one."""

    @property
    def kind(self) -> FeedKind: ...
    @property
    def page(self) -> PageRules | None: ...
    @property
    def json(self) -> JsonRules | None: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source says.

    Attributes:
        title: its own name, "" if it gives none.
        entries: of every kind but ``events``, whose are ``events``.
        ttl_minutes: the pause that it asks for, if it does.
        hub: where it can be had by push.
    """

    title: str = ""
    entries: tuple[Entry, ...] = ()
    events: tuple[EventSpec, ...] = ()
    ttl_minutes: int | None = None
    hub: Hub | None = None


def accept(kind: str) -> str:
    """The Accept header for a source of that kind."""
    return _ACCEPT.get(kind, FEED_ACCEPT)


def read(
    source: Source,
    body: bytes,
    content_type: str,
    url: str,
    *,
    now: datetime,
    headers: Mapping[str, str] | None = None,
) -> Reading:
    """What the bytes say, read as the source's kind asks for.

    Args:
        url: the final URL, against which relative links resolve.
        now: repeated events are followed from here on.
        headers: of the answer, where a hub may be named.

    Raises:
        ParseError: they are something else; says what, and what to do.
    """
    match source.kind:
        case "sitemap":
            from digest.feeds.sitemap import parse_sitemap

            return _of(parse_sitemap(body, content_type, url))
        case "page":
            from digest.feeds.page_rules import parse_page

            if source.page is None:
                raise ParseError("a source of kind page needs rules: write [feeds.page] with item, title and link")
            return _of(parse_page(body, content_type, url, source.page))
        case "json":
            from digest.feeds.json_path import parse_json_by

            if source.json is None:
                raise ParseError("a source of kind json needs paths: write [feeds.json] with items, title and link")
            return _of(parse_json_by(body, content_type, url, source.json))
        case "events":
            from digest.feeds.calendar import parse_calendar

            return Reading(events=parse_calendar(body, content_type, url, today=now.date()))
        case "feed":
            feed = parse(body, content_type, url)
            return _of(feed, hub_of(body, content_type, url, headers or {}))
        case "quotes":
            raise ParseError("quotes are read by their provider")


def _of(feed: ParsedFeed, hub: Hub | None = None) -> Reading:
    return Reading(feed.title, feed.entries, ttl_minutes=feed.ttl_minutes, hub=hub)
