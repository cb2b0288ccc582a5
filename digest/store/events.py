"""Events that calendars bring: kept beside those that editors write."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import Session, col, select

from digest.domain.newsroom import EventSpec
from digest.store.tables import NewsroomItem

_EVENT: TypeAdapter[EventSpec] = TypeAdapter(EventSpec)


def save_gathered(session: Session, feed_id: int, events: Sequence[EventSpec], now: datetime) -> int:
    """Keep the events of a calendar; those that it no longer lists are retired.

    Their slugs begin with ``ical-FEED-``, so they never meet an event that an editor wrote.

    Returns:
        how many are new.
    """
    prefix = f"ical-{feed_id}-"
    query = select(NewsroomItem).where(NewsroomItem.kind == "event", col(NewsroomItem.slug).startswith(prefix))
    known = {row.slug: row for row in session.exec(query)}
    listed: set[str] = set()
    new = 0
    for position, event in enumerate(events):
        slug = prefix + event.slug
        spec: dict[str, Any] = _EVENT.dump_python(event, mode="json") | {"slug": slug}
        row = known.get(slug)
        if row is None:
            row = known[slug] = NewsroomItem(kind="event", slug=slug, spec=spec)
            new += 1
        row.spec, row.position, row.retired_at = spec, 1000 + position, None
        listed.add(slug)
        session.add(row)
    for slug, row in known.items():
        if slug not in listed and row.retired_at is None:
            row.retired_at = now
            session.add(row)
    return new
