"""Windows, slots and local hours, with the days on which clocks change."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import assume, given
from hypothesis import strategies as st

from digest.domain.calendar import Cadence, Window, local_instant, window_ending

ZONES = st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Asia/Hong_Kong", "Australia/Lord_Howe"])
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001
HOURS = st.times().map(lambda hour: hour.replace(second=0, microsecond=0))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hour", "zone", "instant"),
    [
        (date(2026, 3, 12), time(6), "America/New_York", at("2026-03-12T10:00")),
        (date(2026, 1, 12), time(6), "America/New_York", at("2026-01-12T11:00")),
        # Clocks go forward at 02:00 on 8 March: 02:30 does not exist, the gap ends at 03:00 EDT.
        (date(2026, 3, 8), time(2, 30), "America/New_York", at("2026-03-08T07:00")),
        # Clocks go back at 02:00 on 1 November: 01:30 happens twice, the first one counts.
        (date(2026, 11, 1), time(1, 30), "America/New_York", at("2026-11-01T05:30")),
        # Lord Howe moves by half an hour.
        (date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", at("2026-10-03T15:30")),
    ],
)
def test_a_local_hour_is_one_instant_also_when_clocks_change(
    day: date, hour: time, zone: str, instant: datetime
) -> None:
    assert local_instant(day, hour, zone) == instant


@given(MOMENTS, HOURS, ZONES, st.sampled_from(["daily", "weekdays", "weekly"]))
def test_slots_follow_each_other_without_gap_or_repeat(now: datetime, hour: time, zone: str, name: str) -> None:
    cadence = Cadence(name, hour, zone)  # type: ignore[arg-type]
    day, latest = cadence.latest_slot(now)
    next_day, following = cadence.next_slot(now)
    assert latest <= now < following
    assert day < next_day
    assert cadence.latest_slot(following) == (next_day, following)
    assert cadence.next_slot(latest) == (next_day, following)


@given(MOMENTS, HOURS, ZONES)
def test_a_daily_newsletter_has_each_local_date_once(now: datetime, hour: time, zone: str) -> None:
    cadence = Cadence("daily", hour, zone)
    days = []
    for _ in range(10):
        day, now = cadence.next_slot(now)
        days.append(day)
    assert days == [days[0] + timedelta(days=n) for n in range(10)]


@pytest.mark.parametrize(("name", "days"), [("weekdays", [0, 1, 2, 3, 4, 0]), ("weekly", [2, 2, 2])])
def test_a_cadence_keeps_to_its_weekdays(name: str, days: list[int]) -> None:
    cadence, now = Cadence(name, time(6), "Europe/Berlin", weekday=2), at("2026-03-08T12:00")  # type: ignore[arg-type]
    found = []
    for _ in days:
        day, now = cadence.next_slot(now)
        found.append(day.weekday())
    assert found == days


@given(st.lists(st.integers(1, 24 * 31), min_size=1, max_size=8))
def test_windows_of_successive_issues_adjoin(hours: list[int]) -> None:
    cadence, end, previous = Cadence(), at("2026-03-01T06:00"), None
    windows: list[Window] = []
    for gap in hours:
        end += timedelta(hours=gap)
        windows.append(window_ending(end, previous, cadence))
        previous = end
    assert windows[0].end - windows[0].start == timedelta(days=1)
    for before, after in itertools.pairwise(windows):
        assert after.start == before.end
        assert before.end in after
        assert before.end not in before


@given(MOMENTS, HOURS, ZONES, st.sampled_from(["daily", "weekdays", "weekly"]))
def test_slots_are_those_of_a_cron_trigger_where_the_hour_exists_once(
    now: datetime, hour: time, zone: str, name: str
) -> None:
    """APScheduler's trigger skips an hour in a gap and fires twice in an overlap; a slot happens once in both."""
    cadence = Cadence(name, hour, zone)  # type: ignore[arg-type]
    day, instant = cadence.next_slot(now)
    local = datetime.combine(day, hour, tzinfo=ZoneInfo(zone))
    assume(local.utcoffset() == local.replace(fold=1).utcoffset())
    days = {"daily": "*", "weekdays": "mon-fri", "weekly": "mon"}[name]
    trigger = CronTrigger(day_of_week=days, hour=hour.hour, minute=hour.minute, timezone=ZoneInfo(zone))
    fires = trigger.get_next_fire_time(None, datetime.combine(day, time(0), tzinfo=ZoneInfo(zone)))
    assert fires is not None
    assert fires.astimezone(UTC) == instant


def test_after_a_long_silence_a_window_has_its_usual_length() -> None:
    end = at("2026-03-12T06:00")
    assert window_ending(end, end - timedelta(days=32), Cadence()) == Window(end - timedelta(days=1), end)


def test_a_window_refuses_times_without_a_zone_and_a_wrong_order() -> None:
    with pytest.raises(ValueError, match="aware"):
        Window(datetime(2026, 1, 1), datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="end after"):
        Window(at("2026-01-02T00:00"), at("2026-01-02T00:00"))


def test_the_hour_is_local_on_both_sides_of_a_change() -> None:
    cadence, zone = Cadence("daily", time(6), "America/New_York"), ZoneInfo("America/New_York")
    before, after = cadence.next_slot(at("2026-03-07T00:00"))[1], cadence.next_slot(at("2026-03-08T12:00"))[1]
    assert [moment.astimezone(zone).hour for moment in (before, after)] == [6, 6]
    assert after - before == timedelta(hours=47)
