"""The reader's hour, the whole year: once a day, on their clock, whatever clocks and readers do."""

import itertools
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.appointment import appointment
from digest.domain.calendar import local_instant

# Zones that change their clocks at other times than each other, in the other half of the year, by half an hour, not at
# all, by hours of no whole number, and at the ends of the map.
ZONES = st.sampled_from(
    [
        "UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo", "Asia/Kathmandu", "Australia/Lord_Howe",
        "Pacific/Auckland", "Pacific/Apia", "Pacific/Chatham", "America/Santiago", "Africa/Casablanca", "Etc/GMT+12",
    ]
)  # fmt: skip
HOURS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
DAYS = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]


@given(ZONES, HOURS, ZONES, HOURS)
def test_a_whole_year_brings_one_copy_on_every_local_date_at_the_readers_hour(
    zone: str, hour: time, theirs: str, wanted: time
) -> None:
    """Every issue of a daily newsletter, over all changes of clocks on both sides."""
    there = ZoneInfo(theirs)
    days = []
    for day in DAYS:
        due = local_instant(day, hour, zone)
        found = appointment(day, due, hour=hour, zone=zone, reader_hour=wanted, reader_zone=theirs)
        assert found.at >= due
        assert found.at - due < timedelta(hours=28)
        local = found.at.astimezone(there)
        assert local.date() == found.day
        # On the clock it is that hour; where it does not exist on that day, the first instant after the gap.
        assert found.at == local_instant(found.day, wanted, theirs)
        days.append(local.date())
    assert all(after - before == timedelta(days=1) for before, after in itertools.pairwise(days))


@given(
    ZONES, HOURS, st.lists(st.tuples(st.integers(0, 13), ZONES, HOURS), min_size=1, max_size=5), st.sampled_from(DAYS)
)
def test_whoever_moves_gets_every_issue_once_and_in_order(
    zone: str, hour: time, moves: list[tuple[int, str, time]], first: date
) -> None:
    """Two weeks in which a reader changes zone and hour at any time; what waits follows, as the workflow lets it."""
    begin = local_instant(first, hour, zone)
    changes = sorted((begin + timedelta(days=day, hours=day * 7 % 24), theirs, wanted) for day, theirs, wanted in moves)
    issues = {day: local_instant(day, hour, zone) for day in (first + timedelta(days=n) for n in range(14))}
    settings = ("UTC", time(7))
    waiting: dict[date, datetime] = {}
    sent: list[tuple[datetime, date]] = []

    def leave(until: datetime) -> None:
        for day, at in sorted(waiting.items(), key=lambda each: (each[1], each[0])):
            if at <= until:
                sent.append((at, day))
                del waiting[day]

    def at_of(day: date, now: datetime) -> datetime:
        found = appointment(day, issues[day], hour=hour, zone=zone, reader_hour=settings[1], reader_zone=settings[0])
        return max(found.at, now)

    steps = [(due, 0, day) for day, due in issues.items()] + [(moment, 1, n) for n, (moment, *_) in enumerate(changes)]
    for now, kind, what in sorted(steps, key=lambda step: (step[0], step[1], str(step[2]))):
        leave(now)
        if kind == 0:
            waiting[what] = at_of(what, now)  # type: ignore[index, arg-type]
        else:
            settings = changes[what][1:]  # type: ignore[index]
            waiting.update({day: at_of(day, now) for day in waiting})
    leave(begin + timedelta(days=60))
    assert [day for _, day in sent] == sorted(issues), "no issue is lost, doubled or overtaken"


@pytest.mark.parametrize(
    ("wanted", "theirs", "local"),
    [
        (time(7), "America/New_York", "2026-03-12 07:00"),  # out at 06:00: the same morning
        (time(5), "America/New_York", "2026-03-13 05:00"),  # before that: the next one
        (time(18), "Asia/Tokyo", "2026-03-13 18:00"),  # out at 19:00 in Tokyo (20:00 in winter)
        (time(20), "Asia/Tokyo", "2026-03-12 20:00"),
        # Berlin is five or six hours ahead: at 11:30 the issue is not out on every day of the year.
        (time(11, 30), "Europe/Berlin", "2026-03-13 11:30"),
        (time(12), "Europe/Berlin", "2026-03-12 12:00"),
    ],
)
def test_the_day_is_the_same_the_whole_year(wanted: time, theirs: str, local: str) -> None:
    due = local_instant(date(2026, 3, 12), time(6), "America/New_York")
    found = appointment(
        date(2026, 3, 12), due, hour=time(6), zone="America/New_York", reader_hour=wanted, reader_zone=theirs
    )
    assert f"{found.at.astimezone(ZoneInfo(theirs)):%Y-%m-%d %H:%M}" == local


def test_an_issue_that_is_late_leaves_at_once_for_whom_the_hour_has_passed() -> None:
    late = local_instant(date(2026, 3, 12), time(15), "UTC")
    found = appointment(date(2026, 3, 12), late, hour=time(6), zone="UTC", reader_hour=time(7), reader_zone="UTC")
    assert found.at == late
