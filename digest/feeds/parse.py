"""Bytes to entries: RSS 0.9x/1.0/2.0 and Atom 0.3/1.0 by feedparser, JSON Feed by :mod:`digest.feeds.jsonfeed`.

Nothing but :class:`ParseError` escapes, whatever the bytes; its message is for the editor who looks after the feed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from digest.domain.content import Entry, Image
from digest.errors import ParseError
from digest.feeds import bounded, dates, jsonfeed, strict
from digest.feeds.clean import absolute_url, one_line, plain_text
from digest.feeds.decode import decode, xml_document
from digest.feeds.entries import (
    CONTENT_LENGTH,
    MAX_BYTES,
    ParsedFeed,
    distinct,
    guid_of,
    language_tag,
    summary_of,
    title_of,
)
from digest.feeds.images import best_of_media, first_image

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_PERIODS = {"hourly": 60, "daily": 1440, "weekly": 10_080, "monthly": 43_200, "yearly": 525_600}
_ROOTS = ("rss", "rdf", "feed", "channel")


def parse(body: bytes, content_type: str, url: str) -> ParsedFeed:
    """The entries of a feed.

    Args:
        body: as fetched, decompressed.
        content_type: the HTTP header; only its charset matters, and only if the bytes agree.
        url: the final URL, against which relative links resolve.

    Raises:
        ParseError: it is no feed, or one that is refused; says why.
    """
    if len(body) > MAX_BYTES:
        raise ParseError(f"the feed is larger than {MAX_BYTES // 1_000_000} MB")
    text = decode(body, content_type).lstrip("\ufeff \t\r\n\0")
    if not text:
        raise ParseError("the answer is empty")
    return jsonfeed.parse_json(text, url) if text[0] in "{[" else _parse_xml(text, url)


def _parse_xml(text: str, url: str) -> ParsedFeed:
    root, document = xml_document(text)
    if root == "html":
        raise ParseError("this is a web page (HTML), not a feed: look for the feed's own address on that page")
    if not root:
        raise ParseError("this is neither XML nor JSON, so it is no feed")
    try:
        reading = _read(document, url)
        language = language_tag(str(reading.feed.get("language") or ""))
        entries = tuple(_entry(item, url, language) for item in reading.entries)
        title, ttl = _text(reading.feed, "title"), _ttl(reading.feed)
    except Exception as error:  # feedparser lets through whatever malformed input causes
        raise ParseError(f"this feed can't be read ({type(error).__name__}: {error})"[:300]) from error
    if not entries and root not in _ROOTS:
        raise ParseError(f"this is XML, but no feed: its root element is <{root}>")
    if not entries and not title and reading.line is not None:
        raise ParseError(f"this feed isn't well-formed at line {reading.line}, and nothing in it could be read")
    return ParsedFeed(title, entries, ttl)


def _read(document: str, url: str) -> bounded.Reading:
    """Read a feed: on the fast way if it is well-formed and usual, else by feedparser."""
    if fast := strict.read(document, url):
        return bounded.Reading(*fast, None)
    return bounded.read(document, url)


def _entry(item: Any, feed_url: str, feed_language: str) -> Entry:
    url = _link(item, feed_url)
    base = url or feed_url
    detail = item.get("summary_detail") or {}
    value, kind = item.get("summary") or "", detail.get("type") or "text/html"
    texts = [
        _Text(each.get("value") or "", each.get("type") or "", each.get("base")) for each in item.get("content", ())
    ]
    content = max((text.words for text in texts), key=len, default="")
    same = next((text for text in texts if text.value == value and text.kind == kind), None)
    described = same or _Text(value, kind, detail.get("base"))
    summary = described.words
    if not content and len(summary) > CONTENT_LENGTH:
        content = summary
    # feedparser reports xml:base, or else the feed's own address; links then belong to the item's page.
    markup = [
        (text, base if text.base in (None, "", feed_url) else absolute_url(text.base, base) or base)
        for text in (texts if same else (*texts, described))
    ]
    return Entry(
        guid=guid_of(str(item.get("id") or "")),
        url=url,
        title=title_of(_text(item, "title")),
        summary=summary_of(summary),
        content=content,
        author=_author(item),
        published_at=_moment(dict.get(item, "published_parsed") or dict.get(item, "created_parsed")),
        updated_at=_moment(dict.get(item, "updated_parsed")),
        tags=distinct(str(tag.get("label") or tag.get("term") or "") for tag in item.get("tags", ())),
        image=_image(item, base, markup),
        language=language_tag(str((item.get("title_detail") or {}).get("language") or "")) or feed_language,
    )


def _moment(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else dates.of_struct(value)


class _Text:
    """A value with its media type and base address; its words are looked for once.

    Attributes:
        words: plain text, paragraphs separated by blank lines.
    """

    __slots__ = ("base", "kind", "value", "words")

    def __init__(self, value: str, kind: str, base: str | None) -> None:
        self.value, self.kind, self.base = value, kind, base
        self.words = _words(value, kind) if value else ""


def _words(value: str, kind: str) -> str:
    if kind != "text/plain":
        return plain_text(value)
    if "\n" not in value:
        return one_line(value)
    return "\n\n".join(line for part in re.split(r"\n\s*\n", value) if (line := one_line(part)))


def _text(thing: Any, name: str) -> str:
    detail = thing.get(f"{name}_detail") or {}
    return one_line(_words(str(thing.get(name) or ""), detail.get("type") or "text/plain"))


def _link(item: Any, feed_url: str) -> str:
    """The item's own page: what stands behind a proxy's link, the link, an id that is one, or another link."""
    links = item.get("links", ())
    guid = str(item.get("id") or "")
    link = item.get("link")
    if link == guid and "/" not in guid:  # an id that the feed forgot to say is no link (RSS 2.0, isPermaLink)
        link = ""
    chosen = [item.get("feedburner_origlink"), link]
    chosen += [each.get("href") for each in links if each.get("rel") == "alternate"]
    chosen += [guid if guid.startswith(("http://", "https://")) else ""]
    chosen += [each.get("href") for each in links if each.get("rel") in ("enclosure", "related", "via")]
    return next((url for each in chosen if (url := absolute_url(str(each or ""), feed_url))), "")


def _author(item: Any) -> str:
    names = [str(author.get("name") or "") for author in item.get("authors", ())]
    names = [name for name in names if name] or [str(item.get("author") or "")]
    if len(names) == 1 and not names[0]:
        return ""
    return ", ".join(distinct("" if _EMAIL.fullmatch(name.strip()) else name for name in names))[:300]


def _image(item: Any, base: str, markup: Iterable[tuple[_Text, str]]) -> Image | None:
    """The picture that the item declares (with the alt text that its own markup gives it), or its first one."""
    credited = item.get("media_credit") or [{}]
    credit = str(credited[0].get("content") or "")
    inline = next((found for text, own in markup if (found := first_image(text.value, own))), None)
    pictures = [item["image"]] if item.get("image") else []
    declared: tuple[Iterable[Mapping[str, Any]], ...] = (
        item.get("media_content", ()),
        [{"medium": "image", **each} for each in item.get("media_thumbnail", ())],
        [link for link in item.get("links", ()) if link.get("rel") == "enclosure"],
        [{"medium": "image", **each} for each in pictures],
    )
    for media in declared:
        if media and (found := best_of_media(media, base, credit=credit)):
            same = inline is not None and _name(inline.url) == _name(found.url)
            return replace(found, alt=inline.alt) if inline is not None and same else found
    return inline


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def _ttl(feed: Any) -> int | None:
    ttl = str(feed.get("ttl") or "").strip()
    if ttl.isdecimal():
        return min(int(ttl[:9]), 525_600) or None
    period = _PERIODS.get(str(feed.get("sy_updateperiod") or "").strip().lower())
    frequency = str(feed.get("sy_updatefrequency") or "1").strip()
    return max(1, period // max(1, int(frequency[:6]) if frequency.isdecimal() else 1)) if period else None
