"""Rendered once, cut per reader: a cut is the same mail as the issue restricted to the selection."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from digest.domain.issue import IssueDocument, Selection
from digest.domain.mail import Cut
from digest.errors import RenderError
from digest.render.cut import cut_for, html_of, in_cut, selection_all, text_of, top_of, whole
from digest.render.message import Head, tokens
from tests.render import documents

DOCUMENT = documents.document()
RENDERER = documents.renderer()
FRAGMENTS = RENDERER.render(DOCUMENT)
READER = documents.addressee()

leads = st.sampled_from([None, 1, 5, 9])
groups = {
    block.section.key: [placed.item.story_id for placed in block.section.items]
    for block in DOCUMENT.blocks
    if block.section is not None and block.section.key != "lead"
}
selections = st.builds(
    lambda lead, items: Selection(lead=lead, items={key: tuple(ids) for key, ids in items.items() if ids}),
    leads,
    st.fixed_dictionaries(
        {key: st.lists(st.sampled_from(ids), unique=True).map(sorted) for key, ids in groups.items()}
    ),
)


def restricted(document: IssueDocument, selection: Selection) -> IssueDocument:
    """The issue as if only the selection had ever been in it."""
    chosen = {**selection.items, "lead": () if selection.lead is None else (selection.lead,)}
    blocks = []
    for block in document.blocks:
        if block.section is not None:
            kept = tuple(p for p in block.section.items if p.item.story_id in chosen.get(block.section.key, ()))
            if not kept:
                continue
            block = replace(block, section=replace(block.section, items=kept))
        blocks.append(block)
    return replace(document, blocks=tuple(blocks))


def shown(document: IssueDocument, fragments: tuple, cut: Cut) -> tuple[str, str]:
    values = tokens(Head.of(document), fragments, cut, READER)
    return html_of(fragments, cut, values), text_of(fragments, cut, values)


def dom(page: str) -> bytes:
    return html.tostring(html.document_fromstring(page), method="c14n")


@settings(max_examples=30)
@given(selections)
def test_a_cut_is_the_same_mail_as_the_restricted_issue(selection: Selection) -> None:
    page, text = shown(DOCUMENT, FRAGMENTS, cut_for(FRAGMENTS, selection))
    direct = restricted(DOCUMENT, selection)
    fragments = RENDERER.render(direct)
    everything = Cut.of(range(len(fragments)))
    direct_page, direct_text = shown(direct, fragments, everything)
    assert dom(page) == dom(direct_page)
    assert text == direct_text


@settings(max_examples=12)
@given(st.data())
def test_a_cut_of_any_issue_is_the_same_mail_as_the_restricted_issue(data: st.DataObject) -> None:
    """Issues of one to three sections with stories in any form, with and without a lead, a letter, a table."""
    forms = st.lists(st.sampled_from(["card", "brief", "line"]), min_size=1, max_size=4)
    sections, number = [], 0
    for topic in data.draw(
        st.lists(st.sampled_from(["policy", "markets", "infra"]), min_size=1, max_size=3, unique=True)
    ):
        drawn = data.draw(forms)
        stories = [documents.story(number + n) for n in range(1, len(drawn) + 1)]
        sections.append(documents.section(topic, topic.title(), stories, forms=tuple(drawn)))
        number += len(drawn)
    others = [block for block in documents.blocks() if block.type in ("letter", "markets", "events", "sponsor")]
    around = data.draw(st.lists(st.sampled_from(others), max_size=2, unique_by=lambda block: block.key))
    leading = data.draw(st.lists(st.integers(1, number), max_size=2, unique=True).map(sorted))
    lead = [documents.lead([documents.lead_story(n) for n in leading])] if leading else []
    document = documents.framed(
        *around[:1], *lead, *sections, *around[1:], locale=data.draw(st.sampled_from(["en-US", "he"]))
    )
    chosen = {
        block.section.key: data.draw(
            st.lists(st.sampled_from([p.item.story_id for p in block.section.items]), unique=True).map(sorted)
        )
        for block in sections
    }
    selection = Selection(
        lead=data.draw(st.sampled_from([None, *leading])), items={key: tuple(ids) for key, ids in chosen.items() if ids}
    )
    fragments = RENDERER.render(document)
    page, text = shown(document, fragments, cut_for(fragments, selection))
    direct = restricted(document, selection)
    alone = RENDERER.render(direct)
    direct_page, direct_text = shown(direct, alone, Cut.of(range(len(alone))))
    assert (dom(page), text) == (dom(direct_page), direct_text)


def outlook(page: str) -> str:
    """The page as Outlook's Word engine reads it: conditional comments opened."""
    page = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", page, flags=re.S)
    return re.sub(r"<!--\[if [^\]]*\]>(.*?)<!\[endif\]-->", r"\1", page, flags=re.S)


@settings(max_examples=40)
@given(selections)
def test_tables_nest_properly_in_every_cut_also_for_outlook(selection: Selection) -> None:
    page, _ = shown(DOCUMENT, FRAGMENTS, cut_for(FRAGMENTS, selection))
    for view in (outlook(page), re.sub(r"<!--.*?-->", "", page, flags=re.S)):
        open_tags: list[str] = []
        for closes, name in re.findall(r"<(/?)(table|thead|tbody|tr|td|th|div|a|p|h[123])\b", view):
            if not closes:
                open_tags.append(name)
            else:
                assert open_tags, f"</{name}> closes nothing"
                assert open_tags.pop() == name
        assert open_tags == []


@given(selections)
def test_a_group_shows_its_heading_only_where_one_of_its_items_is(selection: Selection) -> None:
    cut = cut_for(FRAGMENTS, selection)
    chosen = in_cut(FRAGMENTS, cut)
    with_items = {fragment.group for fragment in chosen if fragment.role == "item"}
    assert {fragment.group for fragment in chosen if fragment.role == "heading"} == with_items
    assert {fragment.group for fragment in chosen if fragment.role == "closing"} == with_items
    assert {f.story_id for f in chosen if f.role == "item"} == selection.stories
    assert Cut.decode(cut.encode()) == cut


def test_the_whole_issue_shows_each_story_once_and_one_lead() -> None:
    assert whole(FRAGMENTS) == cut_for(FRAGMENTS, selection_all(DOCUMENT))
    stories = [f.story_id for f in in_cut(FRAGMENTS, whole(FRAGMENTS)) if f.role == "item"]
    assert sorted(stories) == list(range(1, 13))


@pytest.mark.parametrize(
    ("selection", "top"),
    [
        (Selection(lead=5, items={"section:policy": (2,)}), 5),
        (Selection(lead=None, items={"section:markets": (8,), "section:infra": (10,)}), 8),
        (Selection(), None),
    ],
)
def test_the_top_story_is_the_lead_or_else_the_first_item(selection: Selection, top: int | None) -> None:
    found = top_of(FRAGMENTS, cut_for(FRAGMENTS, selection))
    assert (found.story_id if found else None) == top


def test_a_story_that_the_selection_does_not_name_leaves_no_trace() -> None:
    page, text = shown(DOCUMENT, FRAGMENTS, cut_for(FRAGMENTS, Selection(lead=1, items={"section:policy": (2,)})))
    assert "Options desks brace" not in page + text
    assert "Infrastructure" not in page + text
    assert "Senate panel moves" in page
    assert "Senate panel moves" in text


def test_html_needs_a_value_for_every_token() -> None:
    with pytest.raises(RenderError, match="UNSUBSCRIBE"):
        html_of(FRAGMENTS, whole(FRAGMENTS), {"PREHEADER": "x", "PREFERENCES": "https://a.example", "ADDRESS": "a"})
