"""Topics: which ones an article earns, how strongly, and by what evidence an editor can check.

Editors write words and phrases; they are matched as whole words, without case and with English plurals. What a
title says weighs most, then the summary, then the body. Page furniture never counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from digest.curation.furniture import paragraphs, without_trailer
from digest.curation.text import stems
from digest.domain.content import Candidate, TopicLabel, TopicProfile

FIELD_POINTS = {"title": 3.0, "summary": 2.0, "text": 1.0}
"""Points of a word or phrase, by the most prominent place where it stands."""

OFTEN = 3
"""A word that the body repeats so often brings one point more."""

TAG_POINTS = 3.0
SOURCE_POINTS = 4.0
ENOUGH = 2.0
"""Points from which an article earns a topic: the title or the summary says it, a tag, or two words of the body."""

_HALF = 3.0
"""Points that bring half of what is missing to the full score of 1."""

_Phrase = tuple[str, ...]
_Found = Mapping[str, Counter[_Phrase]]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A topic's profile, with its words as they are matched."""

    profile: TopicProfile
    include: tuple[tuple[str, _Phrase], ...]
    exclude: tuple[tuple[str, _Phrase], ...]
    tags: Mapping[str, str]
    sources: frozenset[str]


def classify(candidates: Iterable[Candidate], topics: Sequence[TopicProfile]) -> tuple[Candidate, ...]:
    """The candidates with the topics they earn, in the given order; earlier labels are replaced.

    An excluded word in title or summary takes the topic away; in the body it takes one point.
    """
    rules = [_rule(profile) for profile in topics]
    starts = _by_first_word(rules)
    return tuple(replace(candidate, labels=_labels(candidate, rules, starts)) for candidate in candidates)


def _rule(profile: TopicProfile) -> _Rule:
    return _Rule(
        profile,
        tuple((term, tuple(stems(term))) for term in dict.fromkeys(profile.include)),
        tuple((term, tuple(stems(term))) for term in dict.fromkeys(profile.exclude)),
        {" ".join(stems(tag)): tag for tag in profile.tags},
        frozenset(source.casefold() for source in profile.sources),
    )


def _by_first_word(rules: Iterable[_Rule]) -> Mapping[str, Sequence[_Phrase]]:
    """All phrases by their first word, so that a text is read once however many topics there are."""
    starts: dict[str, set[_Phrase]] = defaultdict(set)
    for rule in rules:
        for _, phrase in (*rule.include, *rule.exclude):
            if phrase:
                starts[phrase[0]].add(phrase)
    return {first: sorted(phrases) for first, phrases in starts.items()}


def _occurrences(text: str, starts: Mapping[str, Sequence[_Phrase]]) -> Counter[_Phrase]:
    found: Counter[_Phrase] = Counter()
    tokens = stems(text)
    for position, token in enumerate(tokens):
        for phrase in starts.get(token, ()):
            if len(phrase) == 1 or tuple(tokens[position : position + len(phrase)]) == phrase:
                found[phrase] += 1
    return found


def _labels(
    candidate: Candidate, rules: Sequence[_Rule], starts: Mapping[str, Sequence[_Phrase]]
) -> tuple[TopicLabel, ...]:
    found = {
        "title": _occurrences(candidate.title, starts),
        "summary": _occurrences(without_trailer(candidate.summary), starts),
        "text": _occurrences("\n".join(paragraphs(candidate.text)), starts),
    }
    tags = {" ".join(stems(tag)) for tag in candidate.tags}
    labels = (_label(candidate, rule, found, tags) for rule in rules)
    return tuple(sorted((label for label in labels if label), key=lambda label: (-label.score, label.topic)))


def _label(candidate: Candidate, rule: _Rule, found: _Found, tags: set[str]) -> TopicLabel | None:
    points, evidence = 0.0, []
    if candidate.source.casefold() in rule.sources:
        points += SOURCE_POINTS
        evidence.append(f"source: {candidate.source}")
    for tag, wording in rule.tags.items():
        if tag in tags:
            points += TAG_POINTS
            evidence.append(f'tag: "{wording}"')
    for term, phrase in rule.include:
        place = next((place for place in FIELD_POINTS if found[place][phrase]), None)
        if place is not None:
            times = found["text"][phrase]
            points += FIELD_POINTS[place] + (times >= OFTEN)
            evidence.append(f'{place}: "{term}"' + (f" ×{times}" if place == "text" and times > 1 else ""))
    for term, phrase in rule.exclude:
        if found["title"][phrase] or found["summary"][phrase]:
            return None
        if found["text"][phrase]:
            points -= 1.0
            evidence.append(f'against it, text: "{term}"')
    if points < ENOUGH:
        return None
    return TopicLabel(rule.profile.slug, round(1 - 0.5 ** (points / _HALF), 4), tuple(evidence), rule.profile.name)
