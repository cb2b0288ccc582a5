import pytest

from digest.curation.compose import compose
from digest.curation.rank import rank
from digest.curation.select import select
from digest.domain.audience import Due
from digest.domain.issue import Selection
from digest.domain.newsroom import BlockSpec
from tests.curation.make import NOW, TOPICS, story

STORIES = rank(
    [
        story(1, sources=4),
        story(2, sources=3, topics=("policy",)),
        story(3, sources=2, topics=("bitcoin", "policy")),
        story(4),
    ],
    NOW,
)
LAYOUT = (BlockSpec("lead"), BlockSpec("section", topic="bitcoin"), BlockSpec("section", topic="policy"))
SECTIONS = compose(STORIES, LAYOUT, TOPICS)


@pytest.mark.parametrize(
    ("topics", "exclude", "expected"),
    [
        ([], [], Selection(1, {"section:bitcoin": (3, 4), "section:policy": (2,)})),
        (["policy"], [], Selection(2, {"section:bitcoin": (3,)})),
        (["bitcoin"], [1], Selection(3, {"section:bitcoin": (4,)})),
        ([], [1], Selection(2, {"section:bitcoin": (3, 4)})),
        (["defi"], [], Selection(reason="nothing new in the chosen topics")),
        (["policy"], [2, 3], Selection(reason="everything in the chosen topics was sent before")),
        ([], [1, 2, 3], Selection(None, {"section:bitcoin": (4,)})),
    ],
)
def test_readers_get_their_own_lead_and_their_own_stories(
    topics: list[str], exclude: list[int], expected: Selection
) -> None:
    assert select(SECTIONS, Due(frozenset(topics)), frozenset(exclude), 1) == expected


def test_almost_nothing_is_not_sent() -> None:
    assert (
        select(SECTIONS, Due(frozenset({"policy"})), frozenset(), 3).reason
        == "only 2 stories in the chosen topics, fewer than 3"
    )
    assert (
        select(SECTIONS, Due(frozenset()), frozenset({1, 2, 3}), 2).reason == "only 1 story in this issue, fewer than 2"
    )


def test_an_empty_issue_gives_nothing_even_if_nothing_is_asked() -> None:
    assert select((), Due(), frozenset(), 0).reason == "nothing new in this issue"
