"""Group the coverage of one event into a story.

Words of title and summary, weighed by how rare they are, make two articles similar; other figures, little in
common between the titles and distance in time make them less so. Every article is linked to its most similar
ones, and communities in that graph are the stories. Measured on labelled articles by ``digest lab group``.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.curation.dedupe import families
from digest.curation.louvain import communities
from digest.curation.text import terms, words
from digest.domain.content import Candidate, Story, TopicLabel

NEIGHBOURS = 10
"""Links that an article seeks; it may be sought by more."""

SIMILAR = 0.30
"""Cosine similarity from which two articles are linked."""

TITLE_WEIGHT = 2
SUMMARY_LENGTH = 600
"""Characters of summary (or of text, where there is no summary) that count."""

OTHER_FIGURES = 0.85
"""Factor for two titles that both have figures, and none in common: another quarter, another sum."""

FEW_TITLE_WORDS = 0.85
"""Factor for two titles with less than two words in common."""

SAME_HOURS, HALVED_HOURS = 12.0, 72.0
"""Hours apart that make no difference; every so many hours more halve the similarity."""

LEAST_TERMS = 2
"""An article of fewer terms ("Update", no summary) says too little to be like another one."""

PROBES = 8
"""How many of an article's strongest terms look for neighbours."""

CROWD = 300
"""A term in more texts than this looks for no neighbours: it would make the cost grow with the square."""


@dataclass(frozen=True, slots=True)
class _Document:
    """What is compared of an article: terms with their weights (unit length), title terms, title figures, time."""

    weights: Mapping[str, float]
    title: frozenset[str]
    figures: frozenset[str]
    at: datetime


def group(candidates: Iterable[Candidate]) -> tuple[Story, ...]:
    """The stories of these articles, each with its lead, its copies and its count of independent sources.

    A story takes the ``story_id`` that most of its articles already have; when two claim one identity, the one
    with more of its articles keeps it. The result depends on the articles alone, not on their order, and comes
    sorted by the first article's (published_at, id).
    """
    articles = sorted(candidates, key=lambda candidate: (candidate.published_at, candidate.id))
    originals = families(articles)
    heads = sorted(set(originals))
    cluster_of = dict(zip(heads, communities(_graph([articles[head] for head in heads])), strict=True))
    members: dict[int, list[int]] = defaultdict(list)
    for position, original in enumerate(originals):
        members[cluster_of[original]].append(position)
    identities = _identities([[articles[p].story_id for p in positions] for positions in members.values()])
    return tuple(
        _story([(articles[p], originals[p]) for p in positions], identity)
        for positions, identity in zip(members.values(), identities, strict=True)
    )


def _graph(articles: Sequence[Candidate]) -> list[dict[int, float]]:
    """Each article linked to those most similar to it, symmetric."""
    documents = _documents(articles)
    holders: dict[str, list[int]] = defaultdict(list)
    for position, document in enumerate(documents):
        for term in document.weights:
            holders[term].append(position)
    graph: list[dict[int, float]] = [{} for _ in documents]
    for position, document in enumerate(documents):
        similar = []
        for other in _neighbourhood(position, document, holders):
            similarity = _similarity(document, documents[other])
            if similarity >= SIMILAR:
                similar.append((-similarity, other))
        for negative, other in sorted(similar)[:NEIGHBOURS]:
            graph[position][other] = graph[other][position] = -negative
    return [dict(sorted(row.items())) for row in graph]


def _documents(articles: Sequence[Candidate]) -> list[_Document]:
    titles = [terms(article.title) for article in articles]
    counts: list[Counter[str]] = []
    for article, title in zip(articles, titles, strict=True):
        count: Counter[str] = Counter()
        for term in title:
            count[term] += TITLE_WEIGHT
        count.update(terms((article.summary or article.text)[:SUMMARY_LENGTH]))
        counts.append(count)
    spread = Counter(term for count in counts for term in count)
    rarity = {term: math.log((1 + len(articles)) / (1 + found)) + 1 for term, found in spread.items()}
    return [
        _Document(
            _unit({t: (1 + math.log(n)) * rarity[t] for t, n in count.items()}),
            frozenset(title),
            figures,
            a.published_at,
        )
        for a, title, count, figures in zip(articles, titles, counts, map(_figures, articles), strict=True)
    ]


def _unit(weights: dict[str, float]) -> dict[str, float]:
    """The weights at length 1, heaviest first (ties by term)."""
    length = math.sqrt(math.fsum(weight * weight for weight in weights.values())) or 1.0
    return {term: weight / length for term, weight in sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))}


def _figures(article: Candidate) -> frozenset[str]:
    """The figures of a title; years are none."""
    return frozenset(
        word for word in words(article.title) if word[0].isdigit() and not (len(word) == 4 and word[:2] in ("19", "20"))
    )


def _neighbourhood(position: int, document: _Document, holders: Mapping[str, Sequence[int]]) -> set[int]:
    """The articles that share one of the document's strongest terms."""
    found: set[int] = set()
    if len(document.weights) < LEAST_TERMS:
        return found
    probes = 0
    for term in document.weights:
        if probes == PROBES:
            break
        if len(holders[term]) <= CROWD:
            probes += 1
            found.update(holders[term])
    found.discard(position)
    return found


def _similarity(one: _Document, other: _Document) -> float:
    """Cosine, lowered where figures, titles or times speak against one event. The same both ways round."""
    small, large = sorted((one.weights, other.weights), key=len)
    cosine = math.fsum(weight * large[term] for term, weight in small.items() if term in large)
    if cosine < SIMILAR:
        return 0.0
    if one.figures and other.figures and one.figures.isdisjoint(other.figures):
        cosine *= OTHER_FIGURES
    if len(one.title & other.title) < 2:
        cosine *= FEW_TITLE_WORDS
    hours = abs((one.at - other.at).total_seconds()) / 3600
    return cosine * math.pow(0.5, max(0.0, hours - SAME_HOURS) / HALVED_HOURS)


def _identities(known: Sequence[Sequence[int | None]]) -> list[int | None]:
    """For every story the identity it keeps, or None: each identity goes to the story with most of its articles."""
    claims = sorted(
        (-count, number, identity)
        for number, ids in enumerate(known)
        for identity, count in Counter(i for i in ids if i is not None).items()
    )
    kept: list[int | None] = [None] * len(known)
    taken: set[int] = set()
    for _, number, identity in claims:
        if kept[number] is None and identity not in taken:
            kept[number] = identity
            taken.add(identity)
    return kept


def _story(members: Sequence[tuple[Candidate, int]], identity: int | None) -> Story:
    """A story from its articles in time order, each with the position of the original it is a copy of."""
    by_family: dict[int, list[Candidate]] = defaultdict(list)
    for article, original in members:
        by_family[original].append(article)
    originals = [min(family, key=_first_of_copies) for family in by_family.values()]
    articles = [article for article, _ in members]
    credited = Counter(article.reporter.casefold() for article in articles if article.reporter)
    lead = min(originals, key=lambda article: _first_as_lead(article, credited))
    return Story(
        lead=lead,
        others=tuple(article for article in articles if article is not lead),
        copies=frozenset(article.id for article in articles) - {article.id for article in originals},
        sources=len({article.source.casefold() for article in originals}),
        story_id=identity,
        topics=_strongest(articles),
    )


def _first_of_copies(article: Candidate) -> tuple[float, datetime, int]:
    return (-article.source_weight, article.published_at, article.id)


def _first_as_lead(article: Candidate, credited: Counter[str]) -> tuple[float, int, bool, datetime, int]:
    """Trusted outlets lead; then the one that others credit, then one with something to show, then the first."""
    return (
        -article.source_weight,
        -credited[article.source.casefold()],
        not (article.summary or article.text),
        article.published_at,
        article.id,
    )


def _strongest(articles: Iterable[Candidate]) -> tuple[TopicLabel, ...]:
    """For every topic the strongest label of any article, strongest first."""
    best: dict[str, TopicLabel] = {}
    for article in articles:
        for label in article.labels:
            if label.topic not in best or label.score > best[label.topic].score:
                best[label.topic] = label
    return tuple(sorted(best.values(), key=lambda label: (-label.score, label.topic)))
