"""feedparser within bounds: what would take it minutes is cut short before it starts.

Its parsers are used as classes, on text that is already decoded, so that two steps whose cost grows with the
square of a field's length (splitting an author's address, comparing categories) can be bounded.
"""

import contextlib
import io
import xml.sax
from dataclasses import dataclass
from typing import Any
from xml.sax.xmlreader import AttributesNSImpl

from feedparser.api import LooseFeedParser, StrictFeedParser

MAX_ENTRIES = 2_000
MAX_TAGS = 60
MAX_AUTHOR = 500
MAX_ATTRIBUTES = 200
MAX_DEPTH = 500
MAX_ELEMENTS = 100_000
"""Elements that are read; each costs the tolerant parser 15 µs and more. Feeds of 2,000 entries have half as many."""


class _EnoughError(Exception):
    """All entries that are wanted have been read."""


class _Bounded:
    """Mixed into both parsers of feedparser."""

    resolve_relative_uris = sanitize_html = False  # everything becomes plain text; both are slow
    # An id is an id: "post-17" must not become an address of whatever host the feed is fetched from today.
    can_be_relative_uri = LooseFeedParser.can_be_relative_uri - {"id"}
    entries: list[Any]
    elements = 0

    def _start_item(self, attrs: Any) -> None:
        if len(self.entries) >= MAX_ENTRIES:
            raise _EnoughError
        super()._start_item(attrs)  # type: ignore[misc]

    _start_entry = _start_product = _start_item

    def unknown_starttag(self, tag: str, attrs: Any) -> None:
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise _EnoughError
        super().unknown_starttag(tag, attrs[:MAX_ATTRIBUTES])  # type: ignore[misc]

    def _add_tag(self, term: Any, scheme: Any, label: Any) -> None:
        if len(self._get_context().get("tags", ())) < MAX_TAGS:  # type: ignore[attr-defined]
            super()._add_tag(term, scheme, label)  # type: ignore[misc]

    def _sync_author_detail(self, key: str = "author") -> None:
        context = self._get_context()  # type: ignore[attr-defined]
        detail = context.get(f"{key}s", [{}])[-1]
        author = context.get(key)
        if detail or not author:
            super()._sync_author_detail(key)  # type: ignore[misc]
            return
        # "ada@news.example (Ada Brandt)": feedparser's own pattern takes forever on long words, and breaks addresses
        # whose last label has more than four letters.
        words = author[:MAX_AUTHOR].split()
        context.setdefault(f"{key}_detail", detail)
        if name := " ".join(word for word in words if "@" not in word).strip("()<>,; "):
            detail["name"] = name
        if address := next((word.strip("()<>,;") for word in words if "@" in word), ""):
            detail["email"] = address


class _Strict(_Bounded, StrictFeedParser):  # type: ignore[misc]
    def startElementNS(self, name: Any, qname: Any, attrs: Any) -> None:  # noqa: N802  (SAX calls it so)
        if self.depth > MAX_DEPTH:
            raise _EnoughError
        super().startElementNS(name, qname, attrs if len(attrs) <= MAX_ATTRIBUTES else AttributesNSImpl({}, {}))


class _Loose(_Bounded, LooseFeedParser):  # type: ignore[misc]
    pass


@dataclass(frozen=True, slots=True)
class Reading:
    """What feedparser made of a document.

    Attributes:
        feed, entries: its dictionaries.
        line: where the document stops being well-formed XML, None if it is.
    """

    feed: Any
    entries: list[Any]
    line: int | None


def read(document: str, base: str) -> Reading:
    """Read a feed: strictly if it is well-formed, else tolerantly.

    Args:
        document: XML with a declaration that says UTF-8, without a document type.
        base: URL that relative links are seen from.
    """
    line = None
    parser: Any = _Strict(base, None, "utf-8")
    reader = xml.sax.make_parser()  # noqa: S317  (no document type gets here, so no entities)
    reader.setFeature(xml.sax.handler.feature_namespaces, True)
    reader.setFeature(xml.sax.handler.feature_external_ges, False)
    reader.setContentHandler(parser)
    reader.setErrorHandler(parser)
    try:
        with contextlib.suppress(_EnoughError):
            reader.parse(io.BytesIO(document.encode("utf-8")))
    except xml.sax.SAXException as error:
        line = getattr(error, "getLineNumber", lambda: 1)() or 1
        parser = _Loose(base, None, "utf-8", {})
        with contextlib.suppress(_EnoughError):
            parser.feed(document)
    return Reading(parser.feeddata, parser.entries, line)
