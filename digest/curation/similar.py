"""Which articles are alike, and how much: the graph in which stories are looked for.

Cosine of weighed words, lowered where figures, titles or times speak against one event. Pairs are found by
sparse matrix products in slices, so that memory stays bounded; every sum runs in a fixed order on one thread.
"""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from digest.curation.text import terms_of, words
from digest.domain.content import Candidate

NEIGHBOURS = 15
"""Links that an article seeks; it may be sought by more."""

SIMILAR = 0.25
"""Similarity from which two articles are linked."""

TITLE_WEIGHT = 2
SUMMARY_LENGTH = 600
"""Characters of summary (or of text, where there is no summary) that count."""

TITLE_LENGTH = 1000
"""Characters of title that count; no real one is longer."""

OTHER_FIGURES = 0.85
"""Factor for two titles that both have figures, and none in common: another quarter, another sum."""

FEW_TITLE_WORDS = 0.75
"""Factor for two titles with less than two words in common."""

KNOWN_TOGETHER, KNOWN_APART = 1.4, 0.7
"""Factors for two articles that an earlier run put into one story, or into two: small doubts move nothing."""

SAME_HOURS, HALVED_HOURS = 12.0, 72.0
"""Hours apart that make no difference; every so many hours more halve the similarity."""

LEAST_TERMS = 2
"""An article of fewer terms ("Update", no summary) says too little to be like another one."""

CROWD = 250
"""A term in more texts than this looks for no neighbours: it would make the cost grow with the square."""

_SLICE = 2000
_Pairs = tuple[Any, Any, Any]

Row = dict[int, float]


def links(articles: Sequence[Candidate], apart: Collection[tuple[int, int]] = ()) -> list[Row]:
    """For every article those most similar to it, by position, symmetric, in order of position.

    Args:
        articles: sorted by (published_at, id).
        apart: pairs of positions, lower first, that editors keep apart.
    """
    if len(articles) < 2:
        return [{} for _ in articles]
    read = [_read(article) for article in articles]
    known = any(article.story_id is not None for article in articles)
    least = SIMILAR / KNOWN_TOGETHER if known else SIMILAR
    one, other, alike = _pairs(_weights([count for count, _, _ in read]), least)
    titles, figures = [title for _, title, _ in read], [found for _, _, found in read]
    del read
    alike = _doubts(articles, titles, figures, one, other, alike)
    keep = alike >= SIMILAR
    if apart:
        forbidden = frozenset(apart)
        keep &= [pair not in forbidden for pair in zip(one.tolist(), other.tolist(), strict=True)]
    return _nearest(len(articles), one[keep], other[keep], alike[keep])


def _read(article: Candidate) -> tuple[Counter[str], frozenset[str], frozenset[str]]:
    """Terms with their counts, title terms, and figures of the title (years are none)."""
    spoken = words(article.title[:TITLE_LENGTH])
    title = terms_of(spoken)
    figures = frozenset(
        word for word in spoken if word[0].isdigit() and not (len(word) == 4 and word[:2] in ("19", "20"))
    )
    count: Counter[str] = Counter()
    for term in title:
        count[term] += TITLE_WEIGHT
    if rest := (article.summary or article.text)[:SUMMARY_LENGTH]:
        count.update(terms_of(words(rest)))
    return count, frozenset(title), figures


def _weights(counts: Sequence[Counter[str]]) -> Any:
    """A matrix with a row of unit length for every text, a column for every term that at least two texts have."""
    import numpy as np
    from scipy import sparse

    spread = Counter(term for count in counts if len(count) >= LEAST_TERMS for term in count)
    total = math.log(1 + len(counts))
    rarity = {term: total - math.log(1 + found) + 1 for term, found in spread.items()}
    column = {term: number for number, term in enumerate(term for term, found in spread.items() if found > 1)}
    logs = [0.0, *(1 + math.log(n) for n in range(1, 50))]
    starts, columns, values = [0], [], []
    for count in counts:
        if len(count) >= LEAST_TERMS:
            weights = [(term, logs[min(n, 49)] * rarity[term]) for term, n in count.items()]
            length = math.sqrt(sum(weight * weight for _, weight in weights))
            for term, weight in weights:
                if term in column:
                    columns.append(column[term])
                    values.append(weight / length)
        starts.append(len(columns))
    matrix = sparse.csr_matrix(
        (np.array(values, np.float64), np.array(columns, np.int32), np.array(starts, np.int32)),
        shape=(len(counts), len(column)),
    )
    matrix.sort_indices()
    return matrix


def _pairs(matrix: Any, least: float) -> _Pairs:
    """Every pair of rows that share a term outside the crowd and whose cosine is at least that, with it."""
    import numpy as np

    crowded = np.bincount(matrix.indices, minlength=matrix.shape[1]) > CROWD
    probing = matrix[:, ~crowded].tocsr()
    rest = matrix[:, crowded].tocsr()
    # By Cauchy and Schwarz the crowd's terms add at most the product of these lengths.
    tail = np.sqrt(np.asarray(rest.multiply(rest).sum(axis=1)).ravel())
    across = probing.T.tocsr()
    found: list[_Pairs] = []
    for start in range(0, matrix.shape[0], _SLICE):
        part = (probing[start : start + _SLICE] @ across).tocoo()
        one, other, alike = part.row + start, part.col, part.data
        keep = (one < other) & (alike + tail[one] * tail[other] >= least)
        one, other, alike = one[keep], other[keep], alike[keep]
        if rest.nnz:
            alike = alike + np.asarray(rest[one].multiply(rest[other]).sum(axis=1)).ravel()
        keep = alike >= least
        found.append((one[keep], other[keep], alike[keep]))
    one, other, alike = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((other, one))
    return one[order], other[order], alike[order]


def _doubts(
    articles: Sequence[Candidate],
    titles: Sequence[frozenset[str]],
    figures: Sequence[frozenset[str]],
    one: Any,
    other: Any,
    alike: Any,
) -> Any:
    """The similarities, lowered by what speaks against one event and moved a little by what earlier runs held."""
    import numpy as np

    # Seconds, and -1 for no story: numbers compare a thousand times faster than values.
    at = np.array([article.published_at.timestamp() for article in articles])
    hours = np.abs(at[one] - at[other]) / 3600
    alike = alike * np.exp2(-np.maximum(0.0, hours - SAME_HOURS) / HALVED_HOURS)
    known = np.array([-1 if article.story_id is None else article.story_id for article in articles])
    both = (known[one] >= 0) & (known[other] >= 0)
    same = known[one] == known[other]
    alike = np.where(both & same, alike * KNOWN_TOGETHER, np.where(both, alike * KNOWN_APART, alike))
    pairs = zip(one.tolist(), other.tolist(), strict=True)
    few = np.fromiter((len(titles[a] & titles[b]) < 2 for a, b in pairs), bool, len(one))
    alike = np.where(few, alike * FEW_TITLE_WORDS, alike)
    told = np.array([bool(found) for found in figures], bool)
    for number in np.flatnonzero(told[one] & told[other]).tolist():
        a, b = one[number], other[number]
        if figures[a].isdisjoint(figures[b]):
            alike[number] *= OTHER_FIGURES
    return alike


def _nearest(size: int, one: Any, other: Any, alike: Any) -> list[Row]:
    """The graph in which every article keeps its nearest, ties to the earlier one."""
    import numpy as np

    source, target = np.concatenate([one, other]), np.concatenate([other, one])
    weight = np.round(np.concatenate([alike, alike]), 9)
    order = np.lexsort((target, -weight, source))
    source, target, weight = source[order], target[order], weight[order]
    first = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=size))])
    near = np.arange(len(source)) - first[source] < NEIGHBOURS
    graph: list[Row] = [{} for _ in range(size)]
    for a, b, value in zip(source[near].tolist(), target[near].tolist(), weight[near].tolist(), strict=True):
        graph[a][b] = graph[b][a] = value
    return [dict(sorted(row.items())) for row in graph]
