"""A newsletter's public numbers as feeds: Atom (RFC 4287) and JSON Feed 1.1 (jsonfeed.org)."""

import json
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from digest.store.newsletters import Offer, PublicIssue

ATOM = "http://www.w3.org/2005/Atom"


def atom_feed(public_url: str, offer: Offer, numbers: Sequence[PublicIssue]) -> bytes:
    """The feed as UTF-8 XML, newest number first. Its ids are the pages' addresses and never change."""
    home = f"{public_url}/archive/{offer.slug}"
    feed = ET.Element("feed", {"xmlns": ATOM})
    _add(feed, "id", home)
    _add(feed, "title", offer.spec.name)
    _add(feed, "subtitle", offer.spec.tagline)
    ET.SubElement(feed, "link", {"rel": "self", "href": f"{home}/feed.xml"})
    ET.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": home})
    newest = [(number.issue.finished_at or number.issue.window_end) for number in numbers]
    _add(feed, "updated", max(newest).isoformat() if newest else "1970-01-01T00:00:00+00:00")
    _add(ET.SubElement(feed, "author"), "name", offer.spec.host or offer.spec.name)
    for number in numbers:
        url = f"{home}/{number.issue.number}"
        entry = ET.SubElement(feed, "entry")
        _add(entry, "id", url)
        _add(entry, "title", number.headline or f"{offer.spec.name} No. {number.issue.number}")
        ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": url})
        _add(entry, "published", number.issue.window_end.isoformat())
        _add(entry, "updated", (number.issue.finished_at or number.issue.window_end).isoformat())
    document: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return document


def json_feed(public_url: str, offer: Offer, numbers: Sequence[PublicIssue]) -> bytes:
    """The same as JSON Feed; ids and dates are those of the Atom feed."""
    home = f"{public_url}/archive/{offer.slug}"
    items = [
        {
            "id": f"{home}/{number.issue.number}",
            "url": f"{home}/{number.issue.number}",
            "title": number.headline or f"{offer.spec.name} No. {number.issue.number}",
            "content_text": f"{offer.spec.name} No. {number.issue.number}: {number.headline or offer.spec.tagline}",
            "date_published": number.issue.window_end.isoformat(),
            "date_modified": (number.issue.finished_at or number.issue.window_end).isoformat(),
        }
        for number in numbers
    ]
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": offer.spec.name,
        "description": offer.spec.tagline,
        "home_page_url": home,
        "feed_url": f"{home}/feed.json",
        "language": offer.spec.locale,
        "authors": [{"name": offer.spec.host or offer.spec.name}],
        "items": items,
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _add(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = "".join(character for character in text if character >= " ")
