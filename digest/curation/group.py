"""Group the coverage of one event into a story.

Copies of one text count once; articles are linked to those most like them (``similar``), the parts of that graph
that hang together are the stories (``parts``), and what editors said goes before both (``surgery``). Measured on
labelled articles by ``make evaluate``; what was tried stands in ``docs/curation.md``.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from digest.curation.dedupe import families
from digest.curation.parts import parts
from digest.curation.reading import read
from digest.curation.similar import links, weighed
from digest.curation.surgery import obey
from digest.domain.content import Candidate, Story, StoryRule, TopicLabel


def group(
    candidates: Iterable[Candidate], rules: Sequence[StoryRule] = (), meanings: Mapping[int, Any] | None = None
) -> tuple[Story, ...]:
    """The stories of these articles, each with its lead, its copies and its count of independent sources.

    A story takes the ``story_id`` that most of its articles already have; when two claim one identity, the one
    with more of its articles keeps it. The result depends on the articles alone, not on their order, and comes
    sorted by the first article's (published_at, id).

    Args:
        rules: what editors hold to be one story or two, oldest first; always obeyed, the later of two that clash.
        meanings: by article id a vector of unit length, if a sentence model read ``similar.gist`` of the articles.
    """
    articles = sorted(candidates, key=lambda candidate: (candidate.published_at, candidate.id))
    originals = families(articles)
    heads = sorted(set(originals))
    cluster_of = dict(zip(heads, _clusters([articles[head] for head in heads], meanings), strict=True))
    clusters = [cluster_of[original] for original in originals]
    if rules:
        clusters = obey(articles, clusters, rules)
    members: dict[int, list[int]] = defaultdict(list)
    for position, cluster in enumerate(clusters):
        members[cluster].append(position)
    identities = _identities([[articles[p].story_id for p in positions] for positions in members.values()])
    return tuple(
        _story([(articles[p], originals[p]) for p in positions], identity)
        for positions, identity in zip(members.values(), identities, strict=True)
    )


def _clusters(articles: Sequence[Candidate], meanings: Mapping[int, Any] | None) -> list[int]:
    """For articles that are no copies the number of the story that they are on."""
    if len(articles) < 2:
        return [0] * len(articles)
    texts = read(articles)
    matrix = weighed(texts)
    return parts(links(articles, texts, matrix, _vectors(articles, meanings)), matrix)


def _vectors(articles: Sequence[Candidate], meanings: Mapping[int, Any] | None) -> Any:
    """A row for every article, of zeros for those that no model read; None if it read none."""
    import numpy as np

    size = next((len(meanings[article.id]) for article in articles if article.id in meanings), 0) if meanings else 0
    if not meanings or not size:
        return None
    blank = np.zeros(size, np.float32)
    return np.array([meanings.get(article.id, blank) for article in articles], np.float32)


def as_known(candidates: Iterable[Candidate]) -> tuple[Story, ...]:
    """The stories that articles stand in already by their ``story_id``; those that stand in none are left out.

    For looking at stories as the last run and editors left them, without grouping anew. Sorted as by ``group``.
    """
    known = [candidate for candidate in candidates if candidate.story_id is not None]
    articles = sorted(known, key=lambda candidate: (candidate.published_at, candidate.id))
    originals = families(articles)
    members: dict[int | None, list[int]] = defaultdict(list)
    for position, article in enumerate(articles):
        members[article.story_id].append(position)
    return tuple(
        _story([(articles[p], originals[p]) for p in positions], identity) for identity, positions in members.items()
    )


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
