"""feedparser within bounds: what would take it minutes is cut short before it starts.

Its parsers are used as classes, on text that is already decoded, so that two steps whose cost grows with the
square of a field's length (splitting an author's address, comparing categories) can be bounded.
"""

import contextlib
import io
import xml.sax
from dataclasses import dataclass
from typing import Any

from feedparser.api import LooseFeedParser, StrictFeedParser

MAX_ENTRIES = 2_000
MAX_TAGS = 60
MAX_AUTHOR = 500
MAX_ATTRIBUTES = 200


class _EnoughError(Exception):
    """All entries that are wanted have been read."""


class _Bounded:
    """Mixed into both parsers of feedparser."""

    resolve_relative_uris = sanitize_html = False  # everything becomes plain text; both are slow
    entries: list[Any]

    def _start_item(self, attrs: Any) -> None:
        if len(self.entries) >= MAX_ENTRIES:
            raise _EnoughError
        super()._start_item(attrs)  # type: ignore[misc]

    _start_entry = _start_product = _start_item

    def unknown_starttag(self, tag: str, attrs: Any) -> None:
        super().unknown_starttag(tag, attrs[:MAX_ATTRIBUTES])  # type: ignore[misc]

    def _add_tag(self, term: Any, scheme: Any, label: Any) -> None:
        if len(self._get_context().get("tags", ())) < MAX_TAGS:  # type: ignore[attr-defined]
            super()._add_tag(term, scheme, label)  # type: ignore[misc]

    def _sync_author_detail(self, key: str = "author") -> None:
        context = self._get_context()  # type: ignore[attr-defined]
        if len(context.get(key) or "") > MAX_AUTHOR:
            context[key] = context[key][:MAX_AUTHOR]
        super()._sync_author_detail(key)  # type: ignore[misc]


class _Strict(_Bounded, StrictFeedParser):  # type: ignore[misc]
    pass


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
