"""An item on its way from a feed to the table, in plain text: as one process sends it to another, and as databases take it."""

import json
from datetime import UTC, datetime
from typing import NamedTuple

from digest.domain.content import Entry, Image


class Incoming(NamedTuple):
    """An item that may become an article. Nothing but text: a feed's thirty cross a pipe in a few microseconds.

    Attributes:
        url: canonical, not empty.
        text: the full content.
        reporter: the outlet that the text credits with the original report, "" if none.
        tags, image: as JSON.
        published: see :func:`as_text`; "" if the feed gives no date.
        guid: the feed's own id, "" if it gives none.
    """

    url: str
    title: str
    summary: str
    text: str
    author: str
    reporter: str
    tags: str
    image: str
    language: str
    published: str
    guid: str


def incoming(entry: Entry, url: str, published: datetime | None, reporter: str = "") -> Incoming:
    """An entry on its way: ``url`` is its canonical one, ``published`` when it is really from."""
    return Incoming(
        url,
        entry.title,
        entry.summary,
        entry.content,
        entry.author,
        reporter,
        json.dumps(entry.tags) if entry.tags else "[]",
        image_json(entry.image),
        entry.language,
        as_text(published) if published else "",
        entry.guid,
    )


def image_json(image: Image | None) -> str:
    """A picture as JSON, "null" if there is none."""
    # dataclasses.asdict copies deeply, which takes longer than all the rest.
    return json.dumps({name: getattr(image, name) for name in Image.__slots__}) if image else "null"


def as_text(moment: datetime) -> str:
    """An aware moment in UTC, as "2026-03-12 09:00:00.000000": texts of moments stand in their order."""
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:26]
