"""The hub that a feed names, where its news can be had by push (WebSub 4)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape

from digest.feeds.clean import absolute_url
from digest.feeds.decode import decode

_HEAD = 65_536
_LINK = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?link\b([^>]{0,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_FIRST_ITEM = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?(?:item|entry)[\s>]", re.IGNORECASE)
_FIRST_ITEM_BYTES = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?(?:item|entry)[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hub:
    """Where a feed's news can be had by push: the hub, and the feed's own name there (``rel=self``)."""

    url: str
    topic: str


def hub_of(body: bytes, content_type: str, url: str, headers: Mapping[str, str]) -> Hub | None:
    """The hub that a feed names (4): in its Link headers, else in its head; None if it names none.

    Args:
        url: the final URL; the topic if the feed doesn't say ``rel=self``.
    """
    links = _of_headers(headers)
    if "hub" not in links:
        first = _FIRST_ITEM_BYTES.search(body, 0, _HEAD)  # what stands behind is not about the feed
        text = decode(body[: first.end() if first else _HEAD], content_type)
        links = {**(_of_json(body, content_type) if text.lstrip()[:1] == "{" else _of_xml(text)), **links}
    hub = absolute_url(links.get("hub", ""), url)
    topic = absolute_url(links.get("self", ""), url) or url
    return Hub(hub, topic) if hub else None


def _of_headers(headers: Mapping[str, str]) -> dict[str, str]:
    links: dict[str, str] = {}
    if not headers.get("Link"):
        return links
    from requests.utils import parse_header_links  # late: what reads beside a gather seldom needs it, and starts sooner

    for link in parse_header_links(headers["Link"][:8_000]):
        for rel in link.get("rel", "").lower().split():
            links.setdefault(rel, link["url"])
    return links


def _of_xml(text: str) -> dict[str, str]:
    """The links of the feed itself: those before its first item."""
    first = _FIRST_ITEM.search(text)
    links: dict[str, str] = {}
    for match in _LINK.finditer(text, 0, first.start() if first else len(text)):
        found = {name.lower(): unescape(one or other) for name, one, other in _ATTRIBUTE.findall(match[1])}
        for rel in found.get("rel", "").lower().split():
            if found.get("href"):
                links.setdefault(rel, found["href"])
    return links


def _of_json(body: bytes, content_type: str) -> dict[str, str]:
    try:
        feed = json.loads(decode(body, content_type))
    except (ValueError, RecursionError):
        return {}
    links: dict[str, str] = {}
    for hub in feed.get("hubs") or () if isinstance(feed, dict) else ():
        if isinstance(hub, dict) and str(hub.get("type", "")).lower() == "websub" and isinstance(hub.get("url"), str):
            links.setdefault("hub", hub["url"])
    if links and isinstance(feed.get("feed_url"), str):
        links["self"] = feed["feed_url"]
    return links
