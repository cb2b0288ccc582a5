"""The sample's server over real HTTP."""

import html
import json
import re
import shutil
import socket
import time
from calendar import timegm
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import feedparser
import icalendar
import pytest
import requests
from PIL import Image

from digest.errors import ConfigError
from digest.sample import SampleServer, load_outlets
from tests.conftest import NOW, Clock

SAMPLE = Path(__file__).resolve().parents[2] / "config" / "sample"
OUTLETS = {outlet.key: outlet for outlet in load_outlets(SAMPLE)}
XML = [outlet for outlet in OUTLETS.values() if outlet.format != "json"]
JSON = [outlet for outlet in OUTLETS.values() if outlet.format == "json"]
Get = Callable[..., requests.Response]
Start = Callable[..., SampleServer]


def _plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).strip()


def _titles(get: Get, path: str) -> list[str]:
    return [entry.title for entry in feedparser.parse(get(path).content).entries]


@pytest.mark.parametrize("outlet", XML, ids=lambda outlet: outlet.key)
def test_xml_feeds_are_well_formed_and_say_everything_that_the_article_says(get: Get, server: SampleServer, outlet):
    response = get(outlet.path)
    parsed = feedparser.parse(response.content)
    assert not parsed.bozo
    assert response.headers["Content-Type"].startswith(f"application/{outlet.format}+xml")
    assert parsed.feed.title == outlet.name
    expected = server.published(outlet, NOW)
    assert [(e.title, e.link, e.author) for e in parsed.entries] == [(a.title, a.url, a.author) for a in expected]
    assert [[tag.term for tag in e.tags] for e in parsed.entries] == [list(a.tags) for a in expected]
    for entry, article in zip(parsed.entries, expected, strict=True):
        assert _plain(entry.summary) == article.summary
        assert timegm(entry.published_parsed) == pytest.approx(article.published_at(server.anchor).timestamp(), abs=1)
        assert bool(entry.get("content")) is (outlet.content == "full" and bool(article.body))
        if article.picture:
            assert entry.media_content[0]["url"] == f"{server.base}/images/{article.slug}.png"
            assert entry.media_credit[0]["content"] == article.picture.credit
            assert f'alt="{article.picture.alt}"' in entry.summary


@pytest.mark.parametrize("outlet", JSON, ids=lambda outlet: outlet.key)
def test_json_feeds_follow_version_1_1(get: Get, server: SampleServer, outlet):
    response = get(outlet.path)
    document = response.json()
    assert response.headers["Content-Type"].startswith("application/feed+json")
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    expected = server.published(outlet, NOW)
    assert [item["url"] for item in document["items"]] == [article.url for article in expected]
    assert len({item["id"] for item in document["items"]}) == len(document["items"])
    for item, article in zip(document["items"], expected, strict=True):
        assert ("content_html" in item) is bool(article.body or article.picture)
        assert _plain(item.get("content_html", item.get("content_text"))).endswith((article.summary, *article.body)[-1])
        assert ("content_html" in item) is not ("content_text" in item)
        assert datetime.fromisoformat(item["date_published"]) <= NOW


def test_no_feed_ever_shows_an_article_from_the_future(get: Get, server: SampleServer, clock: Clock):
    for hours in (0, 7, 19, 60):
        clock.now = NOW + timedelta(hours=hours)
        shown = 0
        for outlet in XML:
            dates = [
                timegm(entry.published_parsed) for entry in feedparser.parse(server.answer(outlet.path).body).entries
            ]
            assert max(dates) <= clock.now.timestamp()
            shown += len(dates)
        assert shown == sum(a.age >= -hours for outlet in XML for a in outlet.articles)


def test_articles_of_the_next_days_appear_when_the_clock_moves_on(get: Get, server: SampleServer, clock: Clock):
    title = "Quillbridge attacker returns $29 million, keeps the rest"
    assert title not in _titles(get, "harbor-wire/rss.xml")
    clock.advance(hours=9.4)
    assert title not in _titles(get, "harbor-wire/rss.xml")
    clock.advance(hours=0.2)
    assert _titles(get, "harbor-wire/rss.xml")[0] == title


@pytest.mark.parametrize("path", ["harbor-wire/rss.xml", "block-meridian/feed.json", "calendar/conferences.ics"])
def test_a_client_that_knows_the_answer_gets_304_without_a_body(get: Get, path: str):
    first = get(path)
    again = get(path, If_None_Match=first.headers["ETag"])
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert get(path, If_Modified_Since=first.headers["Last-Modified"]).status_code == 304


def test_validators_that_are_old_or_foreign_get_the_whole_answer(get: Get, clock: Clock):
    first = get("harbor-wire/rss.xml")
    headers = first.headers
    assert get("harbor-wire/rss.xml", If_None_Match='"other"').status_code == 200
    assert (
        get("harbor-wire/rss.xml", If_None_Match='"other"', If_Modified_Since=headers["Last-Modified"]).status_code
        == 200
    )
    assert get("harbor-wire/rss.xml", If_Modified_Since="Mon, 01 Jan 2024 00:00:00 GMT").status_code == 200
    assert get("harbor-wire/rss.xml", If_Modified_Since="nonsense").status_code == 200
    clock.advance(hours=10)
    news = get("harbor-wire/rss.xml", If_None_Match=headers["ETag"], If_Modified_Since=headers["Last-Modified"])
    assert (news.status_code, news.headers["ETag"] != headers["ETag"]) == (200, True)


def test_head_says_what_get_says_and_sends_nothing(server: SampleServer, get: Get):
    path = "harbor-wire/rss.xml"
    head = requests.head(f"{server.base}/{path}", timeout=10)
    assert head.content == b""
    assert {head.headers[name] for name in ("ETag", "Content-Length")} == {
        get(path).headers[name] for name in ("ETag", "Content-Length")
    }


def test_the_anchor_and_so_every_byte_survives_a_restart(start: Start, clock: Clock):
    first = start()
    before = {outlet.key: first.answer(outlet.path).body.replace(first.base.encode(), b"") for outlet in first.outlets}
    first.stop()
    clock.advance(minutes=20)
    second = start()
    assert second.anchor == first.anchor == NOW
    after = {
        outlet.key: second.answer(outlet.path).body.replace(second.base.encode(), b"") for outlet in second.outlets
    }
    assert after == before


def test_a_damaged_anchor_file_is_named(tmp_path: Path, start: Start):
    (tmp_path / "var").mkdir()
    for content in ("{}", "no json", '{"anchor": "2026-01-01T00:00:00"}', '{"anchor": 7}'):
        (tmp_path / "var" / "bad.json").write_text(content)
        with pytest.raises(ConfigError, match=r"bad\.json.*delete it"):
            start(anchor="bad.json")


def test_the_broken_feed_answers_200_with_a_web_page(get: Get):
    response = get("night-desk/rss.xml")
    assert response.status_code == 200
    assert feedparser.parse(response.content).entries == []
    assert response.text.startswith("<!doctype html>")


def test_the_slow_feed_keeps_its_readers_waiting_and_lets_them_go_at_the_end(tmp_path: Path, start: Start):
    assert OUTLETS["bitfield"].delay == 2.0
    folder = _copy(tmp_path)
    slow = folder / "articles" / "bitfield.toml"
    slow.write_text(slow.read_text().replace("delay = 2.0", "delay = 0.3"))
    server = start(folder)
    begun = time.monotonic()
    assert requests.get(f"{server.base}/bitfield/atom.xml", timeout=10).ok
    assert time.monotonic() - begun >= 0.3
    server.stop()
    begun = time.monotonic()
    server.wait(60)
    assert time.monotonic() - begun < 5


def test_pictures_are_what_the_feeds_say_and_always_the_same(get: Get):
    articles = [a for outlet in OUTLETS.values() for a in outlet.articles if a.picture]
    scenes = {article.picture.scene: article for article in articles}
    for article in scenes.values():
        first, second = get(f"images/{article.slug}.png"), get(f"images/{article.slug}.png")
        assert first.headers["Content-Type"] == "image/png"
        assert first.content == second.content
        with Image.open(BytesIO(first.content)) as picture:
            assert (picture.format, picture.size) == ("PNG", (1200, 675))
            assert len(picture.convert("RGB").getcolors(1_000_000) or []) > 20
    assert len({get(f"images/{article.slug}.png").content for article in scenes.values()}) == len(scenes)


def test_quotes_are_shaped_like_coingecko_and_dated_now(get: Get, clock: Clock):
    clock.advance(minutes=3, seconds=7)
    rows = get("prices/coins/markets?vs_currency=usd").json()
    assert [row["symbol"] for row in rows] == ["btc", "eth", "sol", "xrp", "bnb", "link"]
    for row in rows:
        assert datetime.fromisoformat(row["last_updated"]) == NOW + timedelta(minutes=3)
        history = row["sparkline_in_7d"]["price"]
        assert len(history) == 168
        assert history[-1] == row["current_price"]
        assert row["low_24h"] <= row["current_price"] <= row["high_24h"]
        assert row["price_change_percentage_24h"] == pytest.approx(
            100 * (row["current_price"] / history[-25] - 1), abs=0.05
        )


def test_quotes_at_the_start_are_those_that_the_articles_speak_of(get: Get):
    bitcoin, ether, *_ = get("prices/coins/markets").json()
    assert bitcoin["current_price"] == pytest.approx(91_340)
    assert bitcoin["price_change_percentage_24h"] == pytest.approx(3.1, abs=0.01)
    assert ether["price_change_percentage_24h"] == pytest.approx(2.4, abs=0.01)


@pytest.mark.parametrize("days", [0, 20, 400, 4000])
def test_the_calendar_has_events_ahead_on_any_day(get: Get, clock: Clock, days: int):
    clock.advance(days=days)
    today = clock().date()
    parsed = icalendar.Calendar.from_ical(get("calendar/conferences.ics").content)
    events = list(parsed.walk("VEVENT"))
    assert len(events) == 5
    for event in events:
        starts, after = event.decoded("DTSTART"), event.decoded("DTEND")
        assert isinstance(starts, date)
        assert starts < after
        assert today < after
        assert after - today < timedelta(days=125)


def test_calendar_lines_are_folded_at_75_octets_and_escaped(get: Get):
    lines = get("calendar/conferences.ics").content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert any(b"\\," in line for line in lines)


def test_the_index_page_leads_to_every_feed(get: Get):
    page = get("").text
    for outlet in OUTLETS.values():
        assert f'href="/{outlet.path}"' in page
    assert "Stack &amp; Stake" in page


def test_what_is_not_there_is_not_found(get: Get):
    assert [get(path).status_code for path in ("nothing", "images/nothing.png", "images/../site.toml")] == [404] * 3


def test_a_second_start_on_the_same_port_uses_the_server_that_is_there(start: Start):
    first = start()
    port = int(first.base.rsplit(":", 1)[1])
    second = start(port=port)
    assert second.base == first.base
    second.stop()
    assert requests.get(f"{first.base}/harbor-wire/rss.xml", timeout=10).ok


def test_a_port_held_by_another_sample_or_program_is_a_clear_error(start: Start, tmp_path: Path):
    folder = _copy(tmp_path)
    with (folder / "articles" / "harbor-wire.toml").open("a") as file:
        file.write("# another edition\n")
    other = start(folder)
    with pytest.raises(ConfigError, match=r"DIGEST_SAMPLE_PORT: port \d+ is taken"):
        start(port=int(other.base.rsplit(":", 1)[1]))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.listen(0)
        with pytest.raises(ConfigError, match="taken by another program"):
            start(port=deaf.getsockname()[1])


def test_the_base_is_unknown_until_the_start(tmp_path: Path, clock: Clock):
    server = SampleServer(SAMPLE, 0, tmp_path / "anchor.json", clock)
    with pytest.raises(RuntimeError, match="not been started"):
        _ = server.base
    server.stop()
    assert not (tmp_path / "anchor.json").exists()


def test_the_anchor_is_kept_as_a_whole_utc_minute(tmp_path: Path, start: Start, clock: Clock):
    clock.now = datetime(2026, 3, 12, 11, 0, 42, 17, tzinfo=UTC)
    server = start(anchor="fresh.json")
    kept = json.loads((tmp_path / "var" / "fresh.json").read_text())
    assert datetime.fromisoformat(kept["anchor"]) == server.anchor == NOW


def _copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "copy"))
