"""Which articles are alike, and how much: the graph in which stories are looked for.

Cosine of weighed words, lowered where figures, titles, times or outlets speak against one event. Pairs are found by
sparse matrix products in slices, so that memory stays bounded; every sum runs in a fixed order on one thread.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from digest.curation.reading import Texts
from digest.domain.content import Candidate

NEIGHBOURS = 15
"""Links that an article seeks; it may be sought by more."""

SIMILAR = 0.25
"""Similarity from which two articles are linked."""

OTHER_FIGURES = 0.85
"""Factor for two titles that both have figures, and none in common: another quarter, another sum."""

FEW_TITLE_WORDS = 0.75
"""Factor for two titles with less than two words in common."""

SAME_OUTLET, SAME_OUTLET_TIME = 0.7, timedelta(hours=24)
"""Factor for two articles of one outlet within so long: it seldom tells one event twice in a day."""

KNOWN_TOGETHER, KNOWN_APART = 1.4, 0.7
"""Factors for two articles that an earlier run put into one story, or into two: small doubts move nothing."""

SAME_HOURS, HALVED_HOURS = 12.0, 72.0
"""Hours apart that make no difference; every so many hours more halve the similarity."""

MEANT, MEANT_ALIKE, LEAST_MEANT = 0.65, 0.8, 0.1
"""Where a sentence model read the articles: factor, and what it grows by with the cosine of their vectors."""

GIST_LENGTH = 300
"""Characters of summary that a sentence model reads."""

LEAST_TERMS = 2
"""An article of fewer terms ("Update", no summary) says too little to be like another one."""

CROWD = 250
"""A term in more texts than this looks for no neighbours: it would make the cost grow with the square."""

_SLICE = 2000
_PAIRS = 500_000
_MOST_TIMES = 49
_Pairs = tuple[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Graph:
    """Articles 0 … size-1 and their links: arrays of positions ``one`` < ``other``, sorted, and what a link weighs."""

    size: int
    one: Any
    other: Any
    weight: Any


def weighed(texts: Texts) -> Any:
    """A matrix with a row of unit length for every text, a column for every term that at least two texts have."""
    import numpy as np
    from scipy import sparse

    counts = texts.counts
    lengths = np.diff(counts.indptr)
    row = np.repeat(np.arange(len(lengths)), lengths)
    telling = (lengths >= LEAST_TERMS)[row]
    spread = np.bincount(counts.indices[telling], minlength=counts.shape[1])
    rarity = math.log(1 + counts.shape[0]) - np.log1p(spread) + 1
    logs = np.array([0.0, *(1 + math.log(n) for n in range(1, _MOST_TIMES + 1))])
    values = logs[np.minimum(counts.data, _MOST_TIMES)] * rarity[counts.indices]
    whole = np.sqrt(np.bincount(row, weights=values * values, minlength=len(lengths)))
    kept = telling & (spread[counts.indices] > 1)
    column = np.cumsum(spread > 1, dtype=np.int32) - 1
    starts = np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=len(lengths)))]).astype(np.int32)
    matrix = sparse.csr_matrix(
        ((values[kept] / whole[row[kept]]).astype(np.float32), column[counts.indices[kept]], starts),
        shape=(len(lengths), int((spread > 1).sum())),
    )
    matrix.sort_indices()
    return matrix


def gist(article: Candidate) -> str:
    """What a sentence model reads of an article."""
    return f"{article.title}. {(article.summary or article.text)[:GIST_LENGTH]}".strip()


def links(articles: Sequence[Candidate], texts: Texts, matrix: Any, vectors: Any = None) -> Graph:
    """Every article's links to those most similar to it.

    Args:
        articles: sorted by (published_at, id).
        texts: what they say.
        matrix: the same, :func:`weighed`.
        vectors: a row for every article, of unit length, if a sentence model read them; of zeros where it did not.
    """
    import numpy as np

    known = any(article.story_id is not None for article in articles)
    least = SIMILAR / KNOWN_TOGETHER if known else SIMILAR
    doubts = _Doubts.of(articles, texts)
    found: list[_Pairs] = [(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))]
    # Most pairs do not stand up to doubt: of a big window only those of a slice are there at any time.
    for one, other, cosine in _pairs(matrix, least if vectors is None else least / (MEANT + MEANT_ALIKE)):
        alike = cosine * doubts.about(one, other)
        if vectors is not None:
            alike *= _meant(vectors, one, other)
        rounded: Any = np.round(alike, 6)
        keep = rounded >= SIMILAR
        found.append((one[keep], other[keep], rounded[keep]))
    return _nearest(len(articles), *(np.concatenate(column) for column in zip(*found, strict=True)))


def _pairs(matrix: Any, least: float) -> Iterator[_Pairs]:
    """Every pair of rows that share a term outside the crowd and whose cosine is at least that, with it; in slices."""
    import numpy as np

    size = matrix.shape[0]
    crowded = np.bincount(matrix.indices, minlength=matrix.shape[1]) > CROWD
    probing, rest = matrix[:, ~crowded].tocsr(), matrix[:, crowded].tocsr()
    # By Cauchy and Schwarz the crowd's terms add at most the product of these lengths; nothing where none is shared.
    tail = np.sqrt(np.asarray(rest.multiply(rest).sum(axis=1), np.float32).ravel())
    has = _bits(rest)
    for start in range(0, size, _SLICE):
        product = probing[start : start + _SLICE] @ probing[start:].T.tocsr()
        one = np.repeat(np.arange(start, start + product.shape[0], dtype=np.int32), np.diff(product.indptr))
        other, alike = product.indices + np.int32(start), product.data
        near = np.flatnonzero((alike + tail[one] * tail[other] >= least) & (one < other))
        one, other, alike = one[near], other[near], alike[near]
        near = np.flatnonzero((alike >= least) | ((has[one] & has[other]) != 0))
        one, other, alike = one[near], other[near], alike[near]
        alike = alike + _products(rest, one, other)
        near = np.flatnonzero(alike >= least)
        one, other, alike = one[near], other[near], alike[near]
        order = np.lexsort((other, one))
        yield one[order], other[order], alike[order]


def _bits(matrix: Any) -> Any:
    """For every row a number with a bit set for each of its columns, 64 columns at most apart."""
    import numpy as np

    bit = np.left_shift(np.uint64(1), np.arange(matrix.shape[1], dtype=np.uint64) % np.uint64(64))
    found = np.zeros(matrix.shape[0], np.uint64)
    filled = np.diff(matrix.indptr) > 0
    if filled.any():
        found[filled] = np.bitwise_or.reduceat(bit[matrix.indices], matrix.indptr[:-1][filled])
    return found


def _products(matrix: Any, one: Any, other: Any) -> Any:
    """The products of pairs of rows."""
    import numpy as np

    found = [np.zeros(0, matrix.dtype)]
    for start in range(0, len(one), _PAIRS):
        part = slice(start, start + _PAIRS)
        found.append(np.asarray(matrix[one[part]].multiply(matrix[other[part]]).sum(axis=1)).ravel())
    return np.concatenate(found)


@dataclass(frozen=True, slots=True)
class _Doubts:
    """What speaks against it that two articles tell one event: arrays with an element for every article.

    Attributes:
        at: seconds. Numbers compare a thousand times faster than values.
        outlet: the outlet's number, 0 if unknown.
        known: the story that an earlier run put it into, -1 if none.
    """

    texts: Texts
    at: Any
    outlet: Any
    known: Any

    @classmethod
    def of(cls, articles: Sequence[Candidate], texts: Texts) -> "_Doubts":
        import numpy as np

        number = {"": 0}
        return cls(
            texts,
            np.array([article.published_at.timestamp() for article in articles]),
            np.array([number.setdefault(article.source.casefold(), len(number)) for article in articles]),
            np.array([-1 if article.story_id is None else article.story_id for article in articles]),
        )

    def about(self, one: Any, other: Any) -> Any:
        """Factors for pairs: lowered by what speaks against one event, moved a little by what earlier runs held."""
        import numpy as np

        hours = np.abs(self.at[one] - self.at[other]) / 3600
        factor = np.exp2(-np.maximum(0.0, hours - SAME_HOURS) / HALVED_HOURS)
        outlet, known, texts = self.outlet, self.known, self.texts
        own = (outlet[one] == outlet[other]) & (outlet[one] > 0) & (hours < SAME_OUTLET_TIME / timedelta(hours=1))
        factor[own] *= SAME_OUTLET
        both, same = (known[one] >= 0) & (known[other] >= 0), known[one] == known[other]
        factor[both & same] *= KNOWN_TOGETHER
        factor[both & ~same] *= KNOWN_APART
        factor[_products(texts.titles, one, other) < 2] *= FEW_TITLE_WORDS
        told = np.diff(texts.figures.indptr) > 0
        figures = np.flatnonzero(told[one] & told[other])
        factor[figures[_products(texts.figures, one[figures], other[figures]) == 0]] *= OTHER_FIGURES
        return factor


def _meant(vectors: Any, one: Any, other: Any) -> Any:
    """Factors for pairs by what a sentence model makes of them; 1 where it read one of them only."""
    import numpy as np

    found = [np.zeros(0)]
    for start in range(0, len(one), _SLICE):
        part = slice(start, start + _SLICE)
        found.append((vectors[one[part]] * vectors[other[part]]).sum(axis=1, dtype=np.float64))
    unread = ~vectors.any(axis=1)
    factor = MEANT + MEANT_ALIKE * np.maximum(LEAST_MEANT, np.concatenate(found))
    return np.where(unread[one] | unread[other], 1.0, factor)


def _nearest(size: int, one: Any, other: Any, alike: Any) -> Graph:
    """The graph in which every article keeps its nearest, ties to the earlier one."""
    import numpy as np

    keep = np.zeros(len(one), bool)
    ends = np.concatenate([one, other])
    link = np.concatenate([np.arange(len(one))] * 2)
    many = np.bincount(ends, minlength=size) > NEIGHBOURS
    keep[link[~many[ends]]] = True
    ends, link = ends[many[ends]], link[many[ends]]
    far = np.where(one[link] == ends, other[link], one[link])
    order = np.lexsort((far, -alike[link], ends))
    ends, link = ends[order], link[order]
    first = np.searchsorted(ends, ends)
    keep[link[np.arange(len(ends)) - first < NEIGHBOURS]] = True
    return Graph(size, one[keep], other[keep], alike[keep])
