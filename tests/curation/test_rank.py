import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curation.explain import explain
from digest.curation.rank import rank
from digest.domain.content import Story
from digest.domain.ranking import RankingWeights
from tests.curation.make import NOW, article, story


def ids(stories: tuple[Story, ...]) -> list[int | None]:
    return [found.story_id for found in stories]


def part(found: Story, name: str) -> float:
    return next((part.value for part in found.score.parts if part.name == name), 0.0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (story(1, sources=4), story(2, sources=2)),
        (story(1, hours=2), story(2, hours=9)),
        (story(1, source_weight=2.0), story(2)),
        (story(1), story(2, topics=())),
        (story(1, sources=3), replace(story(2, sources=3), last_sent_at=NOW - timedelta(hours=20))),
        (story(1, sources=2, hours=0), story(2, sources=4, hours=14)),
    ],
    ids=["coverage", "freshness", "trust", "topic", "repeat", "decayed coverage"],
)
def test_the_better_story_comes_first(first: Story, second: Story) -> None:
    assert ids(rank([second, first], NOW)) == [1, 2]


def test_coverage_and_freshness_together_are_the_decayed_count_of_outlets() -> None:
    mixed = replace(story(1), others=(article(5, "b", hours=13), article(6, "c", hours=1)), sources=3)
    (found,) = rank([mixed], NOW)
    heat = 2 * 0.5 ** (1 / 12) + 0.5 ** (13 / 12)
    assert 2 ** (part(found, "coverage") - 1 + part(found, "freshness")) == pytest.approx(heat, abs=1e-4)


def test_a_longer_window_lets_coverage_age_more_slowly() -> None:
    (day,), (week,) = rank([story(1, hours=12)], NOW), rank([story(1, hours=84)], NOW, window=timedelta(days=7))
    assert part(day, "freshness") == part(week, "freshness") == -1.0


def test_a_copy_and_a_second_article_of_an_outlet_add_no_coverage() -> None:
    plain = story(1)
    others = (article(2, "copy"), article(3, "again", source=plain.lead.source))
    padded = replace(plain, others=others, copies=frozenset({2}))
    assert part(rank([padded], NOW)[0], "coverage") == part(rank([plain], NOW)[0], "coverage") == 1.0


def test_coverage_from_before_the_window_adds_nothing() -> None:
    late = replace(story(1), others=(article(9, "old", hours=30),), sources=2)
    assert part(rank([late], NOW)[0], "coverage") == 1.0
    assert part(rank([story(2, sources=2, hours=30)], NOW)[0], "coverage") == 2.0


def test_an_article_from_the_future_counts_as_new_and_no_more() -> None:
    (future,) = rank([story(1, hours=-500)], NOW)
    assert part(future, "freshness") == 0.0


def test_a_repeat_with_something_new_loses_less() -> None:
    sent = replace(story(1, hours=2), last_sent_at=NOW - timedelta(hours=1))
    told_more = replace(story(2, hours=2), last_sent_at=NOW - timedelta(hours=20))
    assert part(rank([sent], NOW)[0], "repeat") < part(rank([told_more], NOW)[0], "repeat") < 0


def test_an_editors_points_count_in_full() -> None:
    ranked = rank([story(1, sources=4), story(2)], NOW, boosts={2: 9.5})
    assert ids(ranked) == [2, 1]
    assert part(ranked[0], "editor") == 9.5


def test_every_part_says_why_in_words() -> None:
    sent = replace(story(1, sources=3, source_weight=2.0), last_sent_at=NOW - timedelta(days=1))
    (found,) = rank([sent], NOW, boosts={1: 1.0})
    assert [part.name for part in found.score.parts] == [
        "coverage", "freshness", "source trust", "topic match", "momentum", "repeat", "editor",
    ]  # fmt: skip
    assert all(part.why for part in found.score.parts)
    assert found.score.parts[0].why == "three independent outlets: Outlet 102, Outlet 101, Outlet 100"


STORIES = st.lists(
    st.builds(
        lambda sources, hours, weight, sent, topics: (sources, hours, weight, sent, topics),
        st.integers(1, 6), st.floats(-5, 100), st.floats(0.1, 10), st.booleans(), st.sampled_from([(), ("a",), ("b", "a")]),
    ),
    max_size=8,
)  # fmt: skip


def made(specs: list[tuple[int, float, float, bool, tuple[str, ...]]]) -> list[Story]:
    return [
        replace(
            story(number, sources=sources, hours=hours, source_weight=weight, topics=topics),
            last_sent_at=NOW - timedelta(hours=30) if sent else None,
        )
        for number, (sources, hours, weight, sent, topics) in enumerate(specs)
    ]


@given(STORIES, st.randoms())
def test_the_order_of_arrival_never_matters(
    specs: list[tuple[int, float, float, bool, tuple[str, ...]]], chance: random.Random
) -> None:
    stories = made(specs)
    shuffled = stories.copy()
    chance.shuffle(shuffled)
    assert repr(rank(shuffled, NOW)) == repr(rank(stories, NOW))


@given(STORIES)
def test_the_parts_of_a_score_add_up_and_the_best_come_first(
    specs: list[tuple[int, float, float, bool, tuple[str, ...]]],
) -> None:
    ranked = rank(made(specs), NOW)
    totals = [found.score.total for found in ranked]
    assert totals == sorted(totals, reverse=True)
    for found in ranked:
        assert found.score.total == pytest.approx(sum(part.value for part in found.score.parts), abs=1e-6)
        assert len({part.name for part in found.score.parts}) == len(found.score.parts)


def test_an_explanation_tells_gaps_and_what_would_lead() -> None:
    ranked = rank([story(1, sources=4, hours=0), story(2, sources=1, hours=0), story(3, hours=6)], NOW)
    top, second, third = (explain(ranked, index) for index in range(3))
    assert (top.position, top.behind, top.first_if) == (1, None, ())
    assert top.ahead == second.behind == pytest.approx(top.total - second.total)
    assert (third.position, third.ahead) == (3, None)
    assert third.first_if[0].startswith("would be #1 if ")
    assert [abs(p.value) for p in top.parts] == sorted((abs(p.value) for p in top.parts), reverse=True)


@pytest.mark.parametrize("hours", [1.0, 5.0])
def test_as_many_more_outlets_as_an_explanation_asks_for_do_lead(hours: float) -> None:
    leader, other = story(1, sources=5, hours=hours), story(2, sources=2, hours=hours)
    said = explain(rank([leader, other], NOW), 1).first_if[0]
    more = ["no", "one", "two", "three", "four", "five", "six"].index(said.split()[4])
    joined = replace(
        other, others=(*other.others, *(article(900 + i, "x", hours=0) for i in range(more))), sources=2 + more
    )
    assert ids(rank([leader, joined], NOW))[0] == 2


def test_a_repeat_that_would_lead_says_so() -> None:
    sent = replace(story(2, sources=4), last_sent_at=NOW - timedelta(minutes=30))
    assert "would be #1 if no earlier issue had carried it" in explain(rank([story(1), sent], NOW), 1).first_if


def test_nothing_is_ranked_to_nothing() -> None:
    assert rank([], NOW) == ()


def test_a_running_story_goes_on_before_one_that_nobody_wrote_of_before() -> None:
    earlier = tuple(article(800 + day, "before", hours=24 * day, source="Outlet 100") for day in (1.5, 2, 3))
    running, fresh = story(1, hours=2), story(2, hours=2)
    ranked = rank([fresh, replace(running, others=tuple(article(700 + i, a.title, hours=30 + i, source=running.lead.source) for i, a in enumerate(earlier)))], NOW)  # fmt: skip
    assert ids(ranked) == [1, 2]
    assert part(ranked[0], "staying power") > 0 == part(ranked[1], "staying power")
    assert part(ranked[0], "coverage") == 1.0


def test_a_copy_gives_no_staying_power() -> None:
    copied = replace(story(1), others=(article(9, "copy"),), copies=frozenset({9}))
    assert part(rank([copied], NOW)[0], "staying power") == 0.0


def test_a_newsletters_weights_scale_the_parts() -> None:
    usual, halved = (rank([story(1, sources=4)], NOW, weights=RankingWeights(coverage=w))[0] for w in (1.0, 0.5))
    assert part(halved, "coverage") == part(usual, "coverage") / 2
    wide, young = story(1, sources=3, hours=10), story(2, hours=1)
    assert ids(rank([wide, young], NOW)) == [1, 2]
    assert ids(rank([wide, young], NOW, weights=RankingWeights(freshness=4.0))) == [2, 1]


def test_an_outlets_record_moves_its_stories() -> None:
    ranked = rank([story(1), replace(story(2), lead=article(2, "b", source="Praised"))], NOW, priors={"praised": 1.5})
    assert ids(ranked)[0] == 2
    assert part(ranked[0], "track record") == 1.5


def test_what_would_lead_is_not_told_where_the_parts_cannot_tell_it() -> None:
    weights = RankingWeights(freshness=3.0)
    said = explain(rank([story(1, sources=5), story(2)], NOW, weights=weights), 1, weights=weights).first_if
    assert len(said) == 1
    assert said[0].startswith("would be #1 if an editor gave it")
