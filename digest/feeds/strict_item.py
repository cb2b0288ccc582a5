"""One item on the fast way: every element leaves behind what it would leave in feedparser's dictionary."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin
from xml.sax.saxutils import escape

from feedparser.api import StrictFeedParser
from lxml import etree

from digest.feeds import dates
from digest.feeds.bounded import MAX_ATTRIBUTES, MAX_AUTHOR, MAX_TAGS
from digest.feeds.names import UnusualError

TYPES = {
    "text": "text/plain",
    "plain": "text/plain",
    "text/plain": "text/plain",
    "html": "text/html",
    "text/html": "text/html",
    "xhtml": "application/xhtml+xml",
    "application/xhtml+xml": "application/xhtml+xml",
}
MARKUP = ("text/html", "application/xhtml+xml")
_BEYOND = re.compile("[^\x00-\xff]")
_C1 = re.compile("[\x80-\x9f]")
_REFERENCE = re.compile(rb"&#(?:0*[12]\d\d|x0*[89A-Fa-f][0-9A-Fa-f]);")  # to one of those, or nearly so
_CONTROL, _TWICE = re.compile(rb"\xc2[\x80-\x9f]"), re.compile(rb"\xc3[\x82-\xb4]\xc2")
_WINDOWS = {code: bytes([code]).decode("windows-1252", "ignore") or chr(code) for code in range(0x80, 0xA0)}
SIMPLE_URL = re.compile(
    r"https?://[A-Za-z0-9][A-Za-z0-9.-]*+(?:/[A-Za-z0-9_.~!$&'()*+,=:@%/-]*+)?+(?:\?[A-Za-z0-9_.~&+=%/:-]++)?+"
)
_EXTRA_SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)/+")
_NAMED = re.compile("&([A-Za-z0-9_]+);")

Reader = Callable[["Item", Any, str, str | None, int, dict[str, str]], None]
"""Reads an element: base address, language, depth below the item, attributes."""


def text_of(element: Any) -> str:
    """The text of an element that holds nothing else."""
    if len(element):
        raise UnusualError
    return element.text or ""


def attributes(found: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Attributes without a vocabulary, as feedparser words them: names in lower case, two values as well."""
    if len(found) > MAX_ATTRIBUTES:
        raise UnusualError
    named = {}
    for key, value in found:
        if key[0] != "{":
            key = key.lower()
            named[key] = value.lower() if key in ("rel", "type") else value
        elif not key.startswith(("{http://www.w3.org/XML/", "{http://www.w3.org/1999/02/22-rdf")):
            raise UnusualError
    return named


def fixed(text: str) -> str:
    """``text`` without white space around it, and with the two mends that feedparser makes to every value."""
    text = text.strip()
    if text.isascii() or not _needs_mending(text.encode(errors="surrogatepass")):
        return text
    if not _BEYOND.search(text):
        with suppress(UnicodeError):  # UTF-8 that somebody took for ISO 8859-1 and encoded again
            text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_WINDOWS) if _C1.search(text) else text


def may_need_mending(document: bytes) -> bool:
    """Whether :func:`fixed` may have anything to mend in a document's texts (or only white space to take away)."""
    return bool(_REFERENCE.search(document)) or (not document.isascii() and _needs_mending(document))


def _needs_mending(data: bytes) -> bool:
    """Whether a text may hold a C1 control, or UTF-8 taken for something else: told in UTF-8, without a look at each letter."""
    return b"\xc2" in data and bool(_CONTROL.search(data) or _TWICE.search(data))


def joined(base: str, url: str) -> str:
    """``url`` seen from ``base``."""
    if SIMPLE_URL.fullmatch(url):
        return url
    try:
        return urljoin(base, _EXTRA_SLASHES.sub(r"\1", url))
    except ValueError:
        return ""


def relinked(base: str, url: str) -> str:
    """A link that stands as a text, as feedparser mends it."""
    return _NAMED.sub(r"&\1", fixed(joined(base, url)).replace("&amp;", "&"))


def name_in(text: str) -> str:
    """Somebody's name, of a text that may hold an address as well."""
    words = text[:MAX_AUTHOR].split()
    return " ".join(word for word in words if "@" not in word).strip("()<>,; ")


class Item:
    """What has been read of one item.

    Attributes:
        said: feedparser's dictionary, as far as entries are made of it.
    """

    __slots__ = ("_atom", "_depths", "_has_content", "_title_depth", "said")

    def __init__(self, atom: bool) -> None:
        self.said: dict[str, Any] = {}
        self._atom = atom
        self._depths: dict[str, int] = {}
        self._has_content = False
        self._title_depth = -1

    def _store(self, key: str, value: Any, depth: int) -> None:
        if depth <= self._depths.get(key, depth):
            self._depths[key] = depth
            self.said[key] = value

    def _construct(
        self, element: Any, base: str, language: str | None, given: Mapping[str, str], usual: str
    ) -> dict[str, Any]:
        """A text with its type: plain, escaped markup, or XHTML."""
        kind = TYPES.get(given.get("type", usual), "")
        if not kind or given.get("mode") == "base64":
            raise UnusualError
        if kind != "application/xhtml+xml":
            value = text_of(element)
        elif len(element):
            value = _inner(element)
        else:
            value = escape(element.text or "")
        value = fixed(value)
        if kind == "text/plain" and not self._atom and looks_like_html(value):
            kind = "text/html"
        return {"type": kind, "language": language and language.replace("_", "-"), "base": base, "value": value}

    def title(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``title``, ``dc:title``: the first that isn't empty."""
        detail = self._construct(element, base, language, given, "text/plain")
        if not -1 < self._title_depth <= depth:
            self._store("title", detail["value"], depth)
            self.said["title_detail"] = detail
        if detail["value"]:
            self._title_depth = depth

    def media_title(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``media:title``: gives way to a title that comes later."""
        before = self._title_depth
        self.title(element, base, language, depth, given)
        self._title_depth = before

    def link(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``link`` of Atom (an attribute) and RSS (a text)."""
        rel, kind = given.get("rel", "alternate"), given.get("type", "text/html")
        if given.get("href") == "":
            raise UnusualError
        links = self.said.setdefault("links", [])
        if href := given.get("url") or given.get("uri") or given.get("href"):
            if len(element):
                raise UnusualError
            href = joined(base, href)
            links.append({"rel": rel, "href": href})
            if rel == "alternate" and TYPES.get(kind) in MARKUP:
                self.said["link"] = href
            return
        url = fixed(text_of(element))
        if url:
            url = relinked(base, url)
        self.said["link"] = url
        links.append({"rel": rel, "href": url} if url else {"rel": rel})

    def guid(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``guid`` and ``id``: stands for the link until there is one."""
        value = fixed(text_of(element))
        self._store("id", value, depth)
        if given.get("ispermalink", "true") == "true":
            self.said.setdefault("link", value)

    def described(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``description``: HTML; the second one is the content."""
        self._summary(element, base, language, depth, given, "text/html")

    def summary(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``summary``, ``itunes:summary``: plain unless it says otherwise; the second one is the content."""
        self._summary(element, base, language, depth, given, "text/plain")

    def _summary(
        self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str], usual: str
    ) -> None:
        if not self._has_content and "summary" in self.said:
            self.content(element, base, language, depth, given)
            return
        detail = self._construct(element, base, language, given, usual)
        self._store("summary", detail["value"], depth)
        self.said["summary_detail"] = detail

    def content(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``content`` of Atom."""
        self._content(self._construct(element, base, language, given, "text/plain"))

    def encoded(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``content:encoded``."""
        self._content(self._construct(element, base, language, given, "text/html"))

    def _content(self, detail: dict[str, Any]) -> None:
        self._has_content = True
        self.said.setdefault("content", []).append(detail)
        self.said.setdefault("summary", detail["value"])

    def author(self, parts: list[tuple[str, str]], element: Any, depth: int) -> None:
        """``author`` with names in it, or as a text; ``dc:creator``."""
        authors = self.said.setdefault("authors", [])
        authors.append({})
        if parts:
            authors[-1].update({"href" if name in ("uri", "url", "homepage") else name: text for name, text in parts})
            self.said["author"] = authors[-1].get("name") or authors[-1].get("email") or ""
            return
        text = fixed(element.text or "")
        self._store("author", text, depth)
        if name := name_in(str(self.said.get("author") or "")):
            authors[-1]["name"] = name

    def creator(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``dc:creator``: a name, an address, or both."""
        text_of(element)
        self.author([], element, depth)

    def published(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``pubDate``, ``published``, ``issued``: the last one."""
        self.said["published_parsed"] = dates.of_feed(fixed(text_of(element)))

    def updated(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``updated``, ``modified``, ``dc:date``: the last one."""
        self.said["updated_parsed"] = dates.of_feed(fixed(text_of(element)))

    def created(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``created``: stands for a date of publication."""
        self.said["created_parsed"] = dates.of_feed(fixed(text_of(element)))

    def category(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``category``, ``dc:subject``, ``media:category``: by attribute or as a text."""
        scheme = given.get("scheme", given.get("domain"))
        self._tag(given.get("term"), scheme, given.get("label"))
        if value := fixed(text_of(element)):
            tags = self.said["tags"]
            if tags and not tags[-1]["term"]:
                tags[-1]["term"] = value
            else:
                self._tag(value, None, None)

    def media_category(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``media:category``."""
        self.category(
            element, base, language, depth, {"scheme": "http://search.yahoo.com/mrss/category_schema", **given}
        )

    def keywords(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``itunes:keywords``, ``media:keywords``: parted by commas."""
        if given:
            raise UnusualError
        media = element.tag.lower().startswith("{http://search.yahoo.com")
        for word in fixed(text_of(element)).split(","):
            if word.strip():
                self._tag(word.strip(), None if media else "http://www.itunes.com/", None)

    def _tag(self, term: str | None, scheme: str | None, label: str | None) -> None:
        tags = self.said.setdefault("tags", [])
        if (term or scheme or label) and len(tags) < MAX_TAGS:
            tag = {"term": term, "scheme": scheme, "label": label}
            if tag not in tags:
                tags.append(tag)

    def enclosure(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``enclosure``: a link to a file."""
        text_of(element)
        href = given.get("url") or given.get("uri") or given.get("href")
        self.said.setdefault("links", []).append({**given, "rel": "enclosure", "href": href or ""})

    def media(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``media:content``."""
        self.said.setdefault("media_content", []).append(given)

    def thumbnail(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``media:thumbnail``, with its address in an attribute or as a text."""
        if url := fixed(text_of(element)):
            given.setdefault("url", url)
        self.said.setdefault("media_thumbnail", []).append(given)

    def credit(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``media:credit``."""
        text = fixed(text_of(element))
        self.said.setdefault("media_credit", []).append({**given, **({"content": text} if text else {})})

    def picture(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``itunes:image``."""
        text_of(element)
        if href := given.get("href") or given.get("url"):
            self.said["image"] = {"href": href}

    def original(self, element: Any, base: str, language: str | None, depth: int, given: dict[str, str]) -> None:
        """``feedburner:origLink``: the page that a proxy's link leads to."""
        if given:
            raise UnusualError
        self._store("feedburner_origlink", fixed(text_of(element)), depth)


READERS: dict[str, Reader] = {
    "title": Item.title, "dc_title": Item.title, "media_title": Item.media_title,
    "link": Item.link, "guid": Item.guid, "id": Item.guid,
    "description": Item.described, "dc_description": Item.described, "media_description": Item.described,
    "summary": Item.summary, "itunes_summary": Item.summary, "abstract": Item.summary,
    "content": Item.content, "content_encoded": Item.encoded, "fullitem": Item.encoded,
    "dc_creator": Item.creator, "dc_author": Item.creator,
    "pubdate": Item.published, "published": Item.published, "issued": Item.published, "dcterms_issued": Item.published,
    "updated": Item.updated, "modified": Item.updated, "lastbuilddate": Item.updated, "dc_date": Item.updated,
    "dcterms_modified": Item.updated, "created": Item.created, "dcterms_created": Item.created,
    "category": Item.category, "keywords": Item.category, "dc_subject": Item.category,
    "media_category": Item.media_category, "itunes_keywords": Item.keywords, "media_keywords": Item.keywords,
    "enclosure": Item.enclosure, "media_content": Item.media, "media_thumbnail": Item.thumbnail,
    "media_credit": Item.credit, "itunes_image": Item.picture, "feedburner_origlink": Item.original,
}  # fmt: skip
"""By feedparser's name of an element, what reads it."""


def looks_like_html(text: str) -> bool:
    """Whether feedparser would take a text for markup."""
    # It asks for a closing tag or an entity before it looks any closer.
    return ("</" in text or ("&" in text and ";" in text)) and bool(StrictFeedParser.looks_like_html(text))


def _inner(element: Any) -> str:
    """The markup inside an element."""
    inside: Iterable[Any] = element.iterdescendants()
    for each in inside:
        if (
            each.prefix is not None
            or each.tag.endswith(("}svg", "}math"))
            or any(key.endswith("}base") for key in each.attrib)
        ):
            raise UnusualError
    pieces = [escape(element.text or "")]
    pieces += [etree.tostring(child, encoding="unicode") for child in element]
    return "".join(pieces)
