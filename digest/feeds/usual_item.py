"""One item on the shortest way: what has been read of it, and the entry that this makes."""

from collections.abc import Sequence
from functools import lru_cache

from digest.domain.content import Entry
from digest.feeds import dates
from digest.feeds.bounded import MAX_TAGS
from digest.feeds.clean import PLAIN_URL, absolute_url
from digest.feeds.entries import distinct
from digest.feeds.making import Value, byline, entry_of, look_for_words, page_of
from digest.feeds.names import UnusualError
from digest.feeds.strict_item import MARKUP, TYPES, joined, looks_like_html, name_in, relinked
from digest.feeds.xhtml import XHTML_TYPE

_NOTHING = Value("", "text/plain", None)
_MANY = 60
_SHORT = 100
"""Characters: what is no longer than this is likely to come again, so what comes of it is kept for a while."""


class Parts:
    """What has been read of one item.

    Attributes:
        said: texts by what they are; each comes once.
        terms: categories.
        people: the authors: what they consist of, or a text.
        link: the last one to a page of its own that stands in an attribute, None if there was none.
        links: all that stand in attributes.
        permanent: whether the id is a link as well.
        media: ``media_content`` and ``media_thumbnail``: their attributes.
        credit: who made the declared picture.
    """

    # Most items have none of these, and what stands here costs nothing.
    people: list[str | dict[str, str]] = []
    link: str | None = None
    links: list[dict[str, str]] = []
    media: dict[str, list[dict[str, str]]] = {}
    credit: str | None = None
    permanent = True
    _kinds: dict[str, str] = {}

    def __init__(self, atom: bool) -> None:
        self._atom = atom
        self.said: dict[str, str] = {}
        self.terms: list[str] = []

    def typed(self, key: str, kind: str | None) -> None:
        """A text says of which type it is."""
        if kind is None:
            return
        known = TYPES.get(kind.lower())
        if known is None or (known == XHTML_TYPE and kind is not XHTML_TYPE):
            raise UnusualError
        self._kinds = {**self._kinds, key: known}

    def kind(self, key: str, usual: str) -> str:
        """The media type of a text, of which there are but two."""
        kind = self._kinds.get(key, usual)
        return "text/html" if kind == "text/plain" and not self._atom and looks_like_html(self.said[key]) else kind

    def is_described(self) -> bool:
        """Whether a content and a summary have been read, so that nothing comes of what a picture says of itself."""
        said = self.said
        return ("encoded" in said or "content" in said) and ("description" in said or "summary" in said)

    def author(self, who: str | dict[str, str]) -> None:
        """An author: what it consists of, or a text."""
        if len(self.people) > _MANY or (self.people and str in (type(who), type(self.people[0]))):
            raise UnusualError
        self.people = [*self.people, who]

    def category(self, text: str, given: dict[str, str]) -> None:
        """``category`` with attributes: the word stands in one of them, or is the text."""
        word = given.get("term")
        if bool(text) == bool(word) or (text and given.get("label")):
            raise UnusualError
        self.terms.append(text or given.get("label") or word or "")

    def declared(self, what: str, text: str, given: dict[str, str], base: str) -> None:
        """What an item declares by attributes: links and pictures."""
        if what == "link":
            self._linked(given, base)
            return
        if what == "media_credit":
            if self.credit is None:
                self.credit = text or given.get("content", "")
            return
        if what == "enclosure":
            href = given.get("url") or given.get("uri") or given.get("href") or ""
            self._add_link({**given, "rel": "enclosure", "href": href})
            return
        if text:
            raise UnusualError
        some = [*self.media.get(what, ()), given]
        if len(some) > _MANY:
            raise UnusualError
        self.media = {**self.media, what: some}

    def _linked(self, given: dict[str, str], base: str) -> None:
        href = given.get("url") or given.get("uri") or given.get("href")
        if not href:
            raise UnusualError
        rel, href = given.get("rel", "alternate"), joined(base, href)
        self._add_link({"rel": rel, "href": href})
        if rel == "alternate" and TYPES.get(given.get("type", "text/html")) in MARKUP:
            self.link = href

    def _add_link(self, link: dict[str, str]) -> None:
        if len(self.links) > _MANY:
            raise UnusualError
        self.links = [*self.links, link]


def entries_from(items: Sequence[Parts], url: str, language: str, feed_language: str) -> list[Entry]:
    """The entries of items that have been read.

    Args:
        url: the feed's, that relative addresses are seen from.
        language: that the document declares for its texts, as a tag.
        feed_language: that the feed names as its own, as a tag.
    """
    texts = [_texts(item, url) for item in items]
    look_for_words([text for title, contents, described in texts for text in {title, *contents, described}])
    return [_entry(item, *each, url, language, feed_language) for item, each in zip(items, texts, strict=True)]


def _entry(
    item: Parts, title: Value, contents: list[Value], described: Value, url: str, language: str, feed_language: str
) -> Entry:
    said = item.said
    get = said.get
    if get("media_thumbnail") or (item.credit is not None and "media_credit" in said):
        raise UnusualError  # a picture's address as a text; or who knows which credit comes first
    published, updated = get("published"), get("updated")
    media = item.media
    return entry_of(
        url,
        guid=get("guid", ""),
        url=_page(item, url),
        title=title,
        texts=contents,
        described=described,
        author=_author(item.people) if item.people else "",
        published_at=dates.of_feed(published) if published is not None else None,
        updated_at=dates.of_feed(updated) if updated is not None else None,
        tags=_tags(item.terms) if item.terms else (),
        media=(
            media.get("media_content", ()),
            [{"medium": "image", **each} for each in media.get("media_thumbnail", ())],
            [each for each in item.links if each["rel"] == "enclosure"],
        )
        if media or item.links
        else (),
        credit=item.credit or get("media_credit", ""),
        language=(language if "title" in said else "") or feed_language,
    )


def _texts(item: Parts, url: str) -> tuple[Value, list[Value], Value]:
    """Title; the content, if there is one; and the summary: what describes the item, else its content."""
    said = item.said
    if "media_title" in said and not said.get("title"):
        raise UnusualError  # it would be the item's own
    title = Value(said["title"], item.kind("title", "text/plain"), url) if said.get("title") else _NOTHING
    full, usual = ("encoded", "text/html") if "encoded" in said else ("content", "text/plain")
    short, of_short = ("description", "text/html") if "description" in said else ("summary", "text/plain")
    if "media_description" in said:
        if full in said or short in said:
            raise UnusualError  # whether it is a summary or a content depends on what stands before
        short, of_short = "media_description", "text/html"
    texts = []
    if full in said:
        texts.append(Value(said[full], item.kind(full, usual), url))
        if full == "encoded" and "content" in said:
            raise UnusualError
    if short in said:
        if short == "description" and "summary" in said:
            raise UnusualError
        value, kind = said[short], item.kind(short, of_short)
        if "aside" in said:  # which type a text is of is told by the last that says the same, as on the other ways
            kind = item.kind("aside", "text/html") if said["aside"] == value else "text/html"
    else:
        value, kind = said.get(full, ""), "text/html"
    if texts and texts[0].text == value and texts[0].kind == kind:
        return title, texts, texts[0]
    return title, texts, Value(value, kind, url)


def _page(item: Parts, url: str) -> str:
    said, links = item.said, item.links
    link = said.get("link")
    if link and item.link is None and "origin" not in said and PLAIN_URL.fullmatch(link):  # as most have it
        return link
    if link is None:
        link = item.link
    elif item.link is not None:
        raise UnusualError  # whichever comes last
    elif link:
        link = relinked(url, link)
    guid = said.get("guid", "")
    if link is None and item.permanent:
        link = guid
    if link and link != guid and "origin" not in said and (found := absolute_url(link, url)):
        return found
    return page_of(url, guid=guid, link=link, original=said.get("origin"), links=links)


def _author(people: list[str | dict[str, str]]) -> str:
    last = people[-1]
    if isinstance(last, str):
        return _byline(last) if len(last) <= _SHORT else byline([name_in(last) or last])
    names = [person["name"] for person in people if isinstance(person, dict) and person.get("name")]
    if len(names) == 1 and len(names[0]) <= _SHORT:
        return _byline_of(names[0])
    return byline(names or [last.get("email") or ""])


@lru_cache(maxsize=4096)
def _byline(text: str) -> str:
    return byline([name_in(text) or text])


@lru_cache(maxsize=4096)
def _byline_of(name: str) -> str:
    return byline([name])


def _tags(terms: list[str]) -> tuple[str, ...]:
    if len(terms) > MAX_TAGS:
        raise UnusualError
    return distinct(terms)
