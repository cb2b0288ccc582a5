"""What an answer comes to: the items that are worth keeping, and what the source wishes. No I/O, no state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from digest.domain.content import Entry
from digest.domain.newsroom import EventSpec
from digest.feeds import honest
from digest.feeds.clean import canonical_url
from digest.feeds.detours import unwrapped
from digest.feeds.pace import Rhythm, Wishes, rhythm_of, wishes_of
from digest.feeds.read import Source, read
from digest.feeds.reporter import original_reporter
from digest.feeds.websub import Hub


class Item(NamedTuple):
    """An entry that may become an article.

    Attributes:
        url: canonical, not empty.
        reporter: the outlet that the text credits with the original report, "" if none.
    """

    entry: Entry
    url: str
    reporter: str


@dataclass(frozen=True, slots=True)
class Understood:
    """What a source's answer says.

    Attributes:
        items: of every kind of source but ``events``, whose are ``events``.
        hub: where it can be had by push.
        rhythm, wishes: when to ask again.
    """

    items: tuple[Item, ...] = ()
    events: tuple[EventSpec, ...] = ()
    hub: Hub | None = None
    rhythm: Rhythm = field(default_factory=Rhythm)
    wishes: Wishes = field(default_factory=Wishes)


def understand(
    source: Source,
    name: str,
    body: bytes,
    content_type: str,
    url: str,
    headers: Mapping[str, str],
    *,
    now: datetime,
    first_read: bool,
) -> Understood:
    """What the answer of a source says.

    Args:
        name: the outlet's, which credits nobody when it names itself.
        url: the final URL, against which relative links resolve.
        first_read: the source was never read before.

    Raises:
        ParseError: it is something else; says what, and what to do.
    """
    found = read(source, body, content_type, url, now=now, headers=headers)
    items = tuple(item for entry in found.entries if (item := item_of(entry, name, now, first_read=first_read)))
    return Understood(
        items,
        found.events,
        found.hub,
        rhythm_of((item.entry.published_at or item.entry.updated_at for item in items), now),
        wishes_of(headers, body, found.ttl_minutes),
    )


def item_of(entry: Entry, source: str, now: datetime, *, first_read: bool = False) -> Item | None:
    """An entry as an article to be; None if it has no title or links nowhere: nobody could read it."""
    url = canonical_url(entry.url)
    if (inner := unwrapped(url)) != url:
        url = canonical_url(inner) or url
    if not url or not entry.title:
        return None
    published = honest.published(entry, url, now, first_read=first_read)
    if published != entry.published_at:
        entry = replace(entry, published_at=published)
    return Item(entry, url, original_reporter(f"{entry.summary}\n{entry.content}", source))
