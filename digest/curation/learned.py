"""Topics learned from editors' corrections: they take over from the rules, topic by topic, once they are better.

Editors say of single articles that they belong to a topic or don't. With enough of that, a classifier is trained; it
takes over only if, on corrections that it has not seen, it does better than the rules. It then names the words that
spoke for the topic, as the rules name theirs.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from digest.curation.classify import classify
from digest.curation.furniture import paragraphs, without_trailer
from digest.curation.wording import signed
from digest.domain.content import Candidate, TopicLabel, TopicProfile

if TYPE_CHECKING:
    from digest.curation.linear import Model

ENOUGH = 25
"""Corrections of each kind (belongs, does not) from which a topic may be learned."""

FOLDS = 5
YES, NO = "belongs", "other"

MARGIN = 0.0
"""Lead of what belongs over what doesn't from which an article earns the topic."""


@dataclass(frozen=True, slots=True)
class Correction:
    """An editor's word that an article belongs to a topic, or that it does not."""

    article: Candidate
    topic: str
    belongs: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """How rules and classifier did on a topic's corrections (F1; the classifier cross-validated).

    ``model`` is there only if it takes over; ``why`` says in words how it came.
    """

    topic: str
    rules: float
    learned: float
    why: str
    model: "Model | None" = None


def learn(corrections: Iterable[Correction], topics: Sequence[TopicProfile]) -> dict[str, Verdict]:
    """A verdict for every topic of which editors corrected anything, by slug."""
    by_topic: dict[str, list[Correction]] = defaultdict(list)
    for correction in sorted(corrections, key=lambda one: (one.topic, one.article.id)):
        by_topic[correction.topic].append(correction)
    profiles = {topic.slug: topic for topic in topics}
    return {slug: _verdict(profiles[slug], rows) for slug, rows in by_topic.items() if slug in profiles}


def classify_learned(
    candidates: Iterable[Candidate], topics: Sequence[TopicProfile], verdicts: Mapping[str, Verdict]
) -> tuple[Candidate, ...]:
    """As ``classify``, but topics whose classifier took over are named by it."""
    taken = {slug: verdict.model for slug, verdict in verdicts.items() if verdict.model is not None}
    ruled, names = classify(candidates, topics), {topic.slug: topic.name for topic in topics}
    return tuple(_relabelled(candidate, taken, names) for candidate in ruled) if taken else ruled


def _relabelled(candidate: Candidate, models: Mapping[str, "Model"], names: Mapping[str, str]) -> Candidate:
    labels = [label for label in candidate.labels if label.topic not in models]
    text = words_of(candidate)
    for slug, model in models.items():
        lead = _lead(model, text)
        if lead > MARGIN:
            evidence = tuple(f'learned: "{word}" {signed(points)}' for word, points in model.strongest(text, YES))
            labels.append(TopicLabel(slug, round(1 - 0.5 ** (1 + lead), 4), evidence, names.get(slug, "")))
    return replace(candidate, labels=tuple(sorted(labels, key=lambda label: (-label.score, label.topic))))


def words_of(candidate: Candidate) -> str:
    """What of an article is learned from: title twice, summary, text; no page furniture."""
    body = "\n".join(paragraphs(candidate.text))
    return "\n".join((candidate.title, candidate.title, without_trailer(candidate.summary), body))


def _lead(model: "Model", text: str) -> float:
    margins = model.decision(text)
    return margins[YES] - margins[NO]


def _verdict(profile: TopicProfile, rows: Sequence[Correction]) -> Verdict:
    yes = sum(row.belongs for row in rows)
    no = len(rows) - yes
    ruled = classify([row.article for row in rows], [profile])
    rules = _f1([(row.belongs, bool(found.labels)) for row, found in zip(rows, ruled, strict=True)])
    if min(yes, no) < ENOUGH:
        return Verdict(profile.slug, rules, 0.0, f"the rules decide: {yes} and {no} corrections, {ENOUGH} each needed")
    from digest.curation.linear import train  # numpy and scipy are for those alone who learn

    examples = [(words_of(row.article), YES if row.belongs else NO) for row in rows]
    guesses: list[tuple[bool, bool]] = []
    for fold in range(FOLDS):
        model = train(example for index, example in enumerate(examples) if _fold(index, rows) != fold)
        guesses += [
            (row.belongs, _lead(model, examples[index][0]) > MARGIN)
            for index, row in enumerate(rows)
            if _fold(index, rows) == fold
        ]
    learned = _f1(guesses)
    if learned <= rules:
        why = f"the rules decide: F1 {rules:.2f}, learned {learned:.2f} on {len(rows)} corrections"
        return Verdict(profile.slug, rules, learned, why)
    why = f"learned from {len(rows)} corrections: F1 {learned:.2f} where the rules have {rules:.2f}"
    return Verdict(profile.slug, rules, learned, why, train(examples))


def _fold(index: int, rows: Sequence[Correction]) -> int:
    """Folds with the same share of each kind."""
    return sum(row.belongs == rows[index].belongs for row in rows[:index]) % FOLDS


def _f1(pairs: Sequence[tuple[bool, bool]]) -> float:
    right = sum(wanted and got for wanted, got in pairs)
    named = math.fsum((*(wanted for wanted, _ in pairs), *(got for _, got in pairs)))
    return 2 * right / named if named else 0.0
