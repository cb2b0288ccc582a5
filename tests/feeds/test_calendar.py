"""iCalendar to events."""

from datetime import date

import pytest

from digest.domain.newsroom import EventSpec
from digest.errors import ParseError
from digest.feeds.calendar import parse_calendar

URL = "https://events.example/all.ics"


def events(*components: str) -> tuple[EventSpec, ...]:
    inner = "".join(f"BEGIN:VEVENT\r\nUID:{n}\r\n{text}\r\nEND:VEVENT\r\n" for n, text in enumerate(components))
    return parse_calendar(
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{inner}END:VCALENDAR\r\n".encode(),
        "",
        URL,
        today=date(2026, 3, 12),
    )


def test_an_event_has_name_venue_address_dates_blurb_and_link() -> None:
    (event,) = events(
        "SUMMARY:Harbour Money Summit\r\nDTSTART;VALUE=DATE:20260324\r\nDTEND;VALUE=DATE:20260327\r\n"
        "LOCATION:Harbour Hall\\, 12 Quay Street\\, Port City\r\nDESCRIPTION:Ports &amp\\; money.\r\nURL:/summit"
    )
    assert (event.name, event.venue, event.address) == (
        "Harbour Money Summit",
        "Harbour Hall",
        "12 Quay Street, Port City",
    )
    assert (event.starts, event.ends) == (date(2026, 3, 24), date(2026, 3, 26))  # DTEND is not included
    assert (event.blurb, event.url) == ("Ports & money.", "https://events.example/summit")


@pytest.mark.parametrize(
    ("times", "starts", "ends"),
    [
        ("DTSTART;VALUE=DATE:20260324", date(2026, 3, 24), date(2026, 3, 24)),
        ("DTSTART:20260324T090000Z\r\nDTEND:20260325T000000Z", date(2026, 3, 24), date(2026, 3, 24)),
        ("DTSTART;TZID=America/New_York:20260324T230000\r\nDTEND;TZID=America/New_York:20260325T010000", date(2026, 3, 24), date(2026, 3, 25)),
        ("DTSTART;VALUE=DATE:20260324\r\nDURATION:P2D", date(2026, 3, 24), date(2026, 3, 25)),
        ("DTSTART;VALUE=DATE:20260324\r\nDTEND;VALUE=DATE:20260301", date(2026, 3, 24), date(2026, 3, 24)),
    ],
)  # fmt: skip
def test_the_last_day_is_included(times: str, starts: date, ends: date) -> None:
    (event,) = events(f"SUMMARY:A\r\n{times}")
    assert (event.starts, event.ends) == (starts, ends)


def test_a_calendar_may_bring_a_zone_of_its_own() -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Harbour\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:-0900\r\n"
        "TZOFFSETTO:-0900\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    night = "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Night\r\nDTSTART;TZID=Harbour:20260324T230000\r\nDURATION:PT30M\r\n"
    weekly = night + "RRULE:FREQ=WEEKLY;UNTIL=20260401T080000Z\r\nEND:VEVENT\r\n"  # 23:00 there, on 31 March
    body = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{zone}{weekly}END:VCALENDAR\r\n".encode()
    found = parse_calendar(body, "", URL, today=date(2026, 3, 12))
    assert [(event.starts.day, event.ends.day) for event in found] == [(24, 24), (31, 31)]


def test_cancelled_nameless_and_dateless_ones_are_left_out_and_the_rest_sorted() -> None:
    found = events(
        "SUMMARY:Later\r\nDTSTART;VALUE=DATE:20260501",
        "SUMMARY:Off\r\nSTATUS:CANCELLED\r\nDTSTART;VALUE=DATE:20260401",
        "DTSTART;VALUE=DATE:20260401",
        "SUMMARY:Whenever",
        "SUMMARY:Sooner\r\nDTSTART;VALUE=DATE:20260401",
    )
    assert [event.name for event in found] == ["Sooner", "Later"]


def test_an_event_keeps_its_slug_when_its_words_change() -> None:
    (before,), (after,) = (
        events("SUMMARY:A\r\nDTSTART;VALUE=DATE:20260401"),
        events("SUMMARY:B\r\nDTSTART;VALUE=DATE:20260402"),
    )
    assert before.slug == after.slug


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", b"BEGIN:VCALENDAR\r\n\xff\xfe;;:\r\nEND:VEVENT"]
)
def test_what_is_no_calendar_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse_calendar(body, "", URL, today=date(2026, 3, 12))
