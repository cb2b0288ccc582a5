"""The best of the week, for readers who get a week at once: stories that earlier issues carried, ranked over seven days.

They stand in the issue as they stood in the earlier one, with the editor's words. Over a week other things count than on
the day: coverage loses half its worth in three and a half days instead of twelve hours, and who joined within the last
three hours no longer matters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from digest.curation.rank import USUAL
from digest.curation.wording import ago, count, sentence
from digest.domain.content import Score, ScorePart
from digest.domain.issue import Form, StoryItem
from digest.domain.ranking import RankingWeights

HALF = timedelta(days=3.5)
"""In which coverage loses half its worth."""

_OF_THE_DAY = ("freshness", "momentum", "repeat")
"""Parts of a score that are about the day of the earlier issue."""


def best_of_week(
    today: Sequence[StoryItem],
    earlier: Iterable[StoryItem],
    as_of: datetime,
    topics: Iterable[str],
    *,
    most: int,
    weights: RankingWeights = USUAL,
) -> tuple[dict[int, int], tuple[StoryItem, ...]]:
    """The rank of each of today's stories in the week, by id, and the earlier stories worth telling again, best first.

    Args:
        today: the stories of the issue, each once.
        earlier: stories of the week's earlier issues with their ``carried_on``; of several copies of one, the newest counts.
            A story that shares an article with one of today's is the same story, and stands there.
        topics: slugs on offer: of each there are enough for a reader who gets nothing else.
        most: how many one reader gets.
    """
    told = {item.story_id for item in today}, {article for item in today for article in item.articles}
    kept: list[StoryItem] = []
    for item in sorted(earlier, key=lambda item: (item.carried_on or as_of.date(), item.story_id), reverse=True):
        if item.story_id not in told[0] and told[1].isdisjoint(item.articles):
            told[0].add(item.story_id)
            told[1].update(item.articles)
            kept.append(item)
    scored = {item.story_id: _over_the_week(item.score, item.published_at, as_of, weights) for item in (*today, *kept)}
    order = sorted((*today, *kept), key=lambda item: _place(item, scored[item.story_id]))
    places = {item.story_id: place for place, item in enumerate(order, start=1)}
    kept.sort(key=lambda item: places[item.story_id])
    chosen = {item.story_id for item in kept[:most]}
    for topic in topics:
        chosen.update([item.story_id for item in kept if topic in item.topics][:most])
    best = [item for item in kept if item.story_id in chosen]
    return {item.story_id: places[item.story_id] for item in today}, tuple(
        replace(
            item, rank=len(today) + index, week=places[item.story_id], update_of=None, score=scored[item.story_id],
            why=_why(item, order),
        )
        for index, item in enumerate(best, start=1)
    )  # fmt: skip


def forms_of_week(items: Sequence[StoryItem], cards: int) -> list[Form]:
    """The forms of the week's stories: the first ones are cards, of all and of each topic, as readers choose topics."""
    seen: dict[str, int] = {}
    forms: list[Form] = []
    for item in items:
        places = [seen.get(group, 0) for group in ("", *item.topics)]
        forms.append("card" if min(places) < cards else "brief")
        seen.update((group, seen.get(group, 0) + 1) for group in ("", *item.topics))
    return forms


def _over_the_week(score: Score, published_at: datetime, as_of: datetime, weights: RankingWeights) -> Score:
    age = max(as_of - published_at, timedelta(0))
    value = round(-(age / HALF) * weights.freshness, 6) + 0.0
    fresh = ScorePart("freshness", value, f"published {ago(age)}; over a week it loses half its worth in 84 hours")
    return Score((*(part for part in score.parts if part.name not in _OF_THE_DAY), fresh))


def _place(item: StoryItem, score: Score) -> tuple[float, int, datetime, int]:
    return (-score.total, -item.sources, item.published_at, item.story_id)


def _why(item: StoryItem, order: Sequence[StoryItem]) -> str:
    """One plain sentence on why the story leads a week."""
    if item.sources > 1:
        most = all(other.sources < item.sources for other in order if other is not item)
        return sentence(
            f"{count(item.sources, 'outlet')} covered it{', more than any other story of the week' if most else ''}."
        )
    return f"{item.source or 'One outlet'} had it; nothing else in your week weighs more."
