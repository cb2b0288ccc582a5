"""What an answer comes to: the items that are worth keeping, and what the source wishes. No I/O, no state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from digest.domain.content import Entry
from digest.domain.incoming import Incoming, incoming
from digest.domain.newsroom import EventSpec
from digest.feeds import honest
from digest.feeds.clean import canonical_url
from digest.feeds.detours import is_detour, unwrapped
from digest.feeds.hubs import Hub
from digest.feeds.pace import Rhythm, Wishes, rhythm_of, wishes_of
from digest.feeds.read import Source, read
from digest.feeds.reporter import original_reporter


@dataclass(frozen=True, slots=True)
class Understood:
    """What a source's answer says.

    Attributes:
        items: of every kind of source but ``events``, whose are ``events``.
        detours: the addresses among theirs that look as if they only led to an article.
        hub: where it can be had by push.
        rhythm, wishes: when to ask again.
    """

    items: tuple[Incoming, ...] = ()
    events: tuple[EventSpec, ...] = ()
    detours: frozenset[str] = frozenset()
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
    items: list[Incoming] = []
    moments: list[datetime | None] = []
    for entry in found.entries:
        if url := _address(entry):
            moment = honest.published(entry, url, now, first_read=first_read)
            items.append(_item(entry, url, moment, name))
            moments.append(moment)
    return Understood(
        tuple(items),
        found.events,
        frozenset(item.url for item in items if is_detour(item.url)),
        found.hub,
        rhythm_of(moments, now),
        wishes_of(headers, body, found.ttl_minutes),
    )


def item_of(entry: Entry, source: str, now: datetime) -> Incoming | None:
    """An entry as an article to be; None if it has no title or links nowhere: nobody could read it."""
    url = _address(entry)
    return _item(entry, url, honest.published(entry, url, now, first_read=False), source) if url else None


def _address(entry: Entry) -> str:
    """The canonical address of an entry; "" if it has none, or no title."""
    url = canonical_url(entry.url)
    if (inner := unwrapped(url)) != url:
        url = canonical_url(inner) or url
    return url if entry.title else ""


def _item(entry: Entry, url: str, published: datetime | None, source: str) -> Incoming:
    return incoming(entry, url, published, original_reporter(f"{entry.summary}\n{entry.content}", source))
