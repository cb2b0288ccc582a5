"""iCalendar (RFC 5545) to events."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from icalendar import Calendar

from digest.domain.newsroom import EventSpec
from digest.errors import ParseError
from digest.feeds.clean import absolute_url, clipped, one_line, plain_text
from digest.feeds.decode import decode
from digest.feeds.recurrence import Repeats

MAX_EVENTS = 2_000
_BLURB_LENGTH = 1_000


def parse_calendar(body: bytes, content_type: str, url: str, *, today: date) -> tuple[EventSpec, ...]:
    """The events of a calendar, by start; cancelled ones and those without name or date are left out.

    ``ends`` of an :class:`EventSpec` is included, while DTEND is not (RFC 5545 3.6.1). A time is taken at its own
    place: the local date counts. A repeated event gives an event for each of its dates from ``today`` on (RRULE,
    RDATE, EXDATE, and single dates that were moved, reworded or cancelled by RECURRENCE-ID).

    Raises:
        ParseError: it is no calendar.
    """
    text = decode(body, content_type).lstrip("\ufeff \t\r\n")
    if not text.upper().startswith("BEGIN:VCALENDAR"):
        raise ParseError("this is no iCalendar file: it doesn't begin with BEGIN:VCALENDAR")
    try:
        components = Calendar.from_ical(text).walk("VEVENT")[:MAX_EVENTS]
        events = list(_events(components, url, Repeats(today)))[:MAX_EVENTS]
    except Exception as error:  # icalendar raises ValueError and more, depending on the property
        raise ParseError(f"this calendar can't be read ({error})"[:300]) from error
    return tuple(sorted({event.slug: event for event in events}.values(), key=lambda event: (event.starts, event.name)))


def _events(components: list[Any], url: str, repeats: Repeats) -> Iterator[EventSpec]:
    changed = {(_identity(each), _day(which)) for each in components if (which := _moment(each, "RECURRENCE-ID"))}
    for component in components:
        starts = _moment(component, "DTSTART")
        if starts is None:
            continue
        which = _moment(component, "RECURRENCE-ID")
        days = None if which else repeats.days(component, starts)
        if days is None:
            if event := _event(component, url, starts, which and _day(which)):
                yield event
            continue
        for day in days:
            if (_identity(component), day) in changed:
                continue
            if event := _event(component, url, starts, day):
                shift = day - _day(starts)
                yield replace(event, starts=event.starts + shift, ends=event.ends + shift)


def _identity(component: Any) -> str:
    return str(component.get("UID") or one_line(str(component.get("SUMMARY") or "")))


def _event(component: Any, url: str, starts: date | datetime, which: date | None) -> EventSpec | None:
    """One event; ``which`` names the date of a repeated event that it is, so that it keeps its slug when moved."""
    name = one_line(str(component.get("SUMMARY") or ""))
    if not name or str(component.get("STATUS") or "").upper() == "CANCELLED":
        return None
    identity = f"{_identity(component)}\0{which}"
    venue, address = _place(str(component.get("LOCATION") or ""))
    return EventSpec(
        slug=hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:16],
        name=clipped(name, 300),
        venue=venue,
        starts=_day(starts),
        ends=_last_day(component, starts),
        address=address,
        blurb=clipped(one_line(plain_text(str(component.get("DESCRIPTION") or ""))), _BLURB_LENGTH),
        url=absolute_url(str(component.get("URL") or ""), url),
    )


def _moment(component: Any, name: str) -> date | datetime | None:
    value = getattr(component.get(name), "dt", None)
    return value if isinstance(value, date) else None


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _last_day(component: Any, starts: date | datetime) -> date:
    ends = _moment(component, "DTEND")
    if ends is None:
        duration = getattr(component.get("DURATION"), "dt", None)
        ends = starts + duration if isinstance(duration, timedelta) else starts
    last = _day(ends - timedelta(microseconds=1)) if isinstance(ends, datetime) else ends - timedelta(days=1)
    return max(last, _day(starts))


def _place(location: str) -> tuple[str, str]:
    """Venue and street address: parted at the first line break, or else at the first comma."""
    parts = re.split(r"\n|,", location.strip(), maxsplit=1)
    venue, address = one_line(parts[0]), one_line(parts[1]) if len(parts) > 1 else ""
    return venue[:200], address.strip(" ,")[:300]
