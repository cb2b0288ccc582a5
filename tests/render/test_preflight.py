"""Preflight: each check finds what it is for, and nothing in a good issue."""

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from digest.domain.content import Image
from digest.domain.issue import Block, Figure, IssueDocument, Question, Selection
from digest.domain.mail import Cut
from digest.domain.newsroom import EventSpec, LinkSpec, SponsorSpec, Theme
from digest.render import checks
from digest.render.budget import RESERVE
from digest.render.checks.layout import sizes_of
from digest.render.cut import cut_for, html_of, whole
from digest.render.message import Head, tokens
from digest.render.preflight import World, preflight
from tests.render import documents
from tests.render.documents import footer, lead, lead_story, masthead, section, story
from tests.render.test_hostile import DOCUMENT as HOSTILE

RENDERER = documents.renderer()
GOOD = documents.document()


def found(document: IssueDocument) -> dict[str, str]:
    return {finding.id: finding.level for finding in preflight(document, RENDERER.render(document))}


def plain(*extra: Block, items=None, **changes: object) -> IssueDocument:
    """A small issue without fault, with more blocks."""
    return documents.document(masthead(), section("policy", "Policy", items or [story(2)]), *extra, footer(), **changes)


def sponsored(**changes: object) -> Block:
    good = SponsorSpec("k", "Kestrel", "Cold.", "https://k.example", date(2026, 3, 1), date(2026, 3, 31), approved=True)
    return Block(key="sponsor", type="sponsor", sponsor=replace(good, **changes))


def test_a_good_issue_has_no_errors() -> None:
    assert set(found(GOOD)) <= {"subject-length"}
    assert found(plain()) == {}


EVENT = EventSpec("e", "Past", "Hall", date(2026, 3, 1), date(2026, 3, 2))


@pytest.mark.parametrize(
    ("document", "finding", "level"),
    [
        (documents.document(masthead(), footer()), "no-stories", "error"),
        (plain(lead([])), "empty-section", "warning"),
        (documents.document(section("policy", "P", [story(1)]), footer()), "masthead", "error"),
        (documents.document(masthead(), section("policy", "P", [story(1)])), "footer", "error"),
        (documents.document(masthead(), section("policy", "P", [story(1)])), "unsubscribe", "error"),
        (documents.document(masthead(), section("policy", "P", [story(1)])), "preferences", "warning"),
        (plain(postal_address=""), "postal-address", "error"),
        (plain(from_address="nobody"), "head", "error"),
        (plain(subject="{{ top.nothing }}"), "head", "error"),
        (plain(from_address="no-reply@float.example"), "no-reply", "warning"),
        (plain(items=[story(2, headline="word " * 40)]), "subject-length", "warning"),
        (plain(items=[story(2, headline="BUY NOW OR NEVER")], mark=""), "subject-honest", "warning"),
        (plain(items=[story(2, headline="Re: your account")], mark=""), "subject-honest", "warning"),
        (plain(items=[story(2, url="http://plain.example/")]), "links-https", "warning"),
        (plain(Block(key="letter", type="letter", body="See <http://plain.example>.")), "links-https", "warning"),
        (plain(items=[story(2, url="javascript:alert(1)")]), "links-dead", "warning"),
        (plain(Block(key="letter", type="letter", body="[offer](buy.html)")), "links-relative", "error"),
        (plain(items=[story(2, url="/2026/03/story.html")]), "links-relative", "warning"),
        (plain(Block(key="letter", type="letter", body="[offer](javascript:x)")), "links-dead", "error"),
        (plain(items=[story(2, url="https://a.example/?utm_source=feed")]), "links-tracking", "warning"),
        (plain(items=[story(2), story(3, url=story(2).url)]), "repeated-link", "warning"),
        (plain(lead([story(1, image=Image("https://mail.float.example/media/a.jpg", "A map"))])), "image-measures", "warning"),
        (plain(lead([story(1, dek=story(1).headline + ", and more of it that goes on for a while")])), "preheader-repeats", "warning"),
        (plain(items=[story(2, headline="MARKETS FALL AS RATES RISE AGAIN")]), "shouting", "warning"),
        (plain(items=[story(2, dek="He said &amp;quot;no&amp;quot; <b>twice</b>")]), "markup-shown", "warning"),
        (plain(Block(key="links", type="links", links=(LinkSpec("l", "Local", "https://127.0.0.1/x"),))), "links-public", "error"),
        (plain(Block(key="letter", type="letter", body="Read [here](https://a.example).")), "link-text", "warning"),
        (plain(lead([story(1, image=Image("https://mail.float.example/media/a.jpg"))])), "alt-text", "warning"),
        (plain(lead([story(1, image=Image("https://mail.float.example/a.jpg", "article-image"))])), "alt-text", "warning"),
        (plain(lead([story(1, image=Image("http://mail.float.example/media/a.jpg", "A map"))])), "image-https", "warning"),
        (plain(lead([story(1, image=Image("https://other.example/a.jpg", "A map"))])), "image-hosted", "warning"),
        (plain(Block(key="letter", type="letter", body="Figures TK.")), "placeholder", "error"),
        (plain(items=[story(2, dek="lorem ipsum dolor")]), "placeholder", "warning"),
        (plain(Block(key="m", type="mailbag", questions=(Question("TODO?", "x"),))), "placeholder", "error"),
        (plain(Block(key="promo", type="promo", body="Our 2025 survey"), day=date(2026, 1, 9)), "stale-year", "warning"),
        (plain(postal_address="© 2024 Float Media"), "stale-year", "warning"),
        (plain(sponsored(approved=False)), "sponsor-approved", "error"),
        (plain(sponsored(ends=date(2026, 3, 2))), "sponsor-dates", "error"),
        (plain(sponsored(advertiser=" ")), "sponsor-label", "error"),
        (plain(Block(key="events", type="events", events=(EVENT,))), "event-past", "error"),
        (plain(Block(key="m", type="markets", quotes=(replace(documents.QUOTES[0], as_of=documents.NOW - timedelta(days=3)),))), "quotes-stale", "warning"),
        (plain(Block(key="m", type="markets", quotes=(replace(documents.QUOTES[0], price=0),))), "quotes-price", "warning"),
        (plain(section("infra", "I", [story(2)])), "repeated-story", "error"),
        (plain(items=[story(2), story(3, headline=story(2).headline)]), "repeated-headline", "warning"),
        (plain(items=[story(2, headline="")]), "no-headline", "warning"),
        (plain(items=[story(2, headline="w " * 200)]), "long-headline", "warning"),
        (plain(items=[story(2, source="")]), "no-source", "warning"),
        (plain(theme=replace(Theme(), muted="#b0b0b0")), "contrast", "error"),
        (plain(section("infra", "I", [story(n, dek="word " * 110) for n in range(3, 150)], cards=150)), "html-size", "warning"),
        (plain(Block(key="letter", type="letter", body="word " * 22_000)), "html-size", "error"),
    ],
)  # fmt: skip
def test_each_check_finds_what_it_is_for(document: IssueDocument, finding: str, level: str) -> None:
    assert found(document).get(finding) == level


THUMB = Image("https://elsewhere.example/t.jpg", "A harbour", width=132, height=88)
FIGURE = Figure(
    "Two lines cross",
    Image("https://mail.float.example/media/f.png", "", width=592, height=300),
    "[TK](http://a.example)",
)


@pytest.mark.parametrize(
    ("document", "ids"),
    [
        (plain(section("infra", "I", [story(3, thumb=THUMB)], forms=("related",))), {"image-hosted"}),
        (plain(Block(key="charts", type="charts", figures=(FIGURE,))), {"alt-text", "placeholder", "links-https"}),
        (documents.document(Block(key="masthead", type="masthead", image=replace(THUMB, alt="")), section("policy", "P", [story(2)]), footer()), {"alt-text", "image-hosted"}),
    ],
)  # fmt: skip
def test_small_pictures_charts_and_logos_are_looked_at_too(document: IssueDocument, ids: set[str]) -> None:
    assert set(found(document)) == ids


HOSTED = "https://mail.float.example/media/lead1.jpg"
TODAY = documents.NOW
PICTURED = plain(lead([lead_story(1)]))


@pytest.mark.parametrize(
    ("document", "world", "finding", "level"),
    [
        (PICTURED, World(files={}), "image-lost", "error"),
        (PICTURED, World(files={HOSTED: 1_200_000}), "image-weight", "warning"),
        (plain(), World(now=TODAY + timedelta(days=3)), "day-stale", "warning"),
        (plain(), World(unreachable={story(2).url: "404"}), "links-unreachable", "warning"),
        (plain(), World(sent_before={2: "the number of 11 March"}), "sent-before", "warning"),
    ],
)
def test_each_check_of_the_world_around_finds_what_it_is_for(
    document: IssueDocument, world: World, finding: str, level: str
) -> None:
    fragments = RENDERER.render(document)
    assert {f.id: f.level for f in preflight(document, fragments, world)}.get(finding) == level
    good = World(now=TODAY, files={HOSTED: 200_000}, unreachable={"https://else.example": "404"}, sent_before={9: "x"})
    assert finding not in {f.id for f in preflight(document, fragments, good)}


def test_every_distinct_cut_is_weighed_and_those_that_are_too_large_are_counted_with_their_readers() -> None:
    document = plain(section("infra", "I", [story(n, dek="word " * 110) for n in range(3, 150)], cards=150))
    fragments = RENDERER.fit(document, limit=10_000_000).fragments  # the budget would keep it small
    large, small = whole(fragments).bits, cut_for(fragments, Selection(items={"section:policy": (2,)})).bits
    sizes = sizes_of(fragments, {large: 3, small: 5})
    for bits, size in sizes.items():
        page = html_of(fragments, Cut(bits), tokens(Head.of(document), fragments, Cut(bits), documents.addressee()))
        assert abs(len(page.encode()) - size) <= RESERVE
    findings = {f.id: f.message for f in preflight(document, fragments, World(cuts={large: 3, small: 5}))}
    assert "1 of 2 cuts (3 readers)" in findings["cut-size"]
    assert "cut-size" not in {f.id for f in preflight(document, fragments, World(cuts={small: 5}))}


def test_a_story_that_the_text_part_lost_is_named() -> None:
    document = plain()
    fragments = tuple(replace(f, text=b"") if f.role == "item" else f for f in RENDERER.render(document))
    assert {f.id: f.level for f in preflight(document, fragments)}["text-part"] == "warning"


def test_a_fragment_that_is_not_made_of_whole_lines_is_not_sent() -> None:
    document = plain()
    fragments = tuple(replace(f, html=f.html + b"x") if f.role == "item" else f for f in RENDERER.render(document))
    assert {f.id: f.level for f in preflight(document, fragments)}["fragment"] == "error"


def test_every_check_has_a_test_that_would_miss_it() -> None:
    """An id that no test names is a check that nobody would see go."""
    folder = Path(checks.__file__).parent
    source = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    ids = set(
        re.findall(
            r'"([a-z]+(?:-[a-z]+)+|head|masthead|footer|fragment|preheader|placeholder|contrast|unsubscribe|preferences|shouting)",\s*(?:"(?:error|warning)"|level_of)',
            source,
        )
    )
    ids |= {"links-dead", "links-relative"}
    assert len(ids) >= 40
    here = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in ids if f'"{name}"' not in here} <= UNREACHABLE


UNREACHABLE = {"preheader", "theme-colour"}
"""Stitching and rendering see to these already; preflight asks once more."""


def test_a_lead_story_may_stand_in_its_section_too() -> None:
    assert "repeated-story" not in found(plain(lead([lead_story(2)])))


def test_nothing_that_a_source_wrote_stops_an_issue() -> None:
    findings = preflight(HOSTILE, RENDERER.render(HOSTILE))
    assert {f.id for f in findings if f.level == "error" and f.where.startswith(("lead", "section"))} == set()
