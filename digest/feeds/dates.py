"""Dates as sources write them, to aware UTC; nonsense becomes None."""

import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from feedparser.datetimes import _parse_date

_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def sane(moment: datetime | None) -> datetime | None:
    """``moment`` in UTC (a naive one is taken as UTC), None if no news can be from then."""
    if moment is None:
        return None
    try:
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


def of_struct(parsed: time.struct_time | None) -> datetime | None:
    """The moment of a ``struct_time`` in UTC."""
    try:
        return sane(datetime(*parsed[:5], min(parsed[5], 59), tzinfo=UTC)) if parsed else None
    except (ValueError, TypeError, OverflowError):
        return None


def of_text(text: str) -> datetime | None:
    """The moment that an RFC 3339 or RFC 5322 date names."""
    text = text.strip()
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return sane(read(text))
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


_W3C = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):([0-5]\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_MAIL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):([0-5]\d) (GMT|[+-]\d{4})", re.ASCII
)
_UTC = frozenset(("Z", "GMT", "+0000", "+00:00", "-0000", "-00:00"))
_MONTHS = dict(zip("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), range(1, 13), strict=True))  # noqa: SIM905


def of_feed(text: str) -> datetime | None:
    """The moment that a feed's date names, as feedparser reads it; the two usual forms without its help."""
    try:
        if match := _MAIL.fullmatch(text):
            day, name, year, hour, minute, second, zone = match.groups()
            month = str(_MONTHS.get(name, 0))
        elif match := _W3C.fullmatch(text):
            year, month, day, hour, minute, second, zone = match.groups()
        else:
            return of_struct(_parse_date(text))
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        if zone not in _UTC:
            moment -= _offset(zone)
        return moment if _EARLIEST <= moment < _LATEST else None
    except (ValueError, OverflowError):  # the thirtieth of February: feedparser may know more forms
        return of_struct(_parse_date(text))


def _offset(zone: str) -> timedelta:
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return -offset if zone[0] == "-" else offset
