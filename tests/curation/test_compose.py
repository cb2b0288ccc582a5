from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curation.compose import compose
from digest.curation.rank import rank
from digest.curation.select import select
from digest.domain.audience import Due
from digest.domain.content import Image, Story, TopicProfile
from digest.domain.issue import Coverage, Section
from digest.domain.newsroom import BlockSpec
from tests.curation.make import NOW, article, identified, story

SLUGS = ("a", "b", "c")
TOPICS = tuple(TopicProfile(slug, slug.upper()) for slug in SLUGS)
LEAD = BlockSpec("lead", "Top")


def section(topic: str, **fields: int) -> BlockSpec:
    return BlockSpec("section", f"News of {topic}", topic=topic, **fields)


LAYOUT = (BlockSpec("masthead"), LEAD, section("a"), section("b"), section("c"), BlockSpec("footer"))


def placed(sections: tuple[Section, ...]) -> dict[str, list[int]]:
    return {section.key: [p.item.story_id for p in section.items] for section in sections}


def ranked(*stories: Story) -> tuple[Story, ...]:
    return rank(stories, NOW)


def test_sections_stand_in_layout_order_with_cards_before_briefs() -> None:
    stories = ranked(*(story(i, sources=9 - i, topics=("a",)) for i in range(1, 5)), story(9, topics=("b",)))
    sections = compose(stories, LAYOUT, TOPICS)
    assert placed(sections) == {"lead": [1, 2, 9], "section:a": [1, 2, 3, 4], "section:b": [9]}
    assert [p.form for p in sections[1].items] == ["card", "card", "brief", "brief"]
    assert [p.form for p in sections[0].items] == ["lead"] * 3
    assert (sections[1].title, sections[0].title) == ("News of a", "Top")


def test_a_story_stands_where_its_topic_is_strongest_and_else_where_there_is_room() -> None:
    stories = ranked(*(story(i, sources=9 - i, topics=("a", "b")) for i in range(1, 4)))
    sections = compose(stories, (LEAD, section("a", max=2), section("b", max=2)), TOPICS)
    assert placed(sections) == {"lead": [1, 2], "section:a": [1, 2], "section:b": [3]}


def test_below_its_minimum_a_section_is_dropped_and_its_stories_find_room_elsewhere() -> None:
    stories = ranked(story(1, sources=3, topics=("a",)), story(2, topics=("b", "a")))
    assert placed(compose(stories, (LEAD, section("a"), section("b", min=2)), TOPICS))["section:a"] == [1, 2]
    assert placed(compose(stories, (section("b", min=3),), TOPICS)) == {}


def test_no_outlet_leads_more_than_half_of_a_section_while_others_have_news() -> None:
    same = [story(i, sources=9 - i, source="Loud", topics=("a",)) for i in range(1, 6)]
    stories = [replace(s, others=tuple(replace(o, source=f"O{o.id}") for o in s.others)) for s in same]
    quiet = [story(i, source=f"Quiet {i}", topics=("a",)) for i in range(11, 14)]
    layout = (section("a", max=4),)
    assert placed(compose(ranked(*stories, *quiet), layout, TOPICS))["section:a"] == [1, 2, 11, 12]
    assert placed(compose(ranked(*stories, quiet[0]), layout, TOPICS))["section:a"] == [1, 2, 3, 11]


def test_stories_without_a_topic_on_offer_stay_out() -> None:
    stories = ranked(story(1, sources=5, topics=()), story(2, sources=4, topics=("z",)), story(3, topics=("a",)))
    sections = compose(stories, LAYOUT, TOPICS)
    assert placed(sections) == {"lead": [3], "section:a": [3]}
    assert sections[0].items[0].item.rank == 1


def test_a_story_needs_an_identity() -> None:
    with pytest.raises(ValueError, match="story_id"):
        compose(ranked(replace(story(1, topics=("a",)), story_id=None)), LAYOUT, TOPICS)


def test_nothing_is_composed_to_nothing() -> None:
    assert compose((), LAYOUT, TOPICS) == ()


def test_an_item_tells_readers_what_they_need() -> None:
    image = Image("https://a.example/i.png", "A chart")
    articles = [
        article(1, "Harbor Exchange halts withdrawals after a breach", hours=9, topics=("b", "a"), author="A. B.", source_weight=2.0,
                summary="The exchange says that its customers will have their money within two days.", source="Alpha"),
        article(2, "Breach: Harbor Exchange halts all withdrawals", hours=1, image=image, source="Beta"),
        article(3, "Harbor Exchange halts withdrawals after breach found", hours=5, source="Gamma", source_weight=1.5),
        article(4, "Beta again: Harbor Exchange halts withdrawals, breach", hours=0.5, source="Beta"),
        article(5, "Breach: Harbor Exchange halts all withdrawals", hours=0.6, source="Delta"),
        article(6, "Farmers sue over fertiliser prices in Iowa", topics=("a",)),
    ]  # fmt: skip
    sent = NOW - timedelta(days=2)
    stories = [replace(s, last_sent_at=sent) if s.sources > 1 else s for s in identified(articles)]
    item = compose(rank(stories, NOW, boosts={1: 9.0}), (section("b"),), TOPICS)[0].items[0].item
    assert (item.headline, item.source, item.author, item.sources) == (articles[0].title, "Alpha", "A. B.", 3)
    assert item.dek == articles[0].summary
    assert item.also == (
        Coverage("Gamma", articles[2].title, articles[2].url),
        Coverage("Beta", articles[1].title, articles[1].url),
    )
    assert (item.kicker, item.topics) == ("B", ("b", "a"))
    assert sorted(item.articles) == [1, 2, 3, 4, 5]
    assert item.image == image
    assert item.update_of == sent
    assert item.why == "Three outlets covered it within nine hours, more than any other story."


def test_a_story_of_one_outlet_says_so() -> None:
    items = compose(
        ranked(story(1, topics=("a",), source="Alpha"), story(2, topics=("a",), source="Beta", source_weight=2.0)),
        LAYOUT,
        TOPICS,
    )[1].items
    assert {p.item.story_id: p.item.why for p in items} == {
        1: "Alpha has it alone so far, and it is squarely about A.",
        2: "Beta has it, an outlet that our editors trust more than most.",
    }


TOPIC_SETS = st.lists(st.sampled_from((*SLUGS, "z")), unique=True, max_size=3).map(tuple)
STORIES = st.lists(st.tuples(st.integers(1, 5), TOPIC_SETS, st.sampled_from(["", "X", "Y"])), max_size=20).map(
    lambda specs: ranked(
        *(
            story(number, sources=sources, topics=topics, **({"source": source} if source else {}))
            for number, (sources, topics, source) in enumerate(specs, start=1)
        )
    )
)
BOUNDS = st.fixed_dictionaries({"max": st.integers(1, 4), "min": st.integers(0, 3), "cards": st.integers(0, 3)})
LAYOUTS = st.dictionaries(st.sampled_from(SLUGS), BOUNDS).map(
    lambda bounds: (LEAD, *(section(topic, **fields) for topic, fields in bounds.items()))
)


@given(STORIES, LAYOUTS)
def test_sections_keep_every_promise(stories: tuple[Story, ...], layout: tuple[BlockSpec, ...]) -> None:
    sections = compose(stories, layout, TOPICS)
    bounds = {f"section:{block.topic}": block for block in layout}
    topical = [found for found in sections if found.key != "lead"]
    ids = [p.item.story_id for found in topical for p in found.items]
    assert len(ids) == len(set(ids))
    for found in topical:
        ranks = [p.item.rank for p in found.items]
        assert ranks == sorted(ranks)
        assert max(1, found.min) <= len(ranks) <= bounds[found.key].max
        assert all(found.topic in p.item.topics for p in found.items)


@given(STORIES, LAYOUTS, st.frozensets(st.sampled_from(SLUGS)), st.frozensets(st.integers(1, 20)), st.integers(0, 4))
def test_a_selection_is_part_of_the_issue_and_suits_the_reader(
    stories: tuple[Story, ...],
    layout: tuple[BlockSpec, ...],
    topics: frozenset[str],
    exclude: frozenset[int],
    least: int,
) -> None:
    sections = compose(stories, layout, TOPICS)
    selection = select(sections, Due(topics), exclude, least)
    items = {found.key: {p.item.story_id: p.item for p in found.items} for found in sections}
    everything = {ident: item for held in items.values() for ident, item in held.items()}
    assert bool(selection.reason) is not bool(selection.stories)
    assert not selection.stories & exclude
    assert selection.reason or len(selection.stories) >= least
    assert all(not topics or topics & set(everything[ident].topics) for ident in selection.stories)
    for key, chosen in selection.items.items():
        assert chosen
        assert [ident for ident in items[key] if ident in chosen] == list(chosen)
        assert selection.lead not in chosen
    if selection.lead is not None and not exclude:
        assert everything[selection.lead].rank == min(
            item.rank for item in everything.values() if not topics or topics & set(item.topics)
        )


def test_what_finds_no_room_stands_on_the_web_where_the_layout_says_so() -> None:
    stories = ranked(*(story(i, sources=9 - i, topics=("a",)) for i in range(1, 9)))
    layout = (section("a", max=2), BlockSpec("more", "Also", max=3), BlockSpec("footer"))
    sections = compose(stories, layout, TOPICS)
    assert placed(sections) == {"section:a": [1, 2], "more": [3, 4, 5]}
    assert {p.form for p in sections[1].items} == {"web"}
    assert placed(compose(stories, (section("a", max=2),), TOPICS)) == {"section:a": [1, 2]}
    assert select(sections, Due(), frozenset(), 1).stories == {1, 2}
    assert select(sections, Due(), frozenset({1, 2}), 1).reason == "everything in this issue was sent before"


def test_a_section_of_outlets_takes_their_stories_whatever_their_topic() -> None:
    own = [story(i, source="Ours", topics=topics) for i, topics in ((1, ("a",)), (2, ()), (3, ("z",)))]
    others = [story(i, source="Theirs", topics=("a",)) for i in (4, 5)]
    house = BlockSpec("section", "From our house", sources=("Ours",), max=5)
    sections = compose(ranked(*own, *others), (section("a"), house), TOPICS)
    assert {key: set(ids) for key, ids in placed(sections).items()} == {
        "section:a": {4, 5},
        "section:by-ours": {1, 2, 3},
    }


def test_cards_of_a_section_with_pictures_stand_beside_them() -> None:
    stories = ranked(*(story(i, sources=9 - i, topics=("a",)) for i in range(1, 4)))
    (found,) = compose(stories, (section("a", cards=2, pictures=True),), TOPICS)
    assert [p.form for p in found.items] == ["related", "related", "brief"]
