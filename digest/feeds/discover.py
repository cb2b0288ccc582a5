"""From a site's page to its feeds."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from digest.errors import ParseError
from digest.feeds.clean import absolute_url, one_line
from digest.feeds.decode import decode
from digest.feeds.page_rules import page_tree

MAX_FOUND = 10
_TYPES = {
    "application/rss+xml": 0, "application/atom+xml": 0, "application/feed+json": 0, "application/rdf+xml": 1,
    "application/json": 2, "application/xml": 2, "text/xml": 2,
}  # fmt: skip
_LOOKS_LIKE_A_FEED = re.compile(r"(?:^|[/._-])(?:rss|atom|feeds?|index\.xml|feed\.json)(?:[/._?-]|$)", re.IGNORECASE)
_ASIDE = re.compile(r"comment|/tag/|/author/|podcast|wp-json|oembed", re.IGNORECASE)
_USUAL = ("feed", "rss.xml", "feed.xml", "rss", "atom.xml", "index.xml")
"""Where publishing systems keep their feeds: tried when the page names none."""


@dataclass(frozen=True, slots=True)
class Found:
    """An address that may be a feed.

    Attributes:
        how: ``link`` (the page declares it), ``anchor`` (the page links to it), ``usual`` (a common place, not named).
    """

    url: str
    title: str
    how: str


def discover(body: bytes, content_type: str, url: str) -> tuple[Found, ...]:
    """The feeds of a page, the most likely first: those it declares, those it links to, or else the usual places.

    Feeds of comments, tags and authors come last. Nothing is fetched.
    """
    try:
        tree = page_tree(decode(body, content_type))
    except ParseError:
        return ()
    base = absolute_url(str(next(iter(tree.xpath("//base/@href")), "")), url) or url
    ranked: dict[str, tuple[tuple[int, int], Found]] = {}

    def note(href: str, title: str, how: str, rank: int) -> None:
        address = absolute_url(href, base).partition("#")[0]
        if address and address != url and address not in ranked:
            aside = bool(_ASIDE.search(address) or _ASIDE.search(title))
            ranked[address] = (int(aside), rank), Found(address, one_line(title)[:200], how)

    for link in tree.iter("link"):
        kind = (link.get("type") or "").partition(";")[0].strip().lower()
        if "alternate" in (link.get("rel") or "").lower().split() and kind in _TYPES:
            note(link.get("href") or "", link.get("title") or "", "link", _TYPES[kind])
    for anchor in tree.iter("a"):
        href = anchor.get("href") or ""
        address = absolute_url(href, base)
        if address and _host(address) == _host(url) and _LOOKS_LIKE_A_FEED.search(urlsplit(address).path):
            note(href, " ".join(anchor.itertext()), "anchor", 3)
    if not ranked:
        for place in _USUAL:
            note(urljoin(base, "/" + place), "", "usual", 4)
    return tuple(found for _, found in sorted(ranked.values(), key=lambda each: each[0]))[:MAX_FOUND]


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.").removeprefix("feeds.")
