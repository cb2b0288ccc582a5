"""From calendars and price services to an issue's blocks: only what lies ahead, only what is fresh."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from digest.domain.issue import Block
from digest.domain.newsroom import BlockSpec, EventSpec, FeedSpec, NewsletterSpec
from digest.feeds.fetch import Fetcher
from digest.store.database import Database
from digest.store.newsroom import write_newsroom
from digest.workflows.blocks import finished_blocks
from digest.workflows.context import Context
from digest.workflows.gather import gather
from tests.conftest import NOW, Clock
from tests.web.house import NEWSROOM, make_context

LETTER: NewsletterSpec = replace(NEWSROOM.newsletters[0], blocks=(BlockSpec("markets"), BlockSpec("events")))
ICS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{}END:VCALENDAR\r\n"
EVENT = "BEGIN:VEVENT\r\nUID:{0}\r\nSUMMARY:{0}\r\n{1}\r\nEND:VEVENT\r\n"
CALENDAR = ICS.format(
    "".join(
        EVENT.format(name, more)
        for name, more in {
            "Summit": "DTSTART;VALUE=DATE:20260324\r\nDTEND;VALUE=DATE:20260327\r\nLOCATION:Harbour Hall\\, 12 Quay Street",
            "Over": "DTSTART;VALUE=DATE:20260301\r\nDTEND;VALUE=DATE:20260312",
            "Under way": "DTSTART;VALUE=DATE:20260310\r\nDTEND;VALUE=DATE:20260313",
            "Off": "DTSTART;VALUE=DATE:20260320\r\nSTATUS:CANCELLED",
            "Late show": "DTSTART;TZID=America/Los_Angeles:20260318T220000\r\nDTEND;TZID=America/Los_Angeles:20260318T233000",
        }.items()
    )
)
OWN = EventSpec("own", "Our own evening", "", date(2026, 3, 19), date(2026, 3, 19))


@pytest.fixture
def ctx(db: Database, clock: Clock, tmp_path: Path, httpserver: HTTPServer) -> Iterator[Context]:
    fetcher = Fetcher(frozenset({"127.0.0.1", "localhost"}))
    made = replace(make_context(db, clock, tmp_path), fetcher=fetcher)
    feeds = (
        FeedSpec(httpserver.url_for("/all.ics"), "Calendar", "events"),
        FeedSpec(httpserver.url_for("/q.csv"), "Prices", "quotes", provider="csv"),
    )
    with db.write() as session:
        write_newsroom(session, replace(NEWSROOM, newsletters=(LETTER,), feeds=feeds, events=(OWN,)), clock())
    httpserver.expect_request("/all.ics").respond_with_data(CALENDAR)
    httpserver.expect_request("/q.csv").respond_with_data(
        "symbol,price,as_of\nOLD,1,2026-03-12T02:00Z\nNEW,2,2026-03-12T10:30Z\nCLOSE,3,2026-03-10\nAHEAD,4,2026-03-13T10:00Z\n"
    )
    assert gather(made).failed == 0
    yield made
    fetcher.close()


def blocks(ctx: Context, day: date) -> dict[str, Block]:
    return {block.type: block for block in finished_blocks(ctx, LETTER, LETTER.slug, day)}


def test_events_of_calendars_and_of_the_newsroom_stand_together_only_those_ahead_soonest_first(ctx: Context) -> None:
    events = blocks(ctx, NOW.date())["events"].events
    assert [(event.name, event.starts.day, event.ends.day) for event in events] == [
        ("Under way", 10, 12), ("Late show", 18, 18), ("Our own evening", 19, 19), ("Summit", 24, 26),
    ]  # fmt: skip
    assert [(event.venue, event.address) for event in events[-2:]] == [("", ""), ("Harbour Hall", "12 Quay Street")]
    assert [event.name for event in blocks(ctx, date(2026, 3, 26))["events"].events] == ["Summit"]  # its last day
    assert "events" not in blocks(ctx, date(2026, 3, 27))


def test_prices_have_their_time_and_stale_ones_are_left_out(ctx: Context, clock: Clock) -> None:
    quotes = blocks(ctx, NOW.date())["markets"].quotes
    assert [(quote.symbol, quote.price) for quote in quotes] == [("NEW", 2.0), ("CLOSE", 3.0)]
    assert next(NOW - quote.as_of for quote in quotes) == timedelta(minutes=30)
    clock.advance(hours=6)
    assert [quote.symbol for quote in blocks(ctx, NOW.date())["markets"].quotes] == ["CLOSE"]
    clock.advance(days=4)
    assert "markets" not in blocks(ctx, NOW.date())  # nothing rather than old prices
