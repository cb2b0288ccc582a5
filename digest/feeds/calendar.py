"""iCalendar (RFC 5545) to events."""

import hashlib
import re
from datetime import date, datetime, timedelta
from typing import Any

from icalendar import Calendar

from digest.domain.newsroom import EventSpec
from digest.errors import ParseError
from digest.feeds.clean import absolute_url, clipped, one_line, plain_text
from digest.feeds.decode import decode

MAX_EVENTS = 2_000
_BLURB_LENGTH = 1_000


def parse_calendar(body: bytes, content_type: str, url: str) -> tuple[EventSpec, ...]:
    """The events of a calendar, by start; cancelled ones and those without name or date are left out.

    ``ends`` of an :class:`EventSpec` is included, while DTEND is not (RFC 5545 3.6.1). A time is taken at its own
    place: the local date counts. Of a repeated event, the first date.

    Raises:
        ParseError: it is no calendar.
    """
    text = decode(body, content_type).lstrip("\ufeff \t\r\n")
    if not text.upper().startswith("BEGIN:VCALENDAR"):
        raise ParseError("this is no iCalendar file: it doesn't begin with BEGIN:VCALENDAR")
    try:
        components = Calendar.from_ical(text).walk("VEVENT")[:MAX_EVENTS]
        events = [event for component in components if (event := _event(component, url))]
    except Exception as error:  # icalendar raises ValueError and more, depending on the property
        raise ParseError(f"this calendar can't be read ({error})"[:300]) from error
    return tuple(sorted({event.slug: event for event in events}.values(), key=lambda event: (event.starts, event.name)))


def _event(component: Any, url: str) -> EventSpec | None:
    name = one_line(str(component.get("SUMMARY") or ""))
    starts = _moment(component, "DTSTART")
    if not name or starts is None or str(component.get("STATUS") or "").upper() == "CANCELLED":
        return None
    identity = f"{component.get('UID') or name}\0{component.get('RECURRENCE-ID') and _day(starts)}"
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
