"""Repeated events: our own expansion against dateutil's, which knows the whole standard but no bounds."""

import time
from datetime import date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st
from icalendar import vRecur

from digest.feeds.calendar import parse_calendar
from digest.feeds.recurrence import rule_of

TODAY = date(2026, 3, 12)
URL = "https://events.example/all.ics"
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
SOME_DAYS = st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True).map(",".join)
RULES = st.one_of(
    st.builds("FREQ=DAILY;INTERVAL={}".format, st.integers(1, 40)),
    st.builds("FREQ=DAILY;BYMONTH={};BYDAY={}".format, st.integers(1, 12), SOME_DAYS),
    st.builds("FREQ=WEEKLY;INTERVAL={};BYDAY={};WKST={}".format, st.integers(1, 5), SOME_DAYS, st.sampled_from(DAYS)),
    st.builds("FREQ=WEEKLY;INTERVAL={}".format, st.integers(1, 5)),
    st.builds("FREQ=MONTHLY;INTERVAL={};BYMONTHDAY={}".format, st.integers(1, 5), st.sampled_from([1, 15, 28, 31, -1, -3])),
    st.builds("FREQ=MONTHLY;BYDAY={}{}".format, st.sampled_from([1, 2, 5, -1, -2]), st.sampled_from(DAYS)),
    st.builds("FREQ=MONTHLY;BYDAY={};BYSETPOS={}".format, SOME_DAYS, st.sampled_from([1, 2, -1])),
    st.just("FREQ=MONTHLY"),
    st.just("FREQ=YEARLY"),
    st.builds("FREQ=YEARLY;BYMONTH={};BYDAY={}{}".format, st.integers(1, 12), st.sampled_from([1, 3, -1]), st.sampled_from(DAYS)),
    st.builds("FREQ=YEARLY;INTERVAL={};BYMONTH={}".format, st.integers(1, 4), st.integers(1, 12)),
    st.builds("FREQ=YEARLY;BYDAY={}{}".format, st.sampled_from([1, 20, 53, -1]), st.sampled_from(DAYS)),
)  # fmt: skip


@given(RULES, st.dates(date(2019, 1, 1), date(2026, 12, 31)))
def test_a_rule_has_the_dates_that_dateutil_finds(text: str, first: date) -> None:
    end = first + timedelta(days=900)
    rule = rule_of(vRecur.from_ical(text))
    assert rule is not None
    theirs = rrulestr(text, dtstart=datetime.combine(first, datetime.min.time())).between(
        datetime.combine(first, datetime.min.time()), datetime.combine(end, datetime.min.time()), inc=True
    )
    assert list(rule.dates(first, end)) == [each.date() for each in theirs]


def calendar(*components: str) -> bytes:
    inner = "".join(f"BEGIN:VEVENT\r\nSUMMARY:Club night\r\n{text}\r\nEND:VEVENT\r\n" for text in components)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{inner}END:VCALENDAR\r\n".encode()


def starts(*components: str) -> list[str]:
    return [event.starts.isoformat()[5:] for event in parse_calendar(calendar(*components), "", URL, today=TODAY)]


EVENING = "UID:1\r\nDTSTART;TZID=America/New_York:20260303T200000\r\nDTEND;TZID=America/New_York:20260303T230000\r\n"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("RRULE:FREQ=WEEKLY;COUNT=4", ["03-17", "03-24"]),  # what is over counts, and is left out
        ("RRULE:FREQ=WEEKLY;UNTIL=20260325T010000Z", ["03-17", "03-24"]),  # 21:00 in New York: it has begun by then
        ("RRULE:FREQ=WEEKLY;UNTIL=20260324T230000Z", ["03-17"]),  # 19:00 in New York: it has not
        ("RRULE:FREQ=WEEKLY;COUNT=5\r\nEXDATE;TZID=America/New_York:20260317T200000", ["03-24", "03-31"]),
        ("RDATE;TZID=America/New_York:20260320T200000", ["03-20"]),
        ("RRULE:FREQ=HOURLY;COUNT=3", ["03-03"]),  # not followed: its first date
    ],
)
def test_a_repeated_event_is_shown_on_its_dates_to_come(rule: str, expected: list[str]) -> None:
    assert starts(EVENING + rule) == expected


def test_a_date_may_be_moved_or_cancelled_by_itself_and_keeps_its_slug() -> None:
    series = EVENING + "RRULE:FREQ=WEEKLY;COUNT=5"
    moved = (
        "UID:1\r\nRECURRENCE-ID;TZID=America/New_York:20260317T200000\r\nDTSTART;TZID=America/New_York:20260318T200000"
    )
    off = "UID:1\r\nRECURRENCE-ID;TZID=America/New_York:20260324T200000\r\nSTATUS:CANCELLED\r\nDTSTART:20260324T200000"
    assert starts(series, moved, off) == ["03-18", "03-31"]
    before = parse_calendar(calendar(series), "", URL, today=TODAY)
    after = parse_calendar(calendar(series, moved), "", URL, today=TODAY)
    assert [event.slug for event in before] == [event.slug for event in after]
    assert len({event.slug for event in before}) == 3


def test_a_long_event_under_way_is_still_shown_with_its_last_day() -> None:
    days = "UID:1\r\nDTSTART;VALUE=DATE:20250310\r\nDTEND;VALUE=DATE:20250314\r\nRRULE:FREQ=YEARLY"
    (now, *later) = parse_calendar(calendar(days), "", URL, today=TODAY)
    assert (now.starts, now.ends) == (date(2026, 3, 10), date(2026, 3, 13))
    assert [event.starts for event in later] == [date(2027, 3, 10)]


def test_a_calendar_of_hostile_rules_is_read_in_bounded_time() -> None:
    never = "DTSTART:20070303T180000Z\r\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"
    began = time.process_time()
    parse_calendar(calendar(*(f"UID:{number}\r\n{never}" for number in range(300))), "", URL, today=TODAY)
    assert time.process_time() - began < 10
