"""Feeds, pages, calendars and the rest, damaged at random: by bytes, by tags, by words that parsers stumble over."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from digest.domain.source_rules import JsonRules, PageRules
from digest.feeds.calendar import parse_calendar
from digest.feeds.discover import discover
from digest.feeds.extract import extract
from digest.feeds.honest import own_address
from digest.feeds.hubs import hub_of
from digest.feeds.json_path import parse_json_by
from digest.feeds.opml import read_opml, write_opml
from digest.feeds.page_rules import parse_page
from digest.feeds.parse import parse
from digest.feeds.sitemap import parse_sitemap
from digest.quotes.provider import read_quotes
from tests.conftest import shared_data
from tests.feeds.layouts import LAYOUTS
from tests.feeds.test_opml import OURS
from tests.feeds.test_parse import FORMATS
from tests.feeds.test_sitemap import SITEMAP
from tests.feeds.test_source_rules import PAGE

URL = "https://news.example/feeds/all.xml"
ICS = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:Harbour\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\n"
    b"TZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Club\\, night\r\n"
    b"DTSTART;TZID=Harbour:20260303T200000\r\nDTEND;TZID=Harbour:20260303T230000\r\nRRULE:FREQ=WEEKLY;COUNT=9;BYDAY=TU,TH\r\nEXDATE:20260310T190000Z\r\n"
    b"LOCATION:Hall\\, Quay 1\r\nURL:/club\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Fair\r\nDTSTART;VALUE=DATE:20260401\r\nDURATION:P3D\r\n"
    b"STATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
CSV = b"symbol,name,price,as_of,change\nBTC,Bitcoin,70187.5,2026-03-12T10:59:30Z,-2.5%\nSPX;1;2\n"
COINS = b'[{"symbol": "btc", "name": "Bitcoin", "current_price": 70187.5, "last_updated": "2026-03-12T10:59:30.123Z", "sparkline_in_7d": {"price": [1, 2.5]}}]'
API = b'{"data": {"hits": [{"id": 7, "headline": "Rates", "slug": "rates", "at": 1773306000, "people": [{"name": "Ann"}]}]}}'
RULES = JsonRules("data.hits", title="headline", link="https://desk.example/{slug}", date="at", author="people.*.name")
PAGE_RULES = PageRules("div.card", title="h3", link="h3 a", date="time", author=".by", tags="i", image="img")

PIECES: Sequence[bytes] = (
    b"", b"<", b">", b"&", b"&#0;", b"&#x110000;", b"&#xD800;", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?xml", b"<!DOCTYPE x [", b"<!ENTITY a 'b'>",
    b"\xff\xfe", b"\xfe\xff", b"\0", b"\x1b$B", b"~{", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xae", b"\x85", b"\r", b"\x0b",
    b"<item>", b"</item>", b"<entry>", b"</channel>", b"<title>", b"</title>", b"<link/>", b"xml:base='http://['", b" base='x'", b" xmlns:dc='x'",
    b"<script type='application/ld+json'>", b"</script>", b"<table>", b"<h1>", b"<img src='http://[x' alt=x>", b"<a rel=tag>", b"<base href='//'>",
    b"http://[::1", b"https://a.example:99999/", b"//", b"mailto:a@b", b"data:,x", b"9" * 400, b"-1", b"1e999", b"NaN", b"null", b"{", b"[", b"}", b'"', b"\\u0000",
    b"\\ud800", b"0000-00-00T99:99:99Z", b"Thu, 99 Foo 99999 99:99:99 +9999", b"2026-13-45", b"RRULE:FREQ=DAILY;INTERVAL=0", b"RRULE:FREQ=YEARLY;BYDAY=99MO;UNTIL=1",
    b"DTSTART;TZID=Nowhere/At All:20260101T000000", b"DURATION:P99999999999D", b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n", b"DTEND:10000101", b"TZOFFSETTO:+9999",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A reader and what it reads when all is well."""

    name: str
    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


def _feeds() -> tuple[bytes, ...]:
    own = tuple(text.encode() for text in FORMATS.values())
    data = shared_data()
    real = sorted((data / "feeds").rglob("*.*")) if data else []
    return own + tuple(
        path.read_bytes() for path in real if path.suffix in (".xml", ".json") and path.stat().st_size < 400_000
    )


def _read_feed(body: bytes) -> object:
    return parse(body, "", URL), hub_of(body, "", URL, {})


def _read_page(body: bytes) -> object:
    return extract(body, URL), own_address(body, URL), discover(body, "", URL)


def targets() -> tuple[Target, ...]:
    """Every reader of other people's bytes."""
    article = (Path(__file__).parent / "data" / "article-page.html").read_bytes()
    return (
        Target("feed", _read_feed, _feeds()),
        Target("article page", _read_page, (article, *(page.encode() for page in LAYOUTS.values()))),
        Target("sitemap", lambda body: parse_sitemap(body, "", URL), (SITEMAP.encode(),)),
        Target("page by rules", lambda body: parse_page(body, "", URL, PAGE_RULES), (PAGE.encode(),)),
        Target("json by path", lambda body: parse_json_by(body, "", URL, RULES), (API,)),
        Target("calendar", lambda body: parse_calendar(body, "", URL, today=date(2026, 3, 12)), (ICS,)),
        Target("opml", read_opml, (write_opml(OURS),)),
        Target("csv", lambda body: read_quotes("csv", body, "", URL, source="x"), (CSV,)),
        Target("coingecko", lambda body: read_quotes("coingecko", body, "", URL, source="x"), (COINS,)),
    )


def mutated(body: bytes, chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """``body`` with up to a dozen damages: bytes, pieces, parts left out, repeated many times, or of another document."""
    data = bytearray(body)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(data) + 1)
        span = chance.choice((0, 1, 3, 20, 200, 2_000))
        match chance.randrange(10):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + span]
            case 2:  # the same again, and again
                data[at:at] = data[at : at + span] * chance.choice((1, 2, 30, 400))
            case 3 if others:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                data[at : at + span] = other[start : start + chance.choice((20, 500, 5_000))]
            case 4:
                data[at:at] = chance.choice(PIECES) * chance.choice((2, 50, 2_000))
            case 5:  # cut short, as connections do
                del data[at + 1_000 :]
            case _:
                data[at : at + chance.randint(0, 3)] = chance.choice(PIECES)
        if len(data) > 3_000_000:
            del data[3_000_000:]
    return bytes(data)
