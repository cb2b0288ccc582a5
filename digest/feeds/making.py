"""An entry, made of what an item says: the same for every way of reading it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from digest.domain.content import Entry, Image
from digest.feeds.clean import absolute_url, clipped, one_line, without_trailers
from digest.feeds.columns import one_lines, plain_texts
from digest.feeds.entries import CONTENT_LENGTH, SUMMARY_LENGTH, distinct, guid_of, title_of
from digest.feeds.images import best_of_media, first_image

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")

_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]+")
"""A file's name that looks the same in markup and in an address."""
_SHORT = 100
"""Characters of words (see :class:`Value`) that are kept as they are, if they stand on one line."""

Media = Iterable[Mapping[str, Any]]


class Value:
    """A text with its media type and base address.

    Attributes:
        words: plain text, paragraphs separated by blank lines; once :func:`look_for_words` has looked for them.
    """

    __slots__ = ("base", "kind", "text", "words")

    def __init__(self, text: str, kind: str, base: str | None) -> None:
        self.text, self.kind, self.base = text, kind, base
        self.words = ""


def look_for_words(values: Iterable[Value]) -> None:
    """Look for the words of many texts together, which costs much less than one by one."""
    marked, plain = [], []
    for each in values:
        if not each.text:
            continue
        if each.kind != "text/plain":
            marked.append(each)
        elif "\n" not in each.text:
            plain.append(each)
        else:
            each.words = "\n\n".join(filter(None, map(one_line, re.split(r"\n\s*\n", each.text))))
    for some, words in ((marked, plain_texts), (plain, one_lines)):
        if some:
            for each, found in zip(some, words([each.text for each in some]), strict=True):
                each.words = found


def byline(names: Sequence[str]) -> str:
    """Who wrote it: the names without addresses and repetitions."""
    if len(names) == 1 and not names[0]:
        return ""
    return ", ".join(distinct("" if _EMAIL.fullmatch(name.strip()) else name for name in names))[:300]


def page_of(
    feed_url: str, *, guid: str, link: str | None, original: str | None, links: Iterable[Mapping[str, Any]]
) -> str:
    """The item's own page: what stands behind a proxy's link, the link, an id that is one, or another link."""
    if link == guid and "/" not in guid:  # an id that the feed forgot to say is no link (RSS 2.0, isPermaLink)
        link = ""
    chosen = [original, link]
    chosen += [each.get("href") for each in links if each.get("rel") == "alternate"]
    chosen += [guid if guid.startswith(("http://", "https://")) else ""]
    chosen += [each.get("href") for each in links if each.get("rel") in ("enclosure", "related", "via")]
    return next((url for each in chosen if (url := absolute_url(str(each or ""), feed_url))), "")


def entry_of(
    feed_url: str,
    *,
    guid: str,
    url: str,
    title: Value,
    texts: Sequence[Value],
    described: Value,
    author: str,
    published_at: datetime | None,
    updated_at: datetime | None,
    tags: tuple[str, ...],
    media: Iterable[Media],
    credit: str,
    language: str,
) -> Entry:
    """The entry of an item.

    Args:
        title, texts, described: with their words.
        texts: its contents.
        described: its summary; one of the contents if it says the same.
        media: what it declares as pictures, the best kind first.
        credit: who made the declared picture.
    """
    content = texts[0].words if len(texts) == 1 else max([each.words for each in texts], key=len) if texts else ""
    summary = described.words
    if not content and len(summary) > CONTENT_LENGTH:
        content = summary
    if "\n" in summary:
        summary = summary.replace("\n\n", " ").replace("\n", " ")
    return Entry(
        guid=guid_of(guid),
        url=url,
        title=title.words if len(title.words) < _SHORT and "\n" not in title.words else title_of(title.words),
        summary=clipped(without_trailers(summary), SUMMARY_LENGTH),
        content=content,
        author=author,
        published_at=published_at,
        updated_at=updated_at,
        tags=tags,
        image=_picture(url or feed_url, feed_url, texts if described in texts else (*texts, described), media, credit),
        language=language,
    )


def _picture(base: str, feed_url: str, texts: Sequence[Value], media: Iterable[Media], credit: str) -> Image | None:
    """The picture that the item declares (with the alt text that its own markup gives it), or its first one."""
    declared = None
    for some in media:
        if some and (declared := best_of_media(some, base, credit=credit)):
            break
    if declared and _PLAIN_NAME.fullmatch(name := _name(declared.url)) and not any(name in each.text for each in texts):
        return declared  # most markup shows another picture, or none: it needs no closer look then
    inline = None
    for each in texts:
        # feedparser reports xml:base, or else the feed's own address; links then belong to the item's page.
        own = base if each.base in (None, "", feed_url) else absolute_url(each.base, base) or base
        if inline := first_image(each.text, own):
            break
    if declared is None:
        return inline
    if inline is None or _name(inline.url) != _name(declared.url):
        return declared
    return Image(declared.url, inline.alt, declared.credit, declared.width, declared.height)


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
