"""The usual RSS item on the shortest way: one look at each element, then the entry.

Most feeds are made by a few publishing systems, and their items hold the same dozen elements, once each, without
attributes. Whatever else an item holds, it goes the longer way (:mod:`digest.feeds.strict_item`), with the same result.
"""

from functools import lru_cache
from typing import Any

from digest.domain.content import Entry
from digest.feeds import dates
from digest.feeds.clean import absolute_url, one_line
from digest.feeds.entries import distinct
from digest.feeds.making import Value, byline, entry_of, words_in
from digest.feeds.strict_item import SIMPLE_URL, attributes, fixed, looks_like_html, name_in

_ONCE = {
    "title": "title", "link": "link", "guid": "guid", "pubdate": "pubdate", "description": "description",
    "content_encoded": "content", "dc_creator": "author", "author": "author",
}  # fmt: skip
_DECLARED = {"media_content", "media_thumbnail", "enclosure"}
_NOTHING = {"", "comments", "slash_comments", "wfw_commentrss", "source"}
"""Elements that leave nothing behind, if there are none inside."""
_PERMALINK = ([("isPermaLink", "false")], [("isPermaLink", "true")])
_MANY = 20
_SHORT = 100
"""Characters: what is no longer than this is likely to come again, so what comes of it is kept for a while."""


def entry(item: Any, names: dict[str, str], url: str, language: str) -> Entry | None:
    """The entry of an RSS item; None if it is not a usual one.

    Args:
        item: an element without attributes, in a document without base addresses of its own.
        names: feedparser's names of elements seen so far, by tag. An item with another one is not a usual one.
        url: the feed's, that relative addresses are seen from.
        language: of the feed, as a tag.
    """
    said: dict[str, str] = {}
    terms: list[str] = []
    declared: dict[str, list[dict[str, str]]] = {}
    for child in item:
        name = names.get(child.tag)
        if name is None or len(child):
            return None
        given = child.items()
        if key := _ONCE.get(name):
            if key in said or (given and not (key == "guid" and given in _PERMALINK)):
                return None
            said[key] = fixed(child.text or "")
        elif name == "category":
            if given and (len(given) > 1 or given[0][0] != "domain"):
                return None
            terms.append(fixed(child.text or ""))
        elif name in _DECLARED:
            found = attributes(given)
            if "lang" in found or (child.text and not child.text.isspace()):
                return None
            declared.setdefault(name, []).append(found)
        elif name not in _NOTHING or any(key == "lang" for key, _ in given):
            return None
    link = said.get("link", "")
    if not SIMPLE_URL.fullmatch(link) or not (link := absolute_url(link, url)) or len(terms) > _MANY:
        return None
    return _made(said, link, terms, declared, url, language)


def _made(
    said: dict[str, str],
    link: str,
    terms: list[str],
    declared: dict[str, list[dict[str, str]]],
    url: str,
    language: str,
) -> Entry:
    title = said.get("title", "")
    kind = "text/html" if looks_like_html(title) else "text/plain"
    texts = [Value(said["content"], "text/html", url)] if "content" in said else []
    summary = said.get("description", said.get("content", ""))
    same = texts and texts[0].text == summary
    published = said.get("pubdate")
    return entry_of(
        url,
        guid=said.get("guid", ""),
        url=link,
        title=one_line(words_in(title, kind)),
        texts=texts,
        described=texts[0] if same else Value(summary, "text/html", url),
        author=_author(said.get("author", "")),
        published_at=dates.of_feed(published) if published is not None else None,
        updated_at=None,
        tags=_tags(tuple(terms)) if sum(map(len, terms)) <= _SHORT else distinct(terms),
        media=(
            declared.get("media_content", ()),
            [{"medium": "image", **each} for each in declared.get("media_thumbnail", ())],
            [
                {**each, "rel": "enclosure", "href": each.get("url") or each.get("uri") or each.get("href") or ""}
                for each in declared.get("enclosure", ())
            ],
        )
        if declared
        else (),
        credit="",
        language=language,
    )


def _author(text: str) -> str:
    return _byline(text) if len(text) <= _SHORT else byline([name_in(text) or text])


@lru_cache(maxsize=4096)
def _byline(text: str) -> str:
    return byline([name_in(text) or text])


@lru_cache(maxsize=4096)
def _tags(terms: tuple[str, ...]) -> tuple[str, ...]:
    return distinct(terms)
