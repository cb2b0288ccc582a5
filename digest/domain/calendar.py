"""Windows, cadences and local hours. Times are aware UTC; zones are IANA names.

A *slot* is a local date on which a cadence sends: keyed by date, an ambiguous local hour (DST overlap)
happens once, and a local hour that does not exist (DST gap) moves to the first instant after the gap.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

CadenceName = Literal["daily", "weekdays", "weekly"]
Frequency = Literal["every-issue", "daily", "weekdays", "weekly"]
FREQUENCIES: tuple[Frequency, ...] = get_args(Frequency)

SILENCE = timedelta(days=31)
"""A newsletter that said nothing for longer begins anew; up to here a missed run is made up for by the next one."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open interval [start, end) of publication times; windows of a newsletter are contiguous."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware times")
        if self.start >= self.end:
            raise ValueError(f"a window must end after it starts: {self.start} … {self.end}")

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def local_instant(day: date, hour: time, zone: str) -> datetime:
    """The UTC instant at which the wall clock in ``zone`` shows ``hour`` on ``day``.

    In an overlap the first of the two; in a gap the first instant after the gap.
    """
    tz = ZoneInfo(zone)
    local = datetime.combine(day, hour, tzinfo=tz)
    instant = local.astimezone(UTC)
    if instant.astimezone(tz).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    # In a gap: fold=0 uses the offset before it, so the instant lies after the gap by the part of the
    # hour that does not exist. The gap's end is where the offset changes.
    before, after = local.utcoffset(), local.replace(fold=1).utcoffset()
    assert before is not None
    assert after is not None
    low, high = instant - abs(after - before), instant
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(tz).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Cadence:
    """When a newsletter comes out.

    Attributes:
        name: ``daily``, ``weekdays`` (Monday to Friday) or ``weekly``.
        hour: local time of sending.
        zone: IANA zone of the newsletter.
        weekday: for ``weekly``, 0 is Monday.
    """

    name: CadenceName = "daily"
    hour: time = time(6, 0)
    zone: str = "UTC"
    weekday: int = 0

    def falls_on(self, day: date) -> bool:
        """Whether the newsletter comes out on that local date."""
        match self.name:
            case "daily":
                return True
            case "weekdays":
                return day.weekday() < 5
            case "weekly":
                return day.weekday() == self.weekday

    def latest_slot(self, now: datetime) -> tuple[date, datetime]:
        """The newest slot that is not after ``now``: its local date and its instant."""
        day = now.astimezone(ZoneInfo(self.zone)).date() + timedelta(days=1)
        while True:
            if self.falls_on(day):
                instant = local_instant(day, self.hour, self.zone)
                if instant <= now:
                    return day, instant
            day -= timedelta(days=1)

    def next_slot(self, now: datetime) -> tuple[date, datetime]:
        """The first slot after ``now``: its local date and its instant."""
        day = now.astimezone(ZoneInfo(self.zone)).date() - timedelta(days=1)
        while True:
            if self.falls_on(day):
                instant = local_instant(day, self.hour, self.zone)
                if instant > now:
                    return day, instant
            day += timedelta(days=1)

    @property
    def period(self) -> timedelta:
        """The usual length of a window; the first window of a newsletter is that long."""
        return timedelta(days=7) if self.name == "weekly" else timedelta(days=1)


def window_ending(end: datetime, previous_end: datetime | None, cadence: Cadence) -> Window:
    """The window of an issue: it starts where the previous one ended, so nothing falls between two runs.

    After a silence of over ``SILENCE`` it starts one period before its end instead: last month's news is no news.
    """
    earliest = end - SILENCE
    if previous_end is None or previous_end < earliest or previous_end >= end:
        return Window(end - cadence.period, end)
    return Window(previous_end, end)
