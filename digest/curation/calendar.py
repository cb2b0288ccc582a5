"""What the date decides: events ahead, the slot that is sold, the quotation of the day."""

from collections.abc import Iterable, Sequence
from datetime import date

from digest.domain.newsroom import EpigraphSpec, EventSpec, SponsorSpec


def ahead(events: Iterable[EventSpec], day: date) -> tuple[EventSpec, ...]:
    """Events that are not over on ``day``, soonest first; one that two calendars name is shown once."""
    kept: dict[tuple[str, date], EventSpec] = {}
    for event in sorted(events, key=lambda event: (event.starts, event.name, event.slug)):
        if event.ends >= day:
            kept.setdefault((event.name.casefold(), event.starts), event)
    return tuple(kept.values())


def sold(sponsors: Iterable[SponsorSpec], newsletter: str, day: date, placement: str = "top") -> SponsorSpec | None:
    """The approved sponsor of a newsletter's slot on ``day``; the one that began last if several claim it."""
    claims = [
        sponsor
        for sponsor in sponsors
        if sponsor.approved
        and sponsor.placement == placement
        and sponsor.starts <= day <= sponsor.ends
        and (not sponsor.newsletters or newsletter in sponsor.newsletters)
    ]
    return max(claims, key=lambda sponsor: (sponsor.starts, sponsor.slug), default=None)


def of_the_day(epigraphs: Sequence[EpigraphSpec], day: date) -> EpigraphSpec | None:
    """The quotation of the day: the pool in turn, one a day."""
    return epigraphs[day.toordinal() % len(epigraphs)] if epigraphs else None
