"""The newsroom in tables: read as one value, written row by row, nothing deleted."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import Session, select

from digest.domain.content import TopicProfile
from digest.domain.newsroom import (
    ChartSpec,
    EpigraphSpec,
    EventSpec,
    FeedSpec,
    LetterSpec,
    LinkSpec,
    NewsletterSpec,
    Newsroom,
    ResearchSpec,
    Site,
    SponsorSpec,
)
from digest.store.feed_specs import spec_of, write_spec
from digest.store.tables import Feed, Newsletter, NewsroomItem, Topic

ITEM_KINDS: dict[str, tuple[str, Any]] = {
    "sponsor": ("sponsors", SponsorSpec),
    "event": ("events", EventSpec),
    "research": ("research", ResearchSpec),
    "epigraph": ("epigraphs", EpigraphSpec),
    "link": ("links", LinkSpec),
    "chart": ("charts", ChartSpec),
    "letter": ("letters", LetterSpec),
}
TAKEN_OUT = "taken out of the newsroom"
"""Why a feed is retired that the newsroom no longer names (others have ended by themselves)."""

GATHERED = "ical-"
"""Slugs of events that calendars bring begin with this (see ``store.events``); they are not the newsroom's to write."""

_NEWSLETTER = TypeAdapter(NewsletterSpec)
_TOPIC = TypeAdapter(TopicProfile)
_SITE = TypeAdapter(Site)


def read_newsroom(session: Session) -> Newsroom:
    """Everything that is in force (what was retired is left out), in the order of the files."""
    items = {
        name: tuple(TypeAdapter(kind).validate_python(row.spec) for row in _items(session, singular))
        for singular, (name, kind) in ITEM_KINDS.items()
    }
    site = session.get(NewsroomItem, ("site", "site"))
    return Newsroom(
        site=_SITE.validate_python(site.spec) if site else Site(),
        feeds=feeds(session),
        topics=topics(session),
        newsletters=newsletters(session),
        **items,
    )


def feeds(session: Session) -> tuple[FeedSpec, ...]:
    """All feeds that the newsroom wants, in the order in which they were added; also those that ended (HTTP 410)."""
    rows = session.exec(select(Feed).where(Feed.retired_why != TAKEN_OUT).order_by(Feed.id))  # type: ignore[arg-type]
    return tuple(spec_of(row) for row in rows)


def topics(session: Session) -> tuple[TopicProfile, ...]:
    """All topics in force."""
    rows = session.exec(select(Topic).where(Topic.retired_at == None).order_by(Topic.position, Topic.slug))  # type: ignore[arg-type]  # noqa: E711
    return tuple(_TOPIC.validate_python(row.spec) for row in rows)


def newsletters(session: Session) -> tuple[NewsletterSpec, ...]:
    """All newsletters in force."""
    rows = session.exec(select(Newsletter).where(Newsletter.retired_at == None).order_by(Newsletter.id))  # type: ignore[arg-type]  # noqa: E711
    return tuple(_NEWSLETTER.validate_python(row.spec) for row in rows)


def gathered_events(session: Session) -> tuple[EventSpec, ...]:
    """Events that came from calendar feeds."""
    adapter = TypeAdapter(EventSpec)
    rows = session.exec(select(NewsroomItem).where(NewsroomItem.kind == "event", NewsroomItem.retired_at == None))  # noqa: E711
    return tuple(adapter.validate_python(row.spec) for row in rows if row.slug.startswith(GATHERED))


def write_newsroom(session: Session, wanted: Newsroom, now: datetime) -> None:
    """Make the tables say what ``wanted`` says. Feeds keep their history; what is missing is retired, not deleted."""
    _write_feeds(session, wanted.feeds, now)
    topics_by_slug = {row.slug: row for row in session.exec(select(Topic))}
    for position, topic in enumerate(wanted.topics):
        row = topics_by_slug.pop(topic.slug, None) or Topic(slug=topic.slug, name=topic.name, spec={})
        row.name, row.position, row.spec, row.retired_at = topic.name, position, _plain(_TOPIC, topic), None
        session.add(row)
    letters = {row.slug: row for row in session.exec(select(Newsletter))}
    for spec in wanted.newsletters:
        letter = letters.pop(spec.slug, None) or Newsletter(slug=spec.slug, name=spec.name, spec={})
        letter.name, letter.spec, letter.retired_at = spec.name, _plain(_NEWSLETTER, spec), None
        session.add(letter)
    _retire([*topics_by_slug.values(), *letters.values()], now)
    for singular, (name, kind) in ITEM_KINDS.items():
        _write_items(session, singular, TypeAdapter(kind), [(row.slug, row) for row in getattr(wanted, name)], now)
    _write_items(session, "site", _SITE, [("site", wanted.site)], now)


def _write_feeds(session: Session, wanted: Iterable[FeedSpec], now: datetime) -> None:
    present = {row.url: row for row in session.exec(select(Feed))}
    for spec in wanted:
        row = present.pop(spec.url, None) or Feed(url=spec.url, name=spec.name)
        write_spec(row, spec)
        if row.retired_why == TAKEN_OUT:
            row.retired_at, row.retired_why = None, ""
        session.add(row)
    for row in present.values():
        if row.retired_why != TAKEN_OUT:
            row.retired_at, row.retired_why = now, TAKEN_OUT


def _write_items(
    session: Session, kind: str, adapter: TypeAdapter[Any], wanted: list[tuple[str, Any]], now: datetime
) -> None:
    rows = session.exec(select(NewsroomItem).where(NewsroomItem.kind == kind))
    present = {row.slug: row for row in rows if not row.slug.startswith(GATHERED)}
    for position, (slug, spec) in enumerate(wanted):
        row = present.pop(slug, None) or NewsroomItem(kind=kind, slug=slug, spec={})
        row.position, row.spec, row.retired_at = position, _plain(adapter, spec), None
        session.add(row)
    _retire(present.values(), now)


def _retire(rows: Iterable[Topic | Newsletter | NewsroomItem], now: datetime) -> None:
    for row in rows:
        row.retired_at = row.retired_at or now


def _items(session: Session, kind: str) -> list[NewsroomItem]:
    query = select(NewsroomItem).where(NewsroomItem.kind == kind, NewsroomItem.retired_at == None)  # noqa: E711
    rows = session.exec(query.order_by(NewsroomItem.position, NewsroomItem.slug))  # type: ignore[arg-type]
    return [row for row in rows if not row.slug.startswith(GATHERED)]


def _plain(adapter: TypeAdapter[Any], value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = adapter.dump_python(value, mode="json")
    return plain


def add_feed(session: Session, spec: FeedSpec) -> None:
    """Add a feed, or bring a retired one back."""
    row = session.exec(select(Feed).where(Feed.url == spec.url)).first() or Feed(url=spec.url, name=spec.name)
    write_spec(row, spec)
    row.retired_at, row.retired_why = None, ""
    session.add(row)
