"""Usual RSS and Atom on the shortest way: one look at each element, then the entry.

Most feeds are made by a few publishing systems, and their items hold the same dozen elements, once each. This reads
what is written in that way. At the first thing that isn't usual it hands the whole feed to the longer way
(:mod:`digest.feeds.strict`), which gives the same values for more of what feeds may say.

Document types never get here (see :func:`digest.feeds.decode.xml_document`), so there are no entities to resolve.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import TreeBuilder
from xml.parsers.expat import ExpatError, ParserCreate

from digest.domain.content import Entry
from digest.feeds.bounded import MAX_ATTRIBUTES
from digest.feeds.entries import MAX_ENTRIES, language_tag
from digest.feeds.names import (
    BEGIN_ANEW,
    LENT,
    PREFIXES,
    SPACES,
    UnusualError,
    borrows,
    called,
    is_known,
    is_silent,
    known,
    leaves_nothing_in_feed,
    leaves_nothing_in_item,
)
from digest.feeds.strict_item import READERS, TYPES, fixed, may_need_mending
from digest.feeds.usual_item import Parts, entries_from
from digest.feeds.xhtml import XHTML, XHTML_TYPE, Slices

_XML = "http://www.w3.org/XML/1998/namespace}"
_DECLARATION = re.compile(r"""\sxmlns(?::([\w.-]+))?\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_START_TAG = re.compile(rb"""<(?!\?)[^\s/<>"']++(?:[^<>"']++|"[^"]*+"|'[^']*+')*+>""")
_DEEPEST = 250
_SHORT, _LONG, _MANY = 200, 4_000, 200
"""Characters of a name, and of a start tag, beyond which nothing is kept for the next document; and names that are kept."""
_PASS, _ALONE, _AUTHOR, _CATEGORY, _GROUP = "*pass", "*alone", "*author", "*category", "*group"
"""Elements that are passed over with all in them, those in which nothing may stand, and three that need a thought."""

# By feedparser's name of an item's element, where its text is noted. Twice the same note isn't usual.
_NOTED = {
    "title": "title", "guid": "guid", "id": "guid", "link": "link", "feedburner_origlink": "origin",
    "description": "description", "summary": "summary", "content_encoded": "encoded", "content": "content",
    "pubdate": "published", "published": "published", "issued": "published", "dcterms_issued": "published",
    "updated": "updated", "modified": "updated", "dc_date": "updated", "dcterms_modified": "updated",
    "dc_creator": _AUTHOR, "author": _AUTHOR, "category": _CATEGORY, "dc_subject": _CATEGORY,
    "media_content": "media_content", "media_thumbnail": "media_thumbnail", "media_credit": "media_credit",
    "media_group": _GROUP, "enclosure": "enclosure",
}  # fmt: skip
_TYPED = frozenset(("title", "description", "summary", "encoded", "content"))
_DECLARED = frozenset(("link", "media_content", "media_thumbnail", "media_credit", "enclosure"))
"""What may come more than once, and in whose attributes there is something to know."""
_PLAIN_NAMES = {
    "url", "href", "rel", "type", "title", "length", "width", "height", "medium", "label", "term", "scheme", "domain", "role", "filesize", "duration",
}  # fmt: skip
"""Attributes that are in lower case and need no thought."""
_NO_LINK = [("isPermaLink", "false")]
_OF_MEDIA = frozenset(("media_content", "media_thumbnail", "media_credit"))
_OF_AUTHOR = frozenset(("name", "email", "uri", "url", "homepage"))
_OF_FEED = {"title": "title", "dc_title": "title", "language": "language", "dc_language": "language", "ttl": "ttl"}


def read(document: bytes, url: str) -> tuple[dict[str, Any], list[Entry]] | None:
    """What the feed says of itself, as feedparser would word it, and its entries; None if it is not a usual one.

    Args:
        document: XML in UTF-8, without a document type; neither needs to be known for certain.
        url: that relative links are seen from.
    """
    try:
        reader = _Reader(document, url)
        reader.read(_tree(document))
    except (ExpatError, UnusualError, ValueError):
        return None
    return reader.said, reader.entries


def _tree(document: bytes) -> Any:
    """The tree of a document, a name as ``vocabulary}name``."""
    # What ElementTree's own parser does, but for texts that come in one piece, and not at every line and entity in pieces.
    parser, builder = ParserCreate("utf-8", "}"), TreeBuilder()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.data
    parser.Parse(document, True)
    return builder.close()


class _Reader:
    """One document."""

    def __init__(self, document: bytes, url: str) -> None:
        self.said: dict[str, Any] = {}
        self.entries: list[Entry] = []
        self._items: list[Parts] = []
        self._url = url
        self._document = document
        self._foreign: dict[str, str] | None = None  # prefixes by vocabulary
        self._declared: Sequence[tuple[str, str]] = ()  # prefixes and vocabularies, at the root
        self._atom = False
        self._names = _NAMES.copy()
        self._actions = _ACTIONS.copy()  # by tag of an item's element
        self._mends = may_need_mending(document)
        self._language = ""  # that the root declares for all texts

    def read(self, root: Any) -> None:
        self._xhtml = Slices(self._document, root, mends=self._mends)
        found = _START_TAG.search(self._document)  # not before it is known to be well-formed: it might take long
        start = found[0].decode() if found else ""
        self._declared, borrowed = _declarations(start) if len(start) < _LONG else _declarations.__wrapped__(start)
        if borrowed:
            raise UnusualError
        name = self._name(root.tag)
        if root.attrib:
            self._of_root(root.attrib, has_prefix=":" in start.split(None, 1)[0])
        if name == "feed":
            self._atom = True
            self._feed(root)
        elif name == "rss" and len(root) == 1 and self._name(root[0].tag) == "channel":
            _has_no_base(root[0].attrib, _XML)
            self._feed(root[0])
        else:
            raise UnusualError

    def _of_root(self, given: dict[str, str], *, has_prefix: bool) -> None:
        for name, value in given.items():
            if name == _XML + "lang":
                self._language = language_tag(value)
                if value and not has_prefix:
                    self._say_language(value.replace("_", "-"))
            elif name.lower() in ("base", "lang") or name.startswith(_XML):
                raise UnusualError

    def _name(self, tag: str) -> str:
        name = self._names.get(tag)
        if name is None:
            name = known(tag)
            if name is None:
                uri, _, local = tag.rpartition("}")
                name = called(uri, local, self._prefix_of(uri))
            else:
                _keep(_NAMES, tag, name)
            self._names[tag] = name
        return name

    def _prefix_of(self, uri: str) -> str | None:
        """What stands for the prefix of an unknown vocabulary, if it is sure to have one, and one that means nothing."""
        if not uri or uri.lower() in SPACES:
            return None
        if self._foreign is None:
            claimed = {
                uri for prefix, uri in self._declared if not prefix or (prefix in PREFIXES and prefix not in LENT)
            }
            self._foreign = {
                uri: prefix if prefix in LENT else "*" for prefix, uri in self._declared if uri not in claimed
            }
            if self._document.count(b"xmlns") != len(self._declared):  # elsewhere it may have another prefix
                self._foreign = {}
        return self._foreign.get(uri)

    def _feed(self, feed: Any) -> None:
        item = "entry" if self._atom else "item"
        names = self._names
        for child in feed:
            name = names.get(child.tag)
            if name is None:
                name = self._name(child.tag)
            if name != item:
                self._of_feed(name, child)
            elif child.attrib or len(self._items) >= MAX_ENTRIES:
                raise UnusualError
            else:
                self._items.append(self._item(child))
        if self._xhtml.is_left():
            raise UnusualError
        self.entries = entries_from(self._items, self._url, self._language, self.said.get("tag", ""))

    def _of_feed(self, name: str, element: Any) -> None:
        given = element.attrib
        if name in _OF_FEED or name.startswith("sy_"):
            name = _OF_FEED.get(name, name)
            if len(element) or (given and not (name == "title" and given.keys() == {"type"})):
                raise UnusualError
            text = fixed(element.text or "")
            if name == "language":
                self._say_language(text)
            elif name != "title":
                self.said[name] = text
            elif not self.said.get("title"):
                about = Parts(self._atom)
                about.typed("title", given.get("type"))
                about.said["title"] = text
                self.said |= {"title": text, "title_detail": {"type": about.kind("title", "text/plain")}}
        elif leaves_nothing_in_feed(name):
            self._pass_over(element)
        elif (name and not is_silent(name) and is_known(name)) or len(element):
            raise UnusualError
        else:
            _has_no_base(given)

    def _say_language(self, text: str) -> None:
        if self._items:  # they have been given another one
            raise UnusualError
        self.said |= {"language": text, "tag": language_tag(text)}

    def _item(self, element: Any) -> Parts:
        item = Parts(self._atom)
        said, terms, actions, mends = item.said, item.terms, self._actions, self._mends
        for child in element:
            action = actions.get(child.tag)
            if action is None:
                action = self._action(child.tag)
            if (given := child.items()) or len(child):
                self._with_more(action, child, given, item)
                continue
            text = child.text
            text = text.strip() if text else ""
            if mends and not text.isascii():
                text = fixed(text)
            if action is _CATEGORY:
                if text:
                    terms.append(text)
            elif action is _AUTHOR:
                item.author(text)
            elif action is _PASS or action is _ALONE or action is _GROUP:
                continue
            elif action not in said:
                said[action] = text
            else:
                raise UnusualError
        return item

    def _action(self, tag: str) -> str:
        action = _action_at(self._name(tag))
        if tag in _NAMES:
            _keep(_ACTIONS, tag, action)
        self._actions[tag] = action
        return action

    def _with_more(self, action: str, element: Any, raw: list[tuple[str, str]], item: Parts) -> None:
        """Note what an element says that has attributes, or elements in it."""
        if action is _PASS:
            self._pass_over(element)
            return
        if action == "guid" and raw == _NO_LINK and action not in item.said and not len(element):  # as most have it
            item.permanent = False
            item.said[action] = fixed(element.text or "")
            return
        given = _attributes(raw)
        if action is _AUTHOR and len(element):
            item.author({name: fixed(part.text or "") for name, part in self._of_author(element)})
            return
        if len(element) and action in XHTML and TYPES.get(given.get("type", "")) == XHTML_TYPE:
            if action in item.said:
                raise UnusualError
            item.said[action] = self._xhtml.next(element.tag)
            item.typed(action, XHTML_TYPE)
            return
        if len(element):
            if action is not _GROUP and action != "media_content":
                raise UnusualError
            self._in_media(element, item)
        if action is _GROUP:
            return
        text = fixed(element.text or "")
        if action in _DECLARED:
            item.declared(action, text, given, self._url)
        elif action is _CATEGORY:
            item.category(text, given)
        elif action in item.said:
            raise UnusualError
        elif action in _TYPED:
            if given.get("mode") == "base64":
                raise UnusualError
            item.typed(action, given.get("type"))
            item.said[action] = text
        elif action == "guid" and given.keys() == {"ispermalink"}:
            item.permanent = given["ispermalink"] == "true"
            item.said[action] = text
        elif action is not _ALONE:
            raise UnusualError

    def _in_media(self, element: Any, item: Parts) -> None:
        for part in element:
            name, given = self._name(part.tag), _attributes(part.items())
            if name == "media_content" and len(part):
                self._in_media(part, item)
            elif leaves_nothing_in_item(name):
                self._pass_over(part)
                continue
            elif len(part):
                raise UnusualError
            if name in _OF_MEDIA:
                item.declared(name, fixed(part.text or ""), given, self._url)
            elif name == "media_title" or name == "media_description":
                if given.get("mode") == "base64" or (name == "media_description" and name in item.said):
                    raise UnusualError
                if name == "media_description" and item.is_described():
                    name = "aside"
                item.typed(name, given.get("type"))
                item.said[name] = fixed(part.text or "")
            elif name:
                raise UnusualError

    def _of_author(self, element: Any) -> list[tuple[str, Any]]:
        found = []
        for part in element:
            name = self._name(part.tag)
            if not name and not len(part):  # of a vocabulary that nobody knows
                _has_no_base(part.attrib)
            elif name not in _OF_AUTHOR or len(part) or part.attrib:
                raise UnusualError
            else:
                found.append((name, part))
        return found

    def _pass_over(self, element: Any) -> None:
        _has_no_base(element.attrib)
        if not len(element):
            return
        level, depth = list(element), 0
        while level:
            for each in level:
                if self._name(each.tag) in BEGIN_ANEW or depth > _DEEPEST:
                    raise UnusualError
                _has_no_base(each.attrib)
            level, depth = [inner for each in level for inner in each], depth + 1


@lru_cache(maxsize=256)
def _declarations(start: str) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Prefixes and vocabularies that a start tag declares, and whether one is borrowed. Generators write the same each time."""
    found = tuple((prefix, one or other) for prefix, one, other in _DECLARATION.findall(start))
    return found, any(borrows(prefix or None, uri) for prefix, uri in found)


def _action_at(name: str) -> str:
    """What is done at an item's element."""
    if action := _NOTED.get(name):
        return action
    if leaves_nothing_in_item(name):
        return _PASS
    if name and (name in READERS or is_known(name)):
        raise UnusualError
    return _ALONE


# What is the same in every document, by tag: most feeds have the same two dozen.
_NAMES: dict[str, str] = {}
_ACTIONS: dict[str, str] = {}


def _keep(kept: dict[str, str], tag: str, found: str) -> None:
    if len(tag) < _SHORT:
        if len(kept) > _MANY:
            kept.clear()
        kept[tag] = found


def _attributes(raw: list[tuple[str, str]]) -> dict[str, str]:
    """Attributes as feedparser words them: names in lower case, two values as well."""
    if len(raw) > MAX_ATTRIBUTES:
        raise UnusualError
    given = dict(raw)
    if _PLAIN_NAMES.issuperset(given):
        if "type" in given:
            given["type"] = given["type"].lower()
        if "rel" in given:
            given["rel"] = given["rel"].lower()
        return given
    given = {}
    for name, value in raw:
        name = name.lower()
        if "}" in name or name == "base" or name == "lang":
            raise UnusualError
        given[name] = value.lower() if name == "rel" or name == "type" else value
    return given


def _has_no_base(given: dict[str, str], *more: str) -> None:
    """feedparser takes a plain ``base`` for ``xml:base`` wherever it stands."""
    for name in given:
        if name.lower() in ("base", "lang") or name.startswith(more):
            raise UnusualError
