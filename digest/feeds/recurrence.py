"""The dates of repeated events (RFC 5545, 3.8.5), as far as a newsletter looks ahead.

Our own and small, because time must be bounded: dateutil looks for a date that never comes (30 February) until the
year 9999, five seconds for each rule. The tests hold both against each other.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

AHEAD = timedelta(days=366)
MAX_DATES = 60
"""Of one event."""
BEHIND = timedelta(days=366 * 20)
"""A rule that began earlier than this is not followed."""
BUDGET = 400_000
"""Days that the rules of one calendar may be followed over, so that no calendar takes seconds to read."""
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KNOWN = {"FREQ", "INTERVAL", "UNTIL", "COUNT", "WKST", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS"}


@dataclass(frozen=True, slots=True)
class Rule:
    """What an RRULE says: its parts by their names in RFC 5545; ``by_day`` holds (ordinal or 0, weekday)."""

    freq: str
    interval: int = 1
    week_start: int = 0
    by_month: frozenset[int] = frozenset()
    by_month_day: frozenset[int] = frozenset()
    by_day: frozenset[tuple[int, int]] = frozenset()
    by_position: frozenset[int] = frozenset()

    def dates(self, first: date, end: date) -> Iterator[date]:
        """The dates of the rule from ``first`` to ``end``, in order."""
        for start, length in self._periods(first, end):
            days = (start + timedelta(days=number) for number in range(length))
            found = [day for day in days if self._matches(day, first)]
            if self.by_position:
                size = len(found)
                found = [day for at, day in enumerate(found) if {at + 1, at - size} & self.by_position]
            yield from (day for day in found if first <= day <= end)

    def _periods(self, first: date, end: date) -> Iterator[tuple[date, int]]:
        """The first day and length of each period in which the rule has dates."""
        start, number = first, 0
        while start <= end:
            match self.freq:
                case "DAILY":
                    start = first + timedelta(days=number)
                    length = 1
                case "WEEKLY":
                    start = first + timedelta(days=7 * number - (first.weekday() - self.week_start) % 7)
                    length = 7
                case "MONTHLY":
                    months = first.year * 12 + first.month - 1 + number
                    start = date(months // 12, months % 12 + 1, 1)
                    length = monthrange(start.year, start.month)[1]
                case _:
                    start = date(first.year + number, 1, 1)
                    length = (date(first.year + number, 12, 31) - start).days + 1
            yield start, length
            number += self.interval

    def _matches(self, day: date, first: date) -> bool:
        by_month, by_month_day, by_day = self.by_month, self.by_month_day, self.by_day
        if not by_month_day and not by_day:
            match self.freq:
                case "WEEKLY":
                    by_day = frozenset({(0, first.weekday())})
                case "MONTHLY":
                    by_month_day = frozenset({first.day})
                case "YEARLY":
                    by_month_day = frozenset({first.day})
                    by_month = by_month or frozenset({first.month})
        if by_month and day.month not in by_month:
            return False
        last = monthrange(day.year, day.month)[1]
        if by_month_day and not {day.day, day.day - last - 1} & by_month_day:
            return False
        return not by_day or any(
            weekday == day.weekday() and (not nth or nth in self._ordinals(day, last)) for nth, weekday in by_day
        )

    def _ordinals(self, day: date, last: int) -> tuple[int, int]:
        """Which one of its weekday a day is, from the front and from behind: of its month, or else of its year."""
        if self.freq == "YEARLY" and not self.by_month:
            number, length = day.timetuple().tm_yday, (date(day.year, 12, 31) - date(day.year, 1, 1)).days + 1
        else:
            number, length = day.day, last
        return (number - 1) // 7 + 1, -((length - number) // 7 + 1)


def rule_of(parts: Any) -> Rule | None:
    """An RRULE as icalendar reads it; None if it has parts that are not followed (by hour, week or day of the year)."""
    values = {str(name).upper(): value if isinstance(value, list) else [value] for name, value in parts.items()}
    freq = str(values.get("FREQ", [""])[0]).upper()
    if values.keys() - _KNOWN or freq not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        return None
    try:
        days = frozenset(
            (int(str(each)[:-2] or 0), _WEEKDAYS.index(str(each)[-2:].upper())) for each in values.get("BYDAY", ())
        )
        return Rule(
            freq,
            min(max(int(values.get("INTERVAL", [1])[0]), 1), 10_000),
            _WEEKDAYS.index(str(values.get("WKST", ["MO"])[0]).upper()),
            frozenset(map(int, values.get("BYMONTH", ()))),
            frozenset(map(int, values.get("BYMONTHDAY", ()))),
            days,
            frozenset(map(int, values.get("BYSETPOS", ()))),
        )
    except (ValueError, TypeError):
        return None


class Repeats:
    """Follows the rules of one calendar."""

    def __init__(self, today: date) -> None:
        self._today, self._left = today, BUDGET

    def days(self, component: Any, starts: date | datetime) -> tuple[date, ...] | None:
        """The local dates of an event from ``today`` on, for a year; None if it is not repeated or can't be followed.

        An event under way counts: one that lasts three days is found until its last. Rules by the hour or quicker,
        rules that began over 20 years ago and several rules at once are not followed.
        """
        if not any(name in component for name in ("RRULE", "RDATE")):
            return None
        first = _local(starts, starts)
        days = {first}
        if "RRULE" in component:
            found = self._by_rule(component.get("RRULE"), first, starts)
            if found is None:
                return None
            days = found
        days |= {_local(each, starts) for each in _dates(component.get("RDATE"))}
        days -= {_local(each, starts) for each in _dates(component.get("EXDATE"))}
        earliest = self._today - _length(component, starts)
        return tuple(sorted(day for day in days if day >= earliest)[:MAX_DATES])

    def _by_rule(self, parts: Any, first: date, starts: date | datetime) -> set[date] | None:
        rule = None if isinstance(parts, list) else rule_of(parts)
        end = self._today + AHEAD
        span = (end - first).days
        if rule is None or span > (AHEAD + BEHIND).days or span > self._left:
            return None
        self._left -= max(span, 0)
        until, count = _one(parts, "UNTIL"), _one(parts, "COUNT")
        if isinstance(until, date):
            end = min(end, self._last(until, starts))
        return set(islice(rule.dates(first, end), int(count) if count is not None else None))

    @staticmethod
    def _last(until: date | datetime, starts: date | datetime) -> date:
        """The last date on which an event may begin; UNTIL is included, to the minute."""
        last = _local(until, starts)
        if isinstance(until, datetime) and isinstance(starts, datetime):
            zone = starts.tzinfo
            clock = until.astimezone(zone) if until.tzinfo and zone else until
            if clock.time() < starts.time():
                return last - timedelta(days=1)
        return last


def _one(rule: Any, name: str) -> Any:
    values = rule.get(name)
    return values[0] if isinstance(values, list) and values else values


def _dates(value: Any) -> list[date | datetime]:
    """The dates of RDATE or EXDATE, which may stand several times; of a period its start."""
    lists = value if isinstance(value, list) else [value] if value is not None else []
    found = [getattr(each, "dt", None) for part in lists for each in getattr(part, "dts", ())]
    starts = [each[0] if isinstance(each, tuple) else each for each in found]
    return [each for each in starts if isinstance(each, date)]


def _local(moment: date | datetime, starts: date | datetime) -> date:
    """The date on the wall of the event's own place."""
    if not isinstance(moment, datetime):
        return moment
    zone = starts.tzinfo if isinstance(starts, datetime) else None
    return (moment.astimezone(zone) if moment.tzinfo and zone else moment).date()


def _length(component: Any, starts: date | datetime) -> timedelta:
    """How many days after its first an event still goes on."""
    ends = getattr(component.get("DTEND"), "dt", None)
    duration = getattr(component.get("DURATION"), "dt", None)
    if isinstance(ends, date):
        length = _wall(ends) - _wall(starts)
    else:
        length = duration if isinstance(duration, timedelta) else timedelta()
    return min(max(length - timedelta(microseconds=1), timedelta()), timedelta(days=60))


def _wall(moment: date | datetime) -> datetime:
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else datetime.combine(moment, time())
