"""What an article page declares about itself: JSON-LD (schema.org), Open Graph and its kin, and rel=tag."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lxml import etree

from digest.domain.content import Image
from digest.feeds import dates
from digest.feeds.clean import absolute_url, clipped, one_line, plain_text
from digest.feeds.entries import distinct
from digest.feeds.images import image

MAX_SCRIPT = 500_000
"""Characters of one JSON-LD script that are read."""
MAX_NODES = 2_000
MAX_TAGS = 15
_ARTICLE = re.compile(r"(?:\w*Article|BlogPosting|Report(?:age)?\w*|LiveBlogPosting)$")
_BY = re.compile(r"^by[\s:]+", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://|@|^\W*$")
_ASIDE = re.compile(r"cloud|sidebar|related|trending|popular|menu|teaser|card|recirc", re.IGNORECASE)
_TITLES = ("og:title", "twitter:title")
_SUMMARIES = ("og:description", "twitter:description", "description")
_DATES = ("article:published_time", "og:published_time", "datepublished", "parsely-pub-date", "dc.date.issued", "date",
          "pubdate", "publishdate", "sailthru.date")  # fmt: skip
_AUTHORS = ("author", "article:author", "byl", "parsely-author", "dc.creator", "sailthru.author")
_PICTURES = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src")


@dataclass(frozen=True, slots=True)
class Declared:
    """What a page says of itself; "" and None for what it doesn't say.

    Attributes:
        pictures: those that stand for the article, the first choice first; alt and credit where they are declared.
    """

    title: str = ""
    summary: str = ""
    author: str = ""
    published_at: datetime | None = None
    tags: tuple[str, ...] = ()
    pictures: tuple[Image, ...] = field(default=())


def declared(tree: etree._Element, url: str) -> Declared:
    """What the page at ``url`` declares. Never raises, whatever it holds."""
    meta = _meta(tree)
    about = _json_ld(tree)
    title = one_line(_first(meta, _TITLES)) or _string(about.get("headline"))
    return Declared(
        title=clipped(title, 500),
        summary=clipped(_string(about.get("description")) or one_line(_first(meta, _SUMMARIES)), 500),
        author=byline(_names(about.get("author")) or [name for name in _all(meta, _AUTHORS) if name][:1]),
        published_at=_date(tree, meta, about),
        tags=_tags(tree, meta, about),
        pictures=tuple(_pictures(meta, about, url)),
    )


def byline(names: list[str]) -> str:
    """Names as a byline: without "By", addresses and repetitions."""
    found = (_BY.sub("", one_line(name)) for name in names)
    return ", ".join(distinct(name for name in found if name and not _ADDRESS.search(name)))[:300]


def _meta(tree: etree._Element) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        name = (element.get("property") or element.get("name") or element.get("itemprop") or "").lower()
        content = element.get("content")
        if name and content and len(values := found.setdefault(name, [])) < 50:
            values.append(content[:2_000])
    return found


def _all(meta: dict[str, list[str]], names: tuple[str, ...]) -> list[str]:
    return [value for name in names for value in meta.get(name, ())]


def _first(meta: dict[str, list[str]], names: tuple[str, ...]) -> str:
    return next(iter(_all(meta, names)), "")


def _json_ld(tree: etree._Element) -> dict[str, Any]:
    """The first article among the page's JSON-LD."""
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower() or not script.text:
            continue
        try:
            document = json.loads(script.text[:MAX_SCRIPT], strict=False)
        except (ValueError, RecursionError):
            continue
        for node in _nodes(document):
            kinds = node.get("@type")
            if any(
                isinstance(kind, str) and _ARTICLE.match(kind)
                for kind in (kinds if isinstance(kinds, list) else [kinds])
            ):
                return node
    return {}


def _nodes(document: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document, outer ones first; a bounded number."""
    queue, seen = [document], 0
    while queue and seen < MAX_NODES:
        node = queue.pop(0)
        seen += 1
        if isinstance(node, dict):
            yield node
            queue += [
                value
                for name, value in node.items()
                if name in ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item")
            ]
        elif isinstance(node, list):
            queue += node[:200]


def _string(value: Any) -> str:
    return plain_text(value[:5_000]).replace("\n", " ").strip() if isinstance(value, str) else ""


def _names(value: Any) -> list[str]:
    people = value if isinstance(value, list) else [value]
    names: list[str] = []
    for person in people[:20]:
        name = person.get("name") if isinstance(person, dict) else person
        names += [each for each in (name if isinstance(name, list) else [name]) if isinstance(each, str)]
    return names


def _date(tree: etree._Element, meta: dict[str, list[str]], about: dict[str, Any]) -> datetime | None:
    said = [_string(about.get("datePublished")), *_all(meta, _DATES)]
    said += [each.get("datetime") or each.get("content") or "" for each in _marked(tree, "datePublished")]
    said += [each.get("datetime") or "" for each in tree.iter("time") if each.get("pubdate") is not None]
    return next((moment for text in said if text and (moment := dates.of_text(text))), None)


def _marked(tree: etree._Element, name: str) -> list[etree._Element]:
    """Elements of microdata (``itemprop``)."""
    return [each for each in tree.iter("time", "span", "abbr", "div") if name in (each.get("itemprop") or "").split()]


def _tags(tree: etree._Element, meta: dict[str, list[str]], about: dict[str, Any]) -> tuple[str, ...]:
    keywords = about.get("keywords")
    words = keywords.split(",") if isinstance(keywords, str) else keywords if isinstance(keywords, list) else []
    listed = [word for word in words if isinstance(word, str) and ":" not in word]
    linked = [
        "".join(each.itertext())
        for each in tree.iter("a")
        if "tag" in (each.get("rel") or "").lower().split() and not _is_aside(each)
    ]
    named = ",".join(_all(meta, ("news_keywords", "parsely-tags", "sailthru.tags"))).split(",")
    for some in (meta.get("article:tag", []), linked, listed, named):
        # Some systems write all tags into one element.
        apart = some[0].split(",") if len(some) == 1 else some
        if tags := distinct(word for word in apart if len(word.strip()) <= 60):
            return tags[:MAX_TAGS]
    return ()


def _is_aside(element: etree._Element) -> bool:
    for above in element.iterancestors():
        if above.tag in ("nav", "footer", "aside") or _ASIDE.search(
            f"{above.get('class') or ''} {above.get('id') or ''}"
        ):
            return True
    return False


def _pictures(meta: dict[str, list[str]], about: dict[str, Any], url: str) -> Iterator[Image]:
    alt = _first(meta, ("og:image:alt", "twitter:image:alt"))
    width, height = _first(meta, ("og:image:width",)), _first(meta, ("og:image:height",))
    for source in _all(meta, _PICTURES):
        if found := image(absolute_url(source, url), url, alt=alt, width=width, height=height):
            yield found
            break
    value = about.get("image")
    for each in value[:5] if isinstance(value, list) else [value]:
        about_it = each if isinstance(each, dict) else {"url": each}
        address = about_it.get("url") or about_it.get("contentUrl")
        credit = _string(about_it.get("creditText")) or byline(_names(about_it.get("creator")))
        if isinstance(address, str) and (
            found := image(absolute_url(address, url), url, alt=_string(about_it.get("caption")), credit=credit,
                           width=about_it.get("width"), height=about_it.get("height"))
        ):  # fmt: skip
            yield found
