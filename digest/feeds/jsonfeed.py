"""JSON Feed 1.0 and 1.1 (https://jsonfeed.org/version/1.1), read tolerantly: types are checked field by field."""

import json
from collections.abc import Iterable
from typing import Any

from digest.domain.content import Entry
from digest.errors import ParseError
from digest.feeds import dates
from digest.feeds.clean import absolute_url, one_line, plain_text, registered_name
from digest.feeds.entries import (
    CONTENT_LENGTH,
    MAX_ENTRIES,
    ParsedFeed,
    distinct,
    guid_of,
    language_tag,
    summary_of,
    title_of,
)
from digest.feeds.images import first_image, image


def parse_json(text: str, url: str) -> ParsedFeed:
    """The entries of a JSON Feed.

    Raises:
        ParseError: it isn't valid JSON, or is JSON of another kind.
    """
    try:
        feed = json.loads(text.lstrip("\ufeff \t\r\n"))
    except json.JSONDecodeError as error:
        raise ParseError(f"this isn't valid JSON at line {error.lineno}: {error.msg}") from None
    except (RecursionError, ValueError):
        raise ParseError("this JSON can't be read: it is nested too deeply or holds a giant number") from None
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        raise ParseError("this is JSON, but no JSON Feed: it has no list of items")
    language = language_tag(_string(feed, "language"))
    site = absolute_url(_string(feed, "home_page_url"), url)
    if site and registered_name(site) != registered_name(url):
        url = site  # a feed that somebody else hands out links to its own site
    entries = (_entry(item, url, feed, language) for item in items[:MAX_ENTRIES] if isinstance(item, dict))
    return ParsedFeed(one_line(_string(feed, "title")), tuple(entries))


def _entry(item: dict[str, Any], feed_url: str, feed: dict[str, Any], language: str) -> Entry:
    url = absolute_url(_string(item, "url"), feed_url) or absolute_url(_string(item, "external_url"), feed_url)
    if not url and _string(item, "id").startswith(("http://", "https://")):
        url = absolute_url(_string(item, "id"), feed_url)
    base, html = url or feed_url, _string(item, "content_html")
    content = plain_text(html) or _paragraphs(_string(item, "content_text"))
    summary = one_line(_string(item, "summary"))
    if not summary:
        summary = one_line(content)
        content = content if len(content) > CONTENT_LENGTH else ""
    picture = image(_string(item, "image"), base) or image(_string(item, "banner_image"), base)
    return Entry(
        guid=guid_of(_string(item, "id")),
        url=url,
        title=title_of(_string(item, "title")),
        summary=summary_of(summary),
        content=content,
        author=", ".join(distinct(_authors(item) or _authors(feed)))[:300],
        published_at=dates.of_text(_string(item, "date_published")),
        updated_at=dates.of_text(_string(item, "date_modified")),
        tags=distinct(tag for tag in _list(item, "tags") if isinstance(tag, str)),
        image=picture or first_image(html, base),
        language=language_tag(_string(item, "language")) or language,
    )


def _authors(thing: dict[str, Any]) -> list[str]:
    """Names: ``authors`` of version 1.1, or ``author`` of version 1.0."""
    people: Iterable[Any] = _list(thing, "authors") or [thing.get("author")]
    return [_string(person, "name") for person in people if isinstance(person, dict) and _string(person, "name")]


def _paragraphs(text: str) -> str:
    return "\n\n".join(line for part in text.split("\n\n") if (line := one_line(part)))


def _string(thing: dict[str, Any], name: str) -> str:
    """A field as text. Ids are sometimes numbers (the specification: "coerce to a string")."""
    value = thing.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _list(thing: dict[str, Any], name: str) -> list[Any]:
    value = thing.get(name)
    return value if isinstance(value, list) else []
