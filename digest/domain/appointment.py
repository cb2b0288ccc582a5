"""When a reader gets an issue: their own hour on their own clock, once for each issue, whatever clocks do.

An issue bears a day (the local date of its slot) and is out at ``due``. A reader's copy belongs to the local date
``day + shift`` in the reader's zone. The shift depends on the two zones and hours only, never on the date, so a reader
who changes nothing gets exactly one copy of a daily newsletter on each local date, the whole year. It is chosen so
that the issue is out by then on every day of the year, also in the weeks in which one side has changed its clocks and
the other has not.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from digest.domain.calendar import local_instant

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Appointment:
    """When a copy leaves, and the reader's local date on which it arrives."""

    at: datetime
    day: date


def appointment(day: date, due: datetime, *, hour: time, zone: str, reader_hour: time, reader_zone: str) -> Appointment:
    """The moment of a reader's copy.

    Args:
        day: the local date that the issue bears.
        due: when it is out; no copy leaves before. A copy whose hour has passed by then leaves at once.
        hour, zone: of the newsletter.
        reader_hour, reader_zone: of the reader. In a DST gap the first instant after it, in an overlap the first of two.
    """
    their_day = day + shift(day.year, hour, zone, reader_hour, reader_zone) * _DAY
    return Appointment(max(due, local_instant(their_day, reader_hour, reader_zone)), their_day)


@lru_cache(maxsize=4096)
def shift(year: int, hour: time, zone: str, reader_hour: time, reader_zone: str) -> int:
    """Days from an issue's day to the reader's local date of its copy: −1, 0, 1 or 2.

    The least for which the reader's hour never comes before the newsletter's, in any week of the year.
    """
    late = _minutes(hour) - _minutes(reader_hour) + _widest(year, zone, reader_zone)
    return -(-late // (24 * 60))


@lru_cache(maxsize=1024)
def _widest(year: int, zone: str, reader_zone: str) -> int:
    """By how many minutes the reader's clock is at most ahead of the newsletter's, from one new year to the next.

    The years around count too: rules that change at a new year must not shift the days around it.
    """
    ours, theirs = ZoneInfo(zone), ZoneInfo(reader_zone)
    noons = [datetime(year - 1, 12, 1, 12, tzinfo=UTC) + n * _DAY for n in range(31 + 366 + 31)]
    here = [_offset(noon, ours) for noon in noons]
    there = [_offset(noon, theirs) for noon in noons]
    # The copy may leave up to two days after the issue is out: the reader's clock may have changed by then.
    return max(max(there[n : n + 3]) - here[n] for n in range(len(noons)))


def _offset(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds() / 60)


def _minutes(hour: time) -> int:
    return hour.hour * 60 + hour.minute
