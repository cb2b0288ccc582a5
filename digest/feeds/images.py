"""Pictures: the one that stands for an item, among all that a feed or page mentions."""

import re
from collections.abc import Callable, Iterable, Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from digest.domain.content import Image
from digest.feeds.clean import absolute_url, html_tree, one_line

_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)(?:$|[?#])", re.IGNORECASE)
# Counting pixels, share buttons, avatars and smileys.
_DECORATION = (
    "feedburner", "feedsportal", "doubleclick", "/pixel", "/stat.", ".stat.", "/stats.", ".stats.", "beacon", "/emoji/",
    "s.w.org/images/core", "gravatar.com", "blank.gif", "/share-", "/share_", "/share/", "/counter", "1x1",
)  # fmt: skip
_SPACER = re.compile(r"\bspacer\b")
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".svg")
_FILE_NAME = re.compile(r"(?:\S+|.{0,80}\(\d+\))\.[a-z]+$")
_COUNTED = re.compile(
    r"(?:img|dsc|image|photo|picture|screenshot)[-_ ]?\d*"
    r"|(?:article|hero|featured?|lead|cover|header|post|thumbnail|main)[-_ ]?(?:image|photo|picture|img)|thumbnail|placeholder"
    r"|alt(?: text)?|untitled(?:[-_ ]design)?(?: ?\(?\d+\)?)?|null|undefined"
)
_FIRST_LETTERS = frozenset(
    "img dsc ima pho pic scr art her fea lea cov hea pos thu mai pla alt unt nul und".split()  # noqa: SIM905
)
"""Of :data:`_COUNTED`: its words are looked for only where one of them may begin."""
_SIZED = re.compile(
    r"(?:[-_@](?:\d{2,4}x\d{2,4}|\d{2,4}w|\dx|scaled|large|medium|small|thumb(?:nail)?|crop(?:ped)?))+$"
)
_TAG = re.compile(r"""<img\s(?:[^<>"']++|"[^"<>]*+"|'[^'<>]*+')*+>""")
# A tag that reads the same everywhere: attributes in double quotes, entities that everybody knows.
_PLAIN_TAG = re.compile(
    r"""<img(?:\s+[a-z][a-z-]*="[^"<>&]*+(?:&(?:amp|quot|apos|lt|gt|nbsp|#0?38|#0?39|#8\d{3});[^"<>&]*+)*+")*+\s*/?>"""
)
# What stands before the values of a tag that is parted at its quotes, as publishing systems write it.
_KNOWN = (
    "src", "alt", "width", "height", "class", "id", "title", "style", "border", "align", "srcset", "sizes", "loading", "decoding",
    "fetchpriority", "data-src", "hspace", "vspace", "data-attrs", "data-original-height", "data-original-width",
    "referrerpolicy", "itemprop", "role", "data-recalc-dims", "data-id",
)  # fmt: skip
_BEFORE = {f"{start} {name}=": name for name in _KNOWN for start in ("", "<img")}
_BEHIND = frozenset(("", "/", " /", " "))
_ATTRIBUTE = re.compile(r"""\s([a-z-]+)="([^"]*)\"""")
_MIN_SIDE = 50
"""Pixels: what is declared smaller on either side is decoration."""


def is_file_name(text: str) -> bool:
    """Whether a text is but the name of a picture file (``Template (1).jpg``) or of its place, no words for readers."""
    text = text.strip()
    if "." not in text and (len(text) > 30 or text[:3].lower() not in _FIRST_LETTERS):
        return False
    text = text.lower()
    return (text.endswith(_ENDINGS) and bool(_FILE_NAME.match(text))) or bool(_COUNTED.fullmatch(text))


def image(url: str, base: str, *, alt: str = "", credit: str = "", width: Any = 0, height: Any = 0) -> Image | None:
    """The picture at ``url``, seen from ``base``; None if it has no http(s) address or is mere decoration."""
    address = absolute_url(url, base)
    wide, high = _pixels(width), _pixels(height)
    if not address or 0 < wide < _MIN_SIDE or 0 < high < _MIN_SIDE or _is_decoration(address.lower()):
        return None
    alt = one_line(alt)[:300] if alt else ""
    return Image(
        address, "" if alt and is_file_name(alt) else alt, one_line(credit)[:200] if credit else "", wide, high
    )


def _is_decoration(address: str) -> bool:
    for words in _DECORATION:  # a plain loop: this is asked of every picture, and a generator costs thrice as much
        if words in address:
            return True
    return "spacer" in address and bool(_SPACER.search(address))


def same_picture(one: str, other: str) -> bool:
    """Whether two addresses are most likely those of one picture, in two sizes or by way of a resizing service."""
    return one == other or bool((name := _picture_name(one)) and len(name) > 3 and name == _picture_name(other))


def _picture_name(url: str) -> str:
    """The name of a picture's file, without its size and ending."""
    parts = urlsplit(url)
    inner = next((value for key in ("url", "src", "image") for value in parse_qs(parts.query).get(key, ())), "")
    try:
        name = (urlsplit(inner).path if inner else parts.path).rpartition("/")[2].lower()
    except ValueError:  # what the service was given is no address
        return ""
    return _SIZED.sub("", name.rpartition(".")[0] or name)


def first_image(html: str, base: str) -> Image | None:
    """The first picture in a piece of HTML that is no decoration, with its alt text."""
    start = html.find("<img")
    if start == -1 and "<IMG" not in html:
        return None
    # The first tag alone, where it stands for itself: a tree of the whole costs ten times as much.
    if start != -1 and html.find("<!", 0, start) == -1 and html.find("<script", 0, start) == -1:
        first = None
        if (given := _usual(html, start)) is not None:
            first = _of_tag(given.get, base)
        elif (tag := _PLAIN_TAG.match(html, start)) and tag[0].isascii() and tag[0].isprintable():
            first = _of_tag(_attributes(tag[0]).get, base)
        elif tag := _TAG.match(html, start):
            first = _first(html_tree(tag[0]), base)
        if first is not None:
            return first
    return _first(html_tree(html), base)


def _usual(html: str, start: int) -> dict[str, str] | None:
    """The attributes of a tag as :func:`_attributes` gives them, for less; None if there is anything unusual about it."""
    end = html.find(">", start)
    tag = html[start:end]
    if end == -1 or "&" in tag or "\ufffc" in tag or "\ufffd" in tag or not tag.isprintable() or tag.find("<", 1) != -1:
        return None
    pieces = tag.split('"')
    if not len(pieces) & 1 or pieces.pop() not in _BEHIND:
        return None
    names = [_BEFORE.get(before, "") for before in pieces[::2]]
    found = dict(zip(names, pieces[1::2], strict=True))
    if "" in found:
        return None
    return found if len(found) == len(names) else dict(zip(reversed(names), reversed(pieces[1::2]), strict=True))


def _attributes(tag: str) -> dict[str, str]:
    """The attributes of a plain tag; of one that is given twice, the first counts."""
    found = dict(reversed(_ATTRIBUTE.findall(tag)))
    return {name: unescape(value) for name, value in found.items()} if "&" in tag else found


def _first(root: Any, base: str) -> Image | None:
    if root is None:
        return None
    return next((found for element in root.iter("img") if (found := _of_tag(element.get, base))), None)


def _of_tag(attribute: Callable[[str], str | None], base: str) -> Image | None:
    source = attribute("src") or attribute("data-src") or ""
    if source.startswith("data:"):
        source = attribute("data-src") or ""
    return image(source, base, alt=attribute("alt") or "", width=attribute("width"), height=attribute("height"))


def best_of_media(items: Iterable[Mapping[str, Any]], base: str, *, credit: str = "") -> Image | None:
    """The widest picture among media elements (Media RSS ``content`` and ``thumbnail``, enclosures)."""
    found = [
        picture
        for item in items
        if _is_picture(item)
        and (picture := image(_address(item), base, credit=credit, width=item.get("width"), height=item.get("height")))
    ]
    return found[0] if len(found) == 1 else max(found, key=lambda picture: picture.width, default=None)


def _address(item: Mapping[str, Any]) -> str:
    return str(item.get("url") or item.get("href") or "")


def _is_picture(item: Mapping[str, Any]) -> bool:
    kind, medium = str(item.get("type") or ""), str(item.get("medium") or "")
    if kind or medium:
        return kind.startswith("image/") or medium == "image"
    return bool(_PICTURE.search(_address(item))) or "/image" in _address(item)


def _pixels(value: Any) -> int:
    if not value:
        return 0
    if type(value) is str and value.isdecimal() and len(value) < 9:
        return min(int(value), 20_000)
    try:
        return min(max(int(float(str(value).removesuffix("px"))), 0), 20_000)
    except (ValueError, OverflowError):
        return 0
