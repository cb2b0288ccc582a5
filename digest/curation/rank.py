"""Ranking: which story matters most now, and why.

The core is coverage decayed by age: Σ over independent outlets of 0.5^(age / half-life), where the half-life is half
the window: 12 hours for a daily newsletter. It is kept in log space, where factors add up: a doubling of the outlets is
worth one point, a half-life costs one point. What outlets wrote again, and what they wrote in the days before, is the
story's staying power: a running story goes on. Around it stand smaller parts, each named and signed, with words for
the editor. A newsletter's ``RankingWeights`` say how much each part counts.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from digest.curation.wording import ago, count, listed
from digest.domain.content import Candidate, Score, ScorePart, Story
from digest.domain.ranking import RankingWeights

RECENT = timedelta(hours=3)
"""Outlets that joined within this time make momentum."""

TOPIC_WEIGHT = 0.5
MOMENTUM_WEIGHT = 0.5
SENT_BEFORE = -4.0
SENT_BEFORE_BUT_NEW = -2.0
LEAST_TRUST, MOST_TRUST = 0.125, 8.0

DEFAULT_WINDOW = timedelta(hours=24)
USUAL = RankingWeights()
LASTING = 3
"""Windows after which a running story's earlier coverage has lost half its worth."""

EARLIER = 0.2
"""What an article is worth for staying power, beside one that is new coverage."""

MOST_STAYING = 0.5
"""How much of its coverage's worth a story's staying power can add at most."""


def rank(
    stories: Iterable[Story],
    as_of: datetime,
    *,
    window: timedelta = DEFAULT_WINDOW,
    boosts: Mapping[int, float] | None = None,
    weights: RankingWeights = USUAL,
    priors: Mapping[str, float] | None = None,
) -> tuple[Story, ...]:
    """The stories best first, each with its score.

    Args:
        as_of: the moment for which ages are counted; articles dated later count as published then.
        window: the time that an issue covers; coverage loses half its worth in half of it. Outlets whose coverage is
            older than the window add nothing, unless the story has no newer one.
        boosts: points given by editors, by story_id.
        weights: how much each part counts.
        priors: points that outlets earned by what became of their earlier articles, by folded name
            (see ``curation.prior``).
    """
    given, earned = boosts or {}, priors or {}
    scored = [replace(story, score=Score(_parts(story, as_of, window, given, weights, earned))) for story in stories]
    return tuple(sorted(scored, key=_order))


def _order(story: Story) -> tuple[float, int, datetime, int]:
    return (-story.score.total, -story.sources, story.lead.published_at, story.lead.id)


def _parts(
    story: Story, as_of: datetime, window: timedelta, boosts: Mapping[int, float], weights: RankingWeights,
    priors: Mapping[str, float],
) -> tuple[ScorePart, ...]:  # fmt: skip
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
        _staying(story, as_of, window, heat, len(outlets)),
        _trust(outlets),
        _record(outlets, priors),
        _topic_match(story),
        _momentum(outlets, ages),
        _repeat(story),
        _editor(story, boosts),
    ]
    rounded = [replace(part, value=round(part.value * weights.of(part.name), 6) + 0.0) for part in parts]
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


def _staying(story: Story, as_of: datetime, window: timedelta, heat: float, outlets: int) -> ScorePart:
    """What earlier and repeated coverage adds to the newest of each outlet; nothing where there is no other."""
    ages = [
        _age(article, as_of) for article in story.articles if article.id not in story.copies or article is story.lead
    ]
    more = len(ages) - outlets
    if more <= 0:
        return ScorePart("staying power", 0.0)
    again = math.fsum(0.5 ** (age / (window / 2)) for age in ages if age <= window)
    lasting = EARLIER * math.fsum(0.5 ** (age / (LASTING * window)) for age in ages)
    value = math.log2((max(again, heat) + lasting) / (heat + EARLIER * heat))
    # An outlet that writes the same again and again (a price ticker) must not outrank what several outlets cover.
    value = min(value, MOST_STAYING * (1 + math.log2(outlets)))
    return ScorePart("staying power", max(0.0, value), f"{count(more, 'further article')}, the first {ago(max(ages))}")


def _record(outlets: Sequence[Candidate], priors: Mapping[str, float]) -> ScorePart:
    known = [priors[key] for article in outlets if (key := article.source.casefold()) in priors]
    value = math.fsum(known) / len(outlets)
    return ScorePart("track record", value, "what readers and editors made of these outlets' earlier articles")


def _trust(outlets: Sequence[Candidate]) -> ScorePart:
    weight = math.fsum(article.source_weight for article in outlets) / len(outlets)
    value = math.log2(min(max(weight, LEAST_TRUST), MOST_TRUST))
    return ScorePart("source trust", value, f"editors trust these outlets at {weight:.2g} of the usual 1")


def _topic_match(story: Story) -> ScorePart:
    if not story.topics:
        return ScorePart("topic match", 0.0)
    label = story.topics[0]
    return ScorePart(
        "topic match", TOPIC_WEIGHT * label.score, f"{label.shown} at {label.score:.0%} ({listed(label.evidence)})"
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
