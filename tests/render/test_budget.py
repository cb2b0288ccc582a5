"""No reader's mail is larger than what Gmail shows whole, whatever the issue holds."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from digest.curation.select import select
from digest.domain.audience import Due
from digest.domain.issue import Block, IssueDocument, PlacedItem, Section
from digest.domain.mail import Fragment
from digest.render.archive import archive_html
from digest.render.budget import LIMIT, RESERVE, largest, size, within
from digest.render.cut import cut_for, html_of, in_cut, text_of, whole
from digest.render.message import Head, tokens
from tests.render import documents
from tests.render.documents import framed, lead, lead_story, section, story

RENDERER = documents.renderer()
ROOM = LIMIT - RESERVE
TOPICS = ("policy", "markets", "infra")


def issue(stories: int, sections: int, cards: int, headline: str, dek: str, url: str) -> IssueDocument:
    """An issue with ``stories`` in ``sections``; each story's words and address are those given, and its number."""
    items = [
        story(n, headline=f"{headline} {n}", dek=dek, url=f"https://news.example/{n}/{url}", topics=(TOPICS[n % 3],))
        for n in range(1, stories + 1)
    ]
    blocks = [section(f"t{n}", f"Section {n}", items[n::sections], cards=cards) for n in range(sections)]
    return framed(lead([lead_story(1), lead_story(2)]), *[block for block in blocks if block.section.items])


issues = st.builds(
    issue,
    stories=st.integers(1, 200),
    sections=st.integers(1, 12),
    cards=st.integers(0, 40),
    headline=st.sampled_from(["Bitcoin slips", "한국은행 금리 동결 " * 20, "<b>&amp; “quoted”</b> " * 12, "w" * 300]),
    dek=st.sampled_from(["", "Two amendments fell; the rule on audits stays.", "&" * 600, "🧮 counted " * 60]),
    url=st.sampled_from(["a", "a?b=1&c=2" * 20, "long/" * 150]),
)


# Shrinking an issue of 200 stories takes minutes and tells nothing more.
@settings(max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(issues, st.data())
def test_every_cut_fits_and_no_story_is_lost(document: IssueDocument, data: st.DataObject) -> None:
    fitted = RENDERER.fit(document)
    assert fitted.largest == largest(fitted.fragments) <= ROOM
    sections = tuple(block.section for block in document.blocks if block.section is not None)
    topics = frozenset(data.draw(st.sets(st.sampled_from(TOPICS))))
    cut = cut_for(fitted.fragments, select(sections, Due(topics), frozenset(), 1))
    shown = in_cut(fitted.fragments, cut)
    values = tokens(
        Head.of(fitted.document), fitted.fragments, cut, documents.addressee(address="x" * 64 + "@y.example")
    )
    assert len(html_of(fitted.fragments, cut, values).encode()) <= LIMIT
    # What is not in the mail is on the issue's page.
    there = {f.story_id for f in fitted.fragments if f.role in ("item", "web")}
    assert there == {placed.item.story_id for section in sections for placed in section.items}
    assert sum(map(size, shown)) <= ROOM


def test_what_fits_stays_as_it_is() -> None:
    document = documents.document()
    fitted = RENDERER.fit(document)
    assert (fitted.document, fitted.steps) == (document, ())


CROWDED = issue(120, 4, 40, "A headline of the usual length on rates and rules", "word " * 60, "a")


def test_the_worst_ranked_step_down_first_and_the_best_last() -> None:
    fitted = RENDERER.fit(CROWDED)
    cards = [step for step in fitted.steps if (step.before, step.after) == ("card", "brief")]
    assert [step.story_id for step in cards] == sorted((step.story_id for step in cards), reverse=True)
    assert not {step.story_id for step in fitted.steps} & set(range(1, 11))
    forms = {
        placed.item.story_id: placed.form for b in fitted.document.blocks if b.section for placed in b.section.items
    }
    assert forms[120] in ("brief", "line")
    assert str(fitted.steps[0]).startswith(
        "“A headline of the usual length on rates and rules 120” steps down from card"
    )


def test_as_few_stories_step_down_as_it_takes() -> None:
    fitted = RENDERER.fit(CROWDED)
    assert ROOM - 2_000 < fitted.largest <= ROOM


def test_what_leaves_the_mail_stands_on_the_issues_page_and_the_mail_leads_there() -> None:
    document = issue(200, 8, 40, "h" * 200, "word " * 100, "long/" * 150)
    fitted = RENDERER.fit(document)
    web = [fragment for fragment in fitted.fragments if fragment.role == "web"]
    assert web
    cut = whole(fitted.fragments)
    values = tokens(Head.of(document), fitted.fragments, cut, documents.addressee())
    mail, text = html_of(fitted.fragments, cut, values), text_of(fitted.fragments, cut, values)
    page = archive_html(fitted.fragments, document, "https://mail.float.example/")
    for fragment in web:
        assert f"/{fragment.story_id}/" in page
        assert f"https://news.example/{fragment.story_id}/" not in mail
    for part in (mail, text):
        assert f"{len(web)} more stories of this issue did not fit in here" in part
        assert f"{document.archive_url}#more" in part


def test_a_mail_of_25_stories_in_8_sections_takes_two_fifths_of_the_room_at_most() -> None:
    stories = [story(n) for n in range(1, 26)]
    blocks = [section(f"t{n}", f"Section {n}", stories[n::8], cards=1) for n in range(8)]
    document = framed(lead([lead_story(1), lead_story(2)]), *blocks)
    cut = whole(RENDERER.render(document))
    assert sum(size(fragment) for fragment in in_cut(RENDERER.render(document), cut)) <= 0.4 * LIMIT


@pytest.mark.parametrize("words", [10, 22_000])
def test_letters_are_never_cut_preflight_says_so_instead(words: int) -> None:
    letter = replace(documents.blocks()[-8], body="word " * words)
    fitted = RENDERER.fit(framed(letter, section("a", "A", [story(1), story(2)])))
    assert (fitted.largest > ROOM) is (words > 10)
    assert [step.after for step in fitted.steps][-1:] == (["web"] if words > 10 else [])


def with_week(document: IssueDocument, stories: int, url: str) -> IssueDocument:
    """The issue on the day that brings the best of the week: ``stories`` of them, five for one reader."""
    items = tuple(
        PlacedItem(
            story(n, rank=n, week=n, url=f"https://news.example/{n}/{url}", topics=(TOPICS[n % 3],), carried_on=date(2026, 3, 10)), "card"
        )
        for n in range(501, 501 + stories)
    )  # fmt: skip
    blocks = list(document.blocks)
    blocks.insert(2, Block("week", "week", section=Section("week", "", items=items, most=5)))
    return replace(document, blocks=tuple(blocks))


@pytest.mark.parametrize(
    ("stories", "url", "shown"),
    [
        (10, "a", {"card"}),
        (170, "a", {"card"}),
        (10, "a" * 10_000, {"card"}),
        (10, "a" * 60_000, {"line"}),
        (10, "a" * 99_000, set()),
    ],
)
def test_the_best_of_the_week_costs_daily_readers_nothing_and_has_room_in_a_weekly_mail(
    stories: int, url: str, shown: set[str]
) -> None:
    today = issue(stories, 4, 40, "Bitcoin slips", "Two amendments fell; the rule on audits stays." * 2, "a")
    alone, both = RENDERER.fit(today), RENDERER.fit(with_week(today, 12, url))

    def of_today(fragments: tuple[Fragment, ...]) -> list[tuple[str, bytes, bytes]]:
        return [(f.key, f.html, f.text) for f in fragments if f.group != "week"]

    assert of_today(both.fragments) == of_today(alone.fragments)
    assert both.largest == alone.largest
    assert {f.form for f in both.fragments if f.group == "week" and f.role == "item"} == shown
    assert RENDERER.fit(both.document).fragments == both.fragments
    sections = tuple(block.section for block in both.document.blocks if block.section is not None)
    sizes = {f.position: size(f) for f in both.fragments}
    for topics in (frozenset[str](), frozenset({"policy"})):
        chosen = select(sections, Due(topics, topics, whole_week=True), frozenset(), 1)
        kept = within(both.fragments, sections, chosen, sizes)
        assert kept.items.get("week", ()) == chosen.items.get("week", ())
        assert sum(size(f) for f in in_cut(both.fragments, cut_for(both.fragments, kept))) <= ROOM
        left_out, there = chosen.stories - kept.stories, kept.stories - set(kept.items.get("week", ()))
        assert not left_out or min(left_out) > max(there)
        daily = cut_for(both.fragments, select(sections, Due(topics), frozenset(), 1))
        assert not any(f.group == "week" for f in in_cut(both.fragments, daily))
