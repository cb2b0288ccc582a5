"""Dates as sources write them, to aware UTC; nonsense becomes None."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

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
