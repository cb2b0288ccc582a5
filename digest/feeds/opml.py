"""OPML 2.0 (http://opml.org/spec2.opml): lists of feeds as other readers give and take them.

What OPML has no word for (weight, interval, rules …) stands in attributes of our own namespace, so that our own
lists come back whole, while other readers see a plain subscription list.
"""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from lxml import etree
from pydantic import TypeAdapter, ValidationError

from digest.domain.newsroom import FeedSpec
from digest.errors import ParseError
from digest.feeds.clean import one_line
from digest.feeds.decode import decode, xml_document
from digest.feeds.sitemap import xml_tree

NAMESPACE = "urn:newsletter-digest:feed"
MAX_OUTLINES = 20_000
_SPEC: TypeAdapter[FeedSpec] = TypeAdapter(FeedSpec)
_PLAIN = ("url", "name")


def read_opml(body: bytes) -> tuple[FeedSpec, ...]:
    """The feeds of a list, folders opened, each address once, in the list's order.

    Raises:
        ParseError: it is no OPML, or holds an entry of ours that was damaged.
    """
    root, document = xml_document(decode(body).lstrip("\ufeff \t\r\n\0"))
    if root != "opml":
        raise ParseError(f"this is no OPML: its root element is {f'<{root}>' if root else 'missing'}")
    specs: dict[str, FeedSpec] = {}
    for number, outline in enumerate(xml_tree(document).iter("outline", "{*}outline")):
        if number >= MAX_OUTLINES:
            raise ParseError(f"this list has more than {MAX_OUTLINES} entries")
        spec = _spec(outline)
        if spec is not None:
            specs.setdefault(spec.url, spec)
    return tuple(specs.values())


def write_opml(feeds: Iterable[FeedSpec], title: str = "") -> bytes:
    """The feeds as a list that :func:`read_opml` gives back equal."""
    root = etree.Element("opml", {"version": "2.0"}, nsmap={"digest": NAMESPACE})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = _legal(title or "Feeds")
    body = etree.SubElement(root, "body")
    for spec in feeds:
        more: dict[str, Any] = _SPEC.dump_python(spec, mode="json", exclude_defaults=True)
        attributes = {"text": spec.name, "title": spec.name, "type": "rss", "xmlUrl": spec.url}
        own = {name: value for name, value in more.items() if name not in _PLAIN}
        if own:
            # In ASCII: what XML can't hold (U+FFFE) comes back whole too.
            attributes[f"{{{NAMESPACE}}}spec"] = json.dumps(own, separators=(",", ":"))
        etree.SubElement(body, "outline", {name: _legal(value) for name, value in attributes.items()})
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return written


def _spec(outline: Any) -> FeedSpec | None:
    attributes = {str(name).rpartition("}")[2].lower(): value for name, value in outline.attrib.items()}
    url = (attributes.get("xmlurl") or "").strip()
    if url.startswith("feed:"):
        url = url.removeprefix("feed:").replace("//", "https://", 1) if url.startswith("feed://") else url[5:]
    if not url:
        return None
    parts = _parts(url)
    if parts is None:
        raise ParseError(f"{url[:200]!r} is no http or https address (line {outline.sourceline})")
    name = one_line(attributes.get("title") or attributes.get("text") or "") or parts
    own = outline.get(f"{{{NAMESPACE}}}spec")
    try:
        more = TypeAdapter(dict[str, Any]).validate_json(own) if own else {}
        return _SPEC.validate_python({**more, "url": url, "name": name})
    except ValidationError as error:
        raise ParseError(f"the entry of {url[:200]} was damaged: {error.errors()[0]['msg']}") from None


def _parts(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in ("http", "https") and parts.hostname else None


def _legal(text: str) -> str:
    """Without characters that no XML can hold."""
    return "".join(letter for letter in text if letter in "\t\n" or (letter >= " " and letter not in "\ufffe\uffff"))
