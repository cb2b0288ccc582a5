"""Bytes to entries: RSS 0.9x/1.0/2.0 and Atom 0.3/1.0 by feedparser, JSON Feed by :mod:`digest.feeds.jsonfeed`.

Nothing but :class:`ParseError` escapes, whatever the bytes; its message is for the editor who looks after the feed.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import unescape
from typing import Any

from digest.domain.content import Entry
from digest.errors import ParseError
from digest.feeds import bounded, dates, jsonfeed, strict, usual
from digest.feeds.clean import absolute_url, one_line, plain_text, registered_name
from digest.feeds.decode import decode, plain_document, xml_document
from digest.feeds.entries import MAX_BYTES, ParsedFeed, distinct, language_tag
from digest.feeds.making import Value, byline, entry_of, look_for_words, page_of

_PERIODS = {"hourly": 60, "daily": 1440, "weekly": 10_080, "monthly": 43_200, "yearly": 525_600}
_HEAD = 20_000
"""Bytes of a document in which the link to its site is looked for."""
_FIRST_ITEM = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s>]", re.IGNORECASE)
# <link>address</link> of RSS, or Atom's <link href="address"> that is no rel but alternate.
_SITE = re.compile(
    rb"<link>\s*(https?://[^<\s]{1,500})\s*</link>"
    rb"|<link(?=[^<>]*\brel=[\"']alternate[\"'])[^<>]*\bhref=[\"'](https?://[^\"'<>\s]{1,500})[\"']",
)
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
    try:
        plain = plain_document(body)
        if plain and (reading := usual.read(plain, seen_from(plain, url))):
            feed, entries = reading
            return ParsedFeed(_title_of(feed), tuple(entries), _ttl(feed))
        text = decode(body, content_type).lstrip("\ufeff \t\r\n\0")
        if not text:
            raise ParseError("the answer is empty")
        return jsonfeed.parse_json(text, url) if text[0] in "{[" else _parse_xml(text, url, plain)
    except ParseError:
        raise
    except Exception as error:  # feedparser lets through whatever malformed input causes
        raise ParseError(f"this feed can't be read ({type(error).__name__}: {error})"[:300]) from error


def _parse_xml(text: str, url: str, tried: bytes | None) -> ParsedFeed:
    root, document = xml_document(text)
    if root == "html":
        raise ParseError("this is a web page (HTML), not a feed: look for the feed's own address on that page")
    if not root:
        raise ParseError("this is neither XML nor JSON, so it is no feed")
    data = document.encode()
    url = seen_from(data, url)
    reading = _read(document, data, url, tried)
    language = language_tag(str(reading.feed.get("language") or ""))
    items = reading.entries
    entries = tuple(items if items and isinstance(items[0], Entry) else _entries(items, url, language))
    title = _title_of(reading.feed)
    if not entries and root not in _ROOTS:
        raise ParseError(f"this is XML, but no feed: its root element is <{root}>")
    if not entries and reading.line is not None and (not title or _FIRST_ITEM.search(data) or _is_cut(document)):
        raise ParseError(f"this feed isn't well-formed at line {reading.line}, and no item in it could be read")
    return ParsedFeed(title, entries, _ttl(reading.feed))


def _title_of(feed: Any) -> str:
    title = _named(feed, "title")
    return one_line(title.text if title.kind == "text/plain" else plain_text(title.text))


def _is_cut(document: str) -> bool:
    """Whether a document ends before its root element does."""
    return not re.search(r"</(?:\w+:)?(?:rss|feed|rdf|channel)\s*>\s*$", document[-200:], re.IGNORECASE)


def seen_from(document: bytes, url: str) -> str:
    """Where relative links are seen from: the feed's own address, or its site's if the feed lies at another host.

    Feeds that a service hands out (``feeds.service.example/abc``) mean their site when they link to ``/2026/story``.
    """
    first = _FIRST_ITEM.search(document, 0, _HEAD)
    found = _SITE.search(document, 0, first.start() if first else _HEAD)
    if found is None:
        return url
    link = (found[1] or found[2]).decode(errors="replace").strip()
    host = url[: url.find("/", len("https://")) + 1]
    if host and f"{link}/".startswith(host):  # as most do
        return url
    site = absolute_url(unescape(link), url)
    ours, theirs = registered_name(url), registered_name(site)
    return site if site and theirs and theirs != ours else url


def _read(document: str, data: bytes, url: str, tried: bytes | None) -> bounded.Reading:
    """Read a feed: on the shortest way if it is well-formed and usual, or on a fast one, else by feedparser.

    Args:
        data: the document in UTF-8.
        tried: what was tried on the shortest way, in vain: there's no use in trying the same again.
    """
    if not (tried and data.endswith(tried)) and (shortest := usual.read(data, url)):
        return bounded.Reading(*shortest, None)
    if fast := strict.read(data, url):
        return bounded.Reading(*fast, None)
    return bounded.read(document, url)


def _entries(items: Sequence[Any], feed_url: str, feed_language: str) -> Iterator[Entry]:
    """The entries of feedparser's items."""
    texts = [_texts(item) for item in items]
    look_for_words(text for title, contents, described in texts for text in (title, *contents, described))
    for item, (title, contents, described) in zip(items, texts, strict=True):
        link, links = item.get("link"), item.get("links", ())
        guid, original = str(item.get("id") or ""), item.get("feedburner_origlink")
        credited = item.get("media_credit") or [{}]
        pictures = [item["image"]] if item.get("image") else []
        yield entry_of(
            feed_url,
            guid=guid,
            url=page_of(feed_url, guid=guid, link=link, original=original, links=links),
            title=title,
            texts=contents,
            described=described,
            author=_author(item),
            published_at=_moment(dict.get(item, "published_parsed") or dict.get(item, "created_parsed")),
            updated_at=_moment(dict.get(item, "updated_parsed")),
            tags=distinct(str(tag.get("label") or tag.get("term") or "") for tag in item.get("tags", ())),
            media=(
                item.get("media_content", ()),
                [{"medium": "image", **each} for each in item.get("media_thumbnail", ())],
                [each for each in links if each.get("rel") == "enclosure"],
                [{"medium": "image", **each} for each in pictures],
            ),
            credit=str(credited[0].get("content") or ""),
            language=language_tag(str((item.get("title_detail") or {}).get("language") or "")) or feed_language,
        )


def _texts(item: Any) -> tuple[Value, list[Value], Value]:
    """Title, contents, and what describes the item: one of the contents if it says the same."""
    detail = item.get("summary_detail") or {}
    value, kind = item.get("summary") or "", detail.get("type") or "text/html"
    if detail.get("value", value) != value:  # what is said of another text, a picture's description most likely
        kind = "text/html"
    contents = [
        Value(each.get("value") or "", each.get("type") or "", each.get("base")) for each in item.get("content", ())
    ]
    same = next((text for text in contents if text.text == value and text.kind == kind), None)
    return _named(item, "title"), contents, same or Value(value, kind, detail.get("base"))


def _moment(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else dates.of_struct(value)


def _named(thing: Any, name: str) -> Value:
    detail = thing.get(f"{name}_detail") or {}
    return Value(str(thing.get(name) or ""), detail.get("type") or "text/plain", None)


def _author(item: Any) -> str:
    names = [str(author.get("name") or "") for author in item.get("authors", ())]
    names = [name for name in names if name] or [str(item.get("author") or "")]
    return byline(names)


def _ttl(feed: Any) -> int | None:
    ttl = str(feed.get("ttl") or "").strip()
    if ttl.isdecimal():
        return min(int(ttl[:9]), 525_600) or None
    period = _PERIODS.get(str(feed.get("sy_updateperiod") or "").strip().lower())
    frequency = str(feed.get("sy_updatefrequency") or "1").strip()
    return max(1, period // max(1, int(frequency[:6]) if frequency.isdecimal() else 1)) if period else None
