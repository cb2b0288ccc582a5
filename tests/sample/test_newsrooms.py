"""The files of both newsrooms against the values that they must become."""

import csv
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from digest.domain.calendar import Frequency
from digest.domain.content import TopicProfile
from digest.domain.newsroom import (
    ChartSpec,
    EpigraphSpec,
    EventSpec,
    FeedSpec,
    LetterSpec,
    LinkSpec,
    NewsletterSpec,
    ResearchSpec,
    Site,
    SponsorSpec,
)
from digest.sample import load_outlets

CONFIG = Path(__file__).resolve().parents[2] / "config"
SAMPLE, NEWSROOM = CONFIG / "sample", CONFIG / "newsroom"
KINDS: dict[str, Any] = {
    "feeds": FeedSpec, "topics": TopicProfile, "events": EventSpec, "sponsors": SponsorSpec,
    "research": ResearchSpec, "epigraphs": EpigraphSpec, "links": LinkSpec, "charts": ChartSpec, "letters": LetterSpec,
}  # fmt: skip


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _rows(folder: Path, name: str) -> tuple[Any, ...]:
    return TypeAdapter(tuple[KINDS[name], ...]).validate_python(_read(folder / f"{name}.toml").get(name, []))


def _newsletters(folder: Path) -> list[NewsletterSpec]:
    files = sorted((folder / "newsletters").glob("*.toml"))
    return [TypeAdapter(NewsletterSpec).validate_python(_read(path)) for path in files]


@pytest.mark.parametrize("folder", [SAMPLE, NEWSROOM], ids=["sample", "newsroom"])
def test_every_file_holds_what_its_name_says_and_nothing_else(folder: Path):
    assert {path.stem for path in folder.glob("*.toml")} == {*KINDS, "site"}
    for name in KINDS:
        assert set(_read(folder / f"{name}.toml")) <= {name}
        _rows(folder, name)
    TypeAdapter(Site).validate_python(_read(folder / "site.toml")["site"])


@pytest.mark.parametrize("folder", [SAMPLE, NEWSROOM], ids=["sample", "newsroom"])
def test_newsletters_speak_of_topics_that_exist(folder: Path):
    topics = {topic.slug for topic in _rows(folder, "topics")}
    for newsletter in _newsletters(folder):
        assert set(newsletter.topics) <= topics
        assert {block.topic for block in newsletter.blocks if block.type == "section"} <= topics
        assert newsletter.blocks[0].type == "masthead"
        assert newsletter.blocks[-1].type == "footer"


@pytest.mark.parametrize("folder", [SAMPLE, NEWSROOM], ids=["sample", "newsroom"])
def test_topics_draw_on_sources_that_exist(folder: Path):
    names = {feed.name for feed in _rows(folder, "feeds")}
    for topic in _rows(folder, "topics"):
        assert set(topic.sources) <= names


def test_the_main_newsletter_of_the_sample_follows_the_order_of_its_model():
    spec = next(spec for spec in _newsletters(SAMPLE) if spec.slug == "clearing-price")
    order = list(dict.fromkeys(block.type for block in spec.blocks))
    assert order == [
        "masthead", "sponsor", "epigraph", "letter", "mailbag", "charts", "lead", "markets", "section",
        "research", "events", "links", "more", "promo", "footer",
    ]  # fmt: skip
    assert sum(block.type == "section" for block in spec.blocks) >= 4
    days = [day for block in spec.blocks if block.type in ("letter", "mailbag") for day in block.weekdays]
    assert sorted(days) == sorted(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
    assert (spec.approval, len(spec.topics)) == ("auto", 8)


def test_the_sample_has_a_second_newsletter_that_waits_for_an_editor():
    assert {spec.slug: spec.approval for spec in _newsletters(SAMPLE)}["asia-close"] == "editor"


def test_feeds_of_the_sample_are_the_paths_that_its_server_knows():
    served = {outlet.path: outlet.name for outlet in load_outlets(SAMPLE)}
    feeds = {feed.url.removeprefix("{sample}/"): feed.name for feed in _rows(SAMPLE, "feeds") if feed.kind == "feed"}
    assert feeds == {**served, "night-desk/rss.xml": "The Night Desk"}
    assert {feed.kind for feed in _rows(SAMPLE, "feeds")} == {"feed", "quotes", "events"}


def test_nothing_in_the_sample_goes_stale_for_years():
    for sponsor in _rows(SAMPLE, "sponsors"):
        assert sponsor.starts <= date(2026, 1, 1)
        assert sponsor.ends >= date(2035, 1, 1)
        assert sponsor.approved
    dated = [*_rows(SAMPLE, "research"), *_rows(SAMPLE, "links")]
    assert [row.slug for row in dated if row.until is not None] == []
    assert _rows(SAMPLE, "events") == ()


def test_every_address_in_the_sample_is_on_a_reserved_name():
    for path in [*SAMPLE.rglob("*.toml"), SAMPLE / "subscribers.csv"]:
        text = path.read_text(encoding="utf-8")
        hosts = re.findall(r"(?:https?://|[\w.]+@)([\w.-]+\w)", text)
        assert [host for host in hosts if not re.search(r"(^|\.)example\.(com|net|org)$|^127\.0\.0\.1$", host)] == []


def test_sample_subscribers_choose_what_is_on_offer():
    offers = {spec.slug: set(spec.topics) for spec in _newsletters(SAMPLE)}
    with (SAMPLE / "subscribers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["address", "name", "newsletter", "topics", "frequency"]
    assert len({(row["address"], row["newsletter"]) for row in rows}) == len(rows) >= 10
    for row in rows:
        assert set(filter(None, row["topics"].split(";"))) <= offers[row["newsletter"]]
        assert row["frequency"] in get_args(Frequency)
    choices = {row["topics"] for row in rows}
    assert len(choices) >= 8
    assert {topic for choice in choices for topic in choice.split(";")} >= offers["clearing-price"]


def test_the_real_newsroom_invents_nothing_and_sends_nothing_by_itself():
    assert [_rows(NEWSROOM, name) for name in ("sponsors", "events", "research", "links")] == [()] * 4
    assert {spec.approval for spec in _newsletters(NEWSROOM)} == {"editor"}
    site = TypeAdapter(Site).validate_python(_read(NEWSROOM / "site.toml")["site"])
    assert (site.editors, site.public_url) == ((), "")


def test_the_real_newsroom_reads_some_twenty_sources_over_https():
    feeds = _rows(NEWSROOM, "feeds")
    assert len(feeds) >= 20
    assert len({feed.url for feed in feeds}) == len(feeds)
    assert all(feed.url.startswith("https://") for feed in feeds)
    assert len(_rows(NEWSROOM, "topics")) == 10
    assert len({feed.name for feed in feeds}) == len(feeds)
