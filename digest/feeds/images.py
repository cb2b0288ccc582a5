"""Pictures: the one that stands for an item, among all that a feed or page mentions."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from digest.domain.content import Image
from digest.feeds.clean import absolute_url, html_tree, one_line

_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)(?:$|[?#])", re.IGNORECASE)
# Counting pixels, share buttons, avatars and smileys.
_DECORATION = re.compile(
    r"feedburner|feedsportal|doubleclick|/pixel|[./]stats?\.|beacon|/emoji/|s\.w\.org/images/core|gravatar\.com"
    r"|\bspacer\b|\bblank\.gif|/share[-_/]|/counter|1x1"
)
_FILE_NAME = re.compile(
    r"^(?:\S+|.{0,80}\(\d+\))\.(?:jpe?g|png|webp|gif|avif|svg)$|^(?:img|dsc|image)[-_ ]?\d*$", re.IGNORECASE
)
_TAG = re.compile(r"""<img\s(?:[^<>"']|"[^"<>]*"|'[^'<>]*')*>""")
_MIN_SIDE = 50
"""Pixels: what is declared smaller on either side is decoration."""


def is_file_name(text: str) -> bool:
    """Whether a text is but the name of a picture file (``Template (1).jpg``), no words for readers."""
    return bool(_FILE_NAME.match(text.strip()))


def image(url: str, base: str, *, alt: str = "", credit: str = "", width: Any = 0, height: Any = 0) -> Image | None:
    """The picture at ``url``, seen from ``base``; None if it has no http(s) address or is mere decoration."""
    address = absolute_url(url, base)
    size = (_pixels(width), _pixels(height))
    if not address or _DECORATION.search(address.lower()) or any(0 < side < _MIN_SIDE for side in size):
        return None
    alt = one_line(alt)[:300]
    return Image(address, "" if is_file_name(alt) else alt, one_line(credit)[:200], *size)


def first_image(html: str, base: str) -> Image | None:
    """The first picture in a piece of HTML that is no decoration, with its alt text."""
    start = html.find("<img")
    if start == -1 and "<IMG" not in html:
        return None
    # The first tags alone, where they stand for themselves: a tree of the whole costs ten times as much.
    if start != -1 and "<!" not in html and "<script" not in html and (tag := _TAG.match(html, start)):
        first = _first(html_tree(tag[0]), base)
        if first is not None:
            return first
    return _first(html_tree(html), base)


def _first(root: Any, base: str) -> Image | None:
    if root is None:
        return None
    for element in root.iter("img"):
        source = element.get("src") or element.get("data-src") or ""
        if source.startswith("data:"):
            source = element.get("data-src") or ""
        found = image(
            source,
            base,
            alt=element.get("alt") or "",
            width=element.get("width"),
            height=element.get("height"),
        )
        if found:
            return found
    return None


def best_of_media(items: Iterable[Mapping[str, Any]], base: str, *, credit: str = "") -> Image | None:
    """The widest picture among media elements (Media RSS ``content`` and ``thumbnail``, enclosures)."""
    found = [
        picture
        for item in items
        if _is_picture(item)
        and (picture := image(_address(item), base, credit=credit, width=item.get("width"), height=item.get("height")))
    ]
    return max(found, key=lambda picture: picture.width, default=None)


def _address(item: Mapping[str, Any]) -> str:
    return str(item.get("url") or item.get("href") or "")


def _is_picture(item: Mapping[str, Any]) -> bool:
    kind, medium = str(item.get("type") or ""), str(item.get("medium") or "")
    if kind or medium:
        return kind.startswith("image/") or medium == "image"
    return bool(_PICTURE.search(_address(item))) or "/image" in _address(item)


def _pixels(value: Any) -> int:
    try:
        return min(max(int(float(str(value).removesuffix("px"))), 0), 20_000)
    except (ValueError, OverflowError):
        return 0
