"""Preflight: each check finds what it is for, and nothing in a good issue."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from digest.domain.content import Image
from digest.domain.issue import Block, IssueDocument, Question
from digest.domain.newsroom import EventSpec, LinkSpec, SponsorSpec, Theme
from digest.render.preflight import preflight
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
        (plain(items=[story(2, url="javascript:alert(1)")]), "links-dead", "warning"),
        (plain(Block(key="letter", type="letter", body="[offer](buy.html)")), "links-dead", "error"),
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


def test_a_lead_story_may_stand_in_its_section_too() -> None:
    assert "repeated-story" not in found(plain(lead([lead_story(2)])))


def test_nothing_that_a_source_wrote_stops_an_issue() -> None:
    findings = preflight(HOSTILE, RENDERER.render(HOSTILE))
    assert {f.id for f in findings if f.level == "error" and f.where.startswith(("lead", "section"))} == set()
