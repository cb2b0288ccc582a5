"""Why a story stands where it stands: the parts of its score, the gaps to its neighbours, and what would lead."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from digest.curation.rank import DEFAULT_WINDOW, USUAL
from digest.curation.wording import count
from digest.domain.content import Score, ScorePart, Story
from digest.domain.ranking import RankingWeights


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a story stands where it stands.

    Attributes:
        position: 1 is the top story.
        parts: the parts of its score, the weightiest first.
        ahead: points by which it leads the next story, None for the last.
        behind: points that it lacks to the story before it, None for the first.
        first_if: sentences that begin with "would be #1 if"; none for the first.
    """

    position: int
    total: float
    parts: tuple[ScorePart, ...]
    ahead: float | None
    behind: float | None
    first_if: tuple[str, ...]


def explain(
    stories: Sequence[Story], index: int, *, window: timedelta = DEFAULT_WINDOW, weights: RankingWeights = USUAL
) -> Explanation:
    """Why ``stories[index]`` stands where it stands among the ranked ``stories``; the rest as in ``rank``.

    Raises:
        IndexError: there is no such position.
    """
    score = stories[index].score
    total = score.total
    return Explanation(
        position=index % len(stories) + 1,
        total=total,
        parts=tuple(sorted(score.parts, key=lambda part: (-abs(part.value), part.name))),
        ahead=round(total - stories[index + 1].score.total, 6) if index + 1 < len(stories) else None,
        behind=round(stories[index - 1].score.total - total, 6) if index else None,
        first_if=would_lead(score, stories[0].score, window=window, weights=weights) if index else (),
    )


def would_lead(
    score: Score, top: Score, *, window: timedelta = DEFAULT_WINDOW, weights: RankingWeights = USUAL
) -> tuple[str, ...]:
    """Single changes after which a story of this score would stand before one of the score ``top``.

    What more coverage would do is told only where coverage, freshness and staying power count alike, and what youth
    would do only where nothing is older: elsewhere it can't be told from the parts alone.
    """
    gap = top.total - score.total
    value = {part.name: part.value for part in score.parts}
    found = []
    factors = {weights.coverage, weights.freshness, weights.staying_power}
    if len(factors) == 1 and (factor := factors.pop()) > 0:
        staying, freshness = value.get("staying power", 0.0) / factor, value.get("freshness", 0.0) / factor
        worth = 2.0 ** (value.get("coverage", factor) / factor - 1 + freshness + staying)
        more = math.floor(worth * (2.0 ** (gap / factor) - 1)) + 1
        found.append(f"would be #1 if {count(more, 'more outlet')} covered it now")
        if not staying and gap / factor <= -freshness:
            hours = gap / factor * (window / 2 / timedelta(hours=1))
            found.append(f"would be #1 if its coverage were {count(math.floor(hours) + 1, 'hour')} younger")
    if value.get("repeat", 0.0) + gap < 0:
        found.append("would be #1 if no earlier issue had carried it")
    found.append(f"would be #1 if an editor gave it {gap + 0.01:.2f} points")
    return tuple(found)
