"""The fast way: well-formed RSS and Atom, read on lxml into the very values that feedparser would give.

feedparser takes a millisecond or more an item; this takes a few dozen microseconds. It reads only what it knows
for certain. Whatever is not well-formed, or merely unusual (markup where text belongs, base64, a prefix that
stands for something else, an element whose effect on feedparser isn't known here), it hands back unread, and
feedparser reads the whole document instead.

Document types never get here (see :func:`digest.feeds.decode.xml_document`), entities are not resolved, nothing
is loaded, and libxml2 itself bounds depth (256) and the length of a text (10 MB).
"""

import re
from collections.abc import Iterator
from typing import Any

from feedparser.api import StrictFeedParser
from feedparser.urls import make_safe_absolute_uri
from lxml import etree

from digest.domain.content import Entry
from digest.feeds import usual
from digest.feeds.entries import MAX_ENTRIES, language_tag
from digest.feeds.strict_item import READERS, Item, UnusualError, attributes, fixed, text_of

_XML = "{http://www.w3.org/XML/1998/namespace}"
_SPACES = {uri.lower(): prefix for uri, prefix in StrictFeedParser.namespaces.items()}
_PREFIXES = {prefix for prefix in _SPACES.values() if prefix}
# Whole vocabularies that say nothing of what an entry keeps.
_SILENT = {
    "slash", "wfw", "thr", "georss", "geo", "gml", "icbm", "psc", "trackback", "pingback", "admin", "prism", "cc",
    "creativeCommons", "taxo", "ss", "wiki", "sy", "rdf", "annotate", "ag", "foaf", "ev", "co", "fm", "ref", "sub",
}  # fmt: skip
# Elements of a channel or feed whose insides are about something else, and those that stay without effect.
_ASIDE = {
    "image", "textinput", "itunes_owner", "itunes_category", "author", "contributor", "cloud", "skiphours", "skipdays",
    "itunes_image", "subtitle", "description", "link", "category", "generator", "rights", "copyright", "docs", "logo",
    "icon", "id", "guid", "updated", "pubdate", "lastbuilddate", "managingeditor", "webmaster", "dc_creator", "dc_date",
    "dc_publisher", "dc_rights", "dc_description", "dc_subject", "published", "modified", "tagline", "rating", "info",
    "itunes_author", "itunes_summary", "itunes_subtitle", "itunes_keywords", "media_thumbnail", "media_keywords",
    "media_credit", "media_category", "media_rating", "media_description", "media_copyright", "items", "summary",
    "itunes_explicit", "itunes_block", "feedburner_browserfriendly", "dcterms_modified", "itunes_name", "itunes_email",
}  # fmt: skip
_KEPT = {"title", "dc_title", "language", "dc_language", "ttl"}
_PLAIN_BASE = re.compile(r"[ \n\t]base\s?=")


def read(document: str, url: str) -> tuple[dict[str, Any], list[dict[str, Any] | Entry]] | None:
    """What the feed says, and its items, as feedparser would word them; None if feedparser must be asked.

    Args:
        document: XML with a declaration that says UTF-8, without a document type.
        url: that relative links are seen from.
    """
    # feedparser takes it for xml:base wherever it stands
    if ("base=" in document or "base =" in document) and _PLAIN_BASE.search(document):
        return None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        return _Feed(url).read(etree.fromstring(document.encode("utf-8"), parser))
    except (etree.XMLSyntaxError, UnusualError, ValueError):
        return None


class _Feed:
    """One document."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.said: dict[str, Any] = {}
        self.items: list[dict[str, Any] | Entry] = []
        self._names: dict[str, str] = {}
        self._atom = False

    def read(self, root: Any) -> tuple[dict[str, Any], list[dict[str, Any] | Entry]]:
        for prefix, uri in root.nsmap.items():
            if prefix in _PREFIXES and _SPACES.get(uri.lower(), prefix) != prefix:
                raise UnusualError
        base, language = self._at(root, self.url, None)
        if language and root.prefix in (None, "rdf"):
            self.said["language"] = language.replace("_", "-")
        match self.name(root):
            case "rss":
                for child in root:
                    if self.name(child) != "channel" or len(root) != 1:
                        raise UnusualError
                    self._children(child, *self._at(child, base, language), ("item",))
            case "rdf_RDF" | "rdf_rdf":
                if any(uri.lower() == "http://www.w3.org/2005/atom" for uri in root.nsmap.values()):
                    raise UnusualError
                for child in root:
                    match self.name(child):
                        case "channel":
                            self._children(child, *self._at(child, base, language), ())
                        case "item":
                            self._item(child, base, language)
                        case "image" | "textinput":
                            self._no_items(child)
                        case _:
                            raise UnusualError
            case "feed":
                self._atom = True
                self._children(root, base, language, ("entry",))
            case _:
                raise UnusualError
        return self.said, self.items

    def name(self, element: Any) -> str:
        """How feedparser calls an element: ``dc_creator``, ``title``; "" if it belongs to no known vocabulary."""
        tag = element.tag
        name = self._names.get(tag)
        if name is None:
            uri, _, local = tag[1:].rpartition("}") if tag[0] == "{" else ("", "", tag)
            prefix = _SPACES.get(uri.lower()) if uri else ""
            if prefix is None:
                # A default vocabulary of its own, or one that borrows a well-known prefix.
                if element.prefix is None or element.prefix in _PREFIXES or "userland" in uri:
                    raise UnusualError
                name = ""
            else:
                name = f"{prefix}_{local.lower()}" if prefix else local.lower()
            self._names[tag] = name
        return name

    def _at(self, element: Any, base: str, language: str | None) -> tuple[str, str | None]:
        """Base address and language inside an element."""
        if not element.attrib:
            return base, language
        if element.get("lang") is not None:
            raise UnusualError
        own = element.get(_XML + "base")
        if own:
            base = (make_safe_absolute_uri(base, own) or base) if base else own
        said = element.get(_XML + "lang")
        return base, language if said is None else said or None

    def _children(self, parent: Any, base: str, language: str | None, items: tuple[str, ...]) -> None:
        for child in parent:
            name = self.name(child)
            if name in items:
                if len(self.items) >= MAX_ENTRIES:
                    return
                self._item(child, base, language)
            elif name in _KEPT:
                self._keep(name, child, *self._at(child, base, language))
            elif name.startswith("sy_"):
                self.said[name] = fixed(text_of(child))
            elif name in _ASIDE or name.partition("_")[0] in _SILENT:
                self._no_items(child)
            else:
                self._must_be_unknown(name, child)

    def _keep(self, name: str, element: Any, base: str, language: str | None) -> None:
        if name.endswith("title"):
            if not self.said.get("title"):
                about = Item(self._atom)
                about.title(element, base, language, 1, attributes(element.items()))
                self.said.update({key: about.said[key] for key in ("title", "title_detail")})
        else:
            self.said[name.removeprefix("dc_")] = fixed(text_of(element))

    def _no_items(self, element: Any) -> None:
        for inner in element.iterdescendants():
            if self.name(inner) in ("item", "entry", "channel", "feed", "ttl", "rss"):
                raise UnusualError

    def _must_be_unknown(self, name: str, element: Any) -> None:
        """Nobody knows this element, so nothing comes of it; nor of what is in it."""
        for each in element.iter():
            known = self.name(each)
            if known.partition("_")[0] in _SILENT or known == "":
                continue
            if known in ("authors", "links", "tags", "content", "item", "entry", "enclosures", "keywords") or hasattr(
                StrictFeedParser, f"_start_{known}"
            ):
                raise UnusualError
            if each is not element or known.endswith(("_detail", "_parsed")):
                raise UnusualError

    def _item(self, element: Any, base: str, language: str | None) -> None:
        if len(self.items) >= MAX_ENTRIES:
            return
        if not (self._atom or element.attrib or language or base != self.url) and (
            found := usual.entry(element, self._names, self.url, language_tag(self.said.get("language", "")))
        ):
            self.items.append(found)
            return
        item = Item(self._atom)
        base, language = self._at(element, base, language)
        if element.attrib:
            if about := element.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"):
                item.said["id"] = about
            if "href" in element.attrib or "lastmod" in element.attrib:
                raise UnusualError
        self._parts(item, element, base, language, 1)
        self.items.append(item.said)

    def _parts(self, item: Item, parent: Any, base: str, language: str | None, depth: int) -> None:
        known = self._names
        for child in parent:
            name = known.get(child.tag)
            if name is None:
                name = self.name(child)
            if read := READERS.get(name):
                if given := child.items():
                    own_base, own_language = self._at(child, base, language)
                    read(item, child, own_base, own_language, depth, attributes(given))
                else:
                    read(item, child, base, language, depth, {})
                if name == "media_content":
                    self._parts(item, child, base, language, depth + 1)
            elif name == "media_group":
                self._parts(item, child, *self._at(child, base, language), depth + 1)
            elif name in ("author", "itunes_author"):
                item.author(list(self._named(child)), child, depth)
            elif name in _ITEM_ASIDE or name.partition("_")[0] in _SILENT:
                self._no_items(child)
            else:
                self._must_be_unknown(name, child)

    def _named(self, element: Any) -> Iterator[tuple[str, str]]:
        for child in element:
            name = self.name(child)
            if name and (name not in ("name", "email", "uri", "url", "homepage") or len(child)):
                raise UnusualError
            if name:
                yield name, fixed(child.text or "")


_ITEM_ASIDE = {
    "source", "comments", "contributor", "generator", "rights", "copyright", "dc_publisher", "dc_rights", "dc_language",
    "language", "dc_contributor", "dc_format", "dc_identifier", "dc_source", "dc_type", "itunes_duration", "docs",
    "itunes_explicit", "itunes_block", "media_rating", "media_copyright", "media_text", "media_player", "ttl",
    "itunes_owner", "subtitle", "tagline", "itunes_subtitle", "media_restriction", "media_license", "rating", "icon", "logo", "webmaster",
}  # fmt: skip
