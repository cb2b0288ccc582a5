"""Ranking: which story matters most now, and why.

The core is coverage decayed by age: Σ over independent outlets of 0.5^(age / half-life), where the half-life is half
the window: 12 hours for a daily newsletter. It is kept in log space, where factors add up: a doubling of the outlets is
worth one point, a half-life costs one point. Around it stand smaller parts, each named and signed, with words for the
editor.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.curation.wording import ago, count, listed
from digest.domain.content import Candidate, Score, ScorePart, Story

RECENT = timedelta(hours=3)
"""Outlets that joined within this time make momentum."""

TOPIC_WEIGHT = 0.5
MOMENTUM_WEIGHT = 0.5
SENT_BEFORE = -4.0
SENT_BEFORE_BUT_NEW = -2.0
LEAST_TRUST, MOST_TRUST = 0.125, 8.0

DEFAULT_WINDOW = timedelta(hours=24)


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


def rank(
    stories: Iterable[Story],
    as_of: datetime,
    *,
    window: timedelta = DEFAULT_WINDOW,
    boosts: Mapping[int, float] | None = None,
) -> tuple[Story, ...]:
    """The stories best first, each with its score.

    Args:
        as_of: the moment for which ages are counted; articles dated later count as published then.
        window: the time that an issue covers; coverage loses half its worth in half of it. Outlets whose coverage is
            older than the window add nothing, unless the story has no newer one.
        boosts: points given by editors, by story_id.
    """
    given = boosts or {}
    scored = [replace(story, score=Score(_parts(story, as_of, window, given))) for story in stories]
    return tuple(sorted(scored, key=_order))


def _order(story: Story) -> tuple[float, int, datetime, int]:
    return (-story.score.total, -story.sources, story.lead.published_at, story.lead.id)


def _parts(story: Story, as_of: datetime, window: timedelta, boosts: Mapping[int, float]) -> tuple[ScorePart, ...]:
    outlets = _outlets(story, as_of, window)
    ages = [_age(article, as_of) for article in outlets]
    heat = math.fsum(0.5 ** (age / (window / 2)) for age in ages)
    coverage = 1 + math.log2(len(outlets))
    parts = [
        ScorePart(
            "coverage", coverage, f"{count(len(outlets), 'independent outlet')}: {listed([a.source for a in outlets])}"
        ),
        ScorePart(
            "freshness", math.log2(heat / len(outlets)), f"newest coverage {ago(min(ages))}, oldest {ago(max(ages))}"
        ),
        _trust(outlets),
        _topic_match(story),
        _momentum(outlets, ages),
        _repeat(story),
        _editor(story, boosts),
    ]
    rounded = [replace(part, value=round(part.value, 6) + 0.0) for part in parts]
    return tuple(part for part in rounded if part.value or part.name in ("coverage", "freshness"))


def _outlets(story: Story, as_of: datetime, window: timedelta) -> list[Candidate]:
    """The newest own article of every independent outlet, newest first."""
    newest: dict[str, Candidate] = {}
    for article in sorted(story.articles, key=lambda article: (article.published_at, article.id)):
        if article.id not in story.copies or article is story.lead:
            newest[article.source.casefold()] = article
    ordered = sorted(newest.values(), key=lambda article: (article.published_at, article.id), reverse=True)
    return [article for article in ordered if as_of - article.published_at <= window] or ordered


def _age(article: Candidate, as_of: datetime) -> timedelta:
    return max(as_of - article.published_at, timedelta(0))


def _trust(outlets: Sequence[Candidate]) -> ScorePart:
    weight = math.fsum(article.source_weight for article in outlets) / len(outlets)
    value = math.log2(min(max(weight, LEAST_TRUST), MOST_TRUST))
    return ScorePart("source trust", value, f"editors trust these outlets at {weight:.2g} of the usual 1")


def _topic_match(story: Story) -> ScorePart:
    if not story.topics:
        return ScorePart("topic match", 0.0)
    label = story.topics[0]
    return ScorePart(
        "topic match", TOPIC_WEIGHT * label.score, f"{label.topic} at {label.score:.0%} ({listed(label.evidence)})"
    )


def _momentum(outlets: Sequence[Candidate], ages: Sequence[timedelta]) -> ScorePart:
    """A story that outlets are joining right now; one outlet alone has no momentum."""
    joined = sum(age <= RECENT for age in ages)
    if len(outlets) < 2 or not joined:
        return ScorePart("momentum", 0.0)
    return ScorePart(
        "momentum", MOMENTUM_WEIGHT * joined / len(outlets), f"{count(joined, 'outlet')} joined in the last three hours"
    )


def _repeat(story: Story) -> ScorePart:
    if story.last_sent_at is None:
        return ScorePart("repeat", 0.0)
    sent = f"an earlier issue carried it on {story.last_sent_at:%d %B}"
    new = sum(article.published_at > story.last_sent_at for article in story.articles if article.id not in story.copies)
    if new:
        return ScorePart("repeat", SENT_BEFORE_BUT_NEW, f"{sent}; {count(new, 'article')} since then")
    return ScorePart("repeat", SENT_BEFORE, f"{sent}; nothing new since")


def _editor(story: Story, boosts: Mapping[int, float]) -> ScorePart:
    value = boosts.get(story.story_id, 0.0) if story.story_id is not None else 0.0
    return ScorePart("editor", value, "an editor's choice")


def explain(stories: Sequence[Story], index: int, *, window: timedelta = DEFAULT_WINDOW) -> Explanation:
    """Why ``stories[index]`` stands where it stands among the ranked ``stories``; ``window`` as in :func:`rank`.

    Raises:
        IndexError: there is no such position.
    """
    story = stories[index]
    total = story.score.total
    return Explanation(
        position=index % len(stories) + 1,
        total=total,
        parts=tuple(sorted(story.score.parts, key=lambda part: (-abs(part.value), part.name))),
        ahead=round(total - stories[index + 1].score.total, 6) if index + 1 < len(stories) else None,
        behind=round(stories[index - 1].score.total - total, 6) if index else None,
        first_if=_first_if(story, stories[0], window / 2) if index else (),
    )


def _first_if(story: Story, top: Story, half_life: timedelta) -> tuple[str, ...]:
    """Single changes after which the story would lead."""
    gap = top.score.total - story.score.total
    value = {part.name: part.value for part in story.score.parts}
    heat = 2.0 ** (value.get("coverage", 1.0) - 1 + value.get("freshness", 0.0))
    more = math.floor(heat * (2.0**gap - 1)) + 1
    found = [f"would be #1 if {count(more, 'more outlet')} covered it now"]
    hours = gap * (half_life / timedelta(hours=1))
    if gap <= -value.get("freshness", 0.0):
        found.append(f"would be #1 if its coverage were {count(math.ceil(hours), 'hour')} younger")
    if value.get("repeat", 0.0) + gap < 0:
        found.append("would be #1 if no earlier issue had carried it")
    found.append(f"would be #1 if an editor gave it {gap + 0.01:.2f} points")
    return tuple(found)
