"""The fast way: well-formed RSS and Atom, read on lxml into the very values that feedparser would give.

feedparser takes a millisecond or more an item; this takes a few dozen microseconds. It reads only what it knows
for certain. Whatever is not well-formed, or merely unusual (markup where text belongs, base64, a prefix that
stands for something else, an element whose effect on feedparser isn't known here), it hands back unread, and
feedparser reads the whole document instead.

Document types never get here (see :func:`digest.feeds.decode.xml_document`), entities are not resolved, nothing
is loaded, and libxml2 itself bounds depth (256) and the length of a text (10 MB).
"""

from collections.abc import Iterator
from typing import Any

from feedparser.urls import make_safe_absolute_uri
from lxml import etree

from digest.feeds import names
from digest.feeds.entries import MAX_ENTRIES
from digest.feeds.names import UnusualError
from digest.feeds.strict_item import READERS, Item, attributes, fixed, text_of

_XML = "{http://www.w3.org/XML/1998/namespace}"
_KEPT = {"title", "dc_title", "language", "dc_language", "ttl"}
_PLAIN_BASE = etree.XPath("boolean(//@base)")


def read(document: bytes, url: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """What the feed says, and its items, as feedparser would word them; None if feedparser must be asked.

    Args:
        document: XML in UTF-8, with a declaration that says so, without a document type.
        url: that relative links are seen from.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(document, parser)
        if _PLAIN_BASE(root):  # feedparser takes it for xml:base wherever it stands
            return None
        return _Feed(url, document).read(root)
    except (etree.XMLSyntaxError, UnusualError, ValueError):
        return None


class _Feed:
    """One document."""

    def __init__(self, url: str, document: bytes) -> None:
        self.url = url
        self._document = document
        self._lent: dict[str, str] = {}
        self.said: dict[str, Any] = {}
        self.items: list[dict[str, Any]] = []
        self._names: dict[str, str] = {}
        self._atom = False

    def read(self, root: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        for prefix, uri in root.nsmap.items():
            if names.borrows(prefix, uri):
                raise UnusualError
            if prefix in names.LENT and self._document.count(f"xmlns:{prefix}".encode()) == 1:
                self._lent[prefix] = uri
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
            prefix = element.prefix
            if prefix in names.LENT and uri.lower() not in names.SPACES and self._lent.get(prefix) != uri:
                raise UnusualError  # who knows what else it has stood for
            name = names.called(uri, local, prefix)
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
            elif names.leaves_nothing_in_feed(name):
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
            if self.name(inner) in names.BEGIN_ANEW:
                raise UnusualError

    def _must_be_unknown(self, name: str, element: Any) -> None:
        """Nobody knows this element, so nothing comes of it; nor of what is in it."""
        for each in element.iter():
            known = self.name(each)
            if known == "" or names.is_silent(known):
                continue
            if each is not element or names.is_known(known):
                raise UnusualError

    def _item(self, element: Any, base: str, language: str | None) -> None:
        if len(self.items) >= MAX_ENTRIES:
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
            elif names.leaves_nothing_in_item(name):
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
