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
    clock = text.find(":") - 2
    if 10 < clock < 20:
        try:
            midnight, zones = _DAYS[text[:clock]]
            zone = zones[text[clock + 8 :]]
            seconds = (
                _HOURS[text[clock : clock + 3]]
                + _MINUTES[text[clock + 3 : clock + 6]]
                + _SECONDS[text[clock + 6 : clock + 8]]
            )
            moment = midnight + timedelta(0, seconds) - zone
            return moment if _EARLIEST <= moment < _LATEST else None
        except KeyError:  # another form, or there's no such day
            pass
    try:
        moment = _usual(text)
        return moment if _EARLIEST <= moment < _LATEST else None
    except (ValueError, OverflowError):  # the thirtieth of February: feedparser may know more forms
        return of_struct(_parse_date(text))


def _usual(text: str) -> datetime:
    """The moment of a date in one of the two usual forms.

    Raises:
        ValueError, OverflowError: it has another form, or there's no such moment.
    """
    if match := _MAIL.fullmatch(text):
        day, name, year, hour, minute, second, zone = match.groups()
        month = str(_MONTHS.get(name, 0))
    elif match := _W3C.fullmatch(text):
        year, month, day, hour, minute, second, zone = match.groups()
    else:
        raise ValueError(text)
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    return moment if zone in _UTC else moment - _offset(zone)


def _offset(zone: str) -> timedelta:
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return -offset if zone[0] == "-" else offset


# Feeds say the same few days and zones again and again: what they mean is looked up.
_OFFSETS = [f"{sign}{hour:02}:{quarter}" for sign in "+-" for hour in range(15) for quarter in ("00", "15", "30", "45")]
_W3C_ZONES = {"Z": timedelta()} | {zone: _offset(zone) for zone in _OFFSETS}
_MAIL_ZONES = {" GMT": timedelta()} | {f" {zone.replace(':', '')}": _offset(zone) for zone in _OFFSETS}
_HOURS = {f"{hour:02}:": hour * 3_600 for hour in range(24)}
_MINUTES = {f"{minute:02}:": minute * 60 for minute in range(60)}
_SECONDS = {f"{second:02}": second for second in range(60)}


class _Days(dict[str, tuple[datetime, dict[str, timedelta]]]):
    """The midnight of a date, of what stands before its time, and the zones of its form; bounded."""

    def __missing__(self, start: str) -> tuple[datetime, dict[str, timedelta]]:
        zone, zones = ("Z", _W3C_ZONES) if start.endswith("T") else (" GMT", _MAIL_ZONES)
        try:
            found = _usual(f"{start}00:00:00{zone}"), zones
        except (ValueError, OverflowError):
            raise KeyError(start) from None
        if len(self) > 5_000:
            self.clear()
        self[start] = found
        return found


_DAYS = _Days()
