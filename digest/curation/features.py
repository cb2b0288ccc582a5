"""Texts as rows of numbers, for what is learned from them: words, pairs of words and pieces of words, by their rarity.

Deterministic: neither the order of the texts nor the process decides anything, and no sum is left to a library that
shares it among threads.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from digest.curation.text import clean, fold

LONGEST_TEXT = 6_000
"""Characters of a text that count; what an article is about, it says before that."""

PIECES = (2, 3, 4, 5)
"""Lengths of the pieces of words."""

_WORD = re.compile(r"\$?\w+(?:['’]\w+)?")
_PIECE = "\0"
"""Begins every piece of a word, so that it is never taken for a word."""


@dataclass(frozen=True, slots=True)
class Features:
    """The features of the texts that something was learned from.

    Attributes:
        columns: the column of every feature.
        rarity: inverse document frequency by column.
    """

    columns: Mapping[str, int]
    rarity: np.ndarray

    @classmethod
    def of(cls, counts: Sequence[Counter[str]]) -> "Features":
        """Of texts that :func:`counted` has counted. Columns are by name, so that the order of texts is of no matter."""
        documents = Counter(feature for count in counts for feature in count)
        names = sorted(documents)
        rarity = 1.0 + np.log((1 + len(counts)) / (1 + np.array([documents[name] for name in names], dtype=float)))
        return cls({name: column for column, name in enumerate(names)}, rarity)

    def rows(self, counts: Iterable[Counter[str]]) -> csr_matrix:
        """A row for each counted text: words and pieces each of the same length, so that long words don't drown the
        short; the last column is 1 everywhere."""
        starts, columns, values = [0], [], []
        for count in counts:
            for is_piece in (False, True):
                pairs = [
                    (column, number)
                    for feature, number in count.items()
                    if (feature[0] == _PIECE) is is_piece and (column := self.columns.get(feature)) is not None
                ]
                pairs.sort()
                where = np.array([column for column, _ in pairs], dtype=np.int32)
                weight = (1.0 + np.log([float(number) for _, number in pairs])) * self.rarity[where]
                columns.append(where)
                values.append(weight / (np.sqrt(2.0 * np.sum(weight * weight)) or 1.0))
            columns.append(np.array([len(self.columns)], dtype=np.int32))
            values.append(np.ones(1))
            starts.append(starts[-1] + sum(map(len, columns[-3:])))
        shape = len(starts) - 1, len(self.columns) + 1
        return csr_matrix((_joined(values, float), _joined(columns, np.int32), starts), shape=shape)


def counted(text: str) -> Counter[str]:
    """How often every feature stands in a text."""
    return Counter(feature for _, feature in owners(text))


def owners(text: str) -> Iterable[tuple[str, str]]:
    """Each feature of a text with the word that it belongs to; a pair belongs to its second word.

    Pieces are taken of what stands between blanks, so that "$TSLA" and "Q3:" leave traces too.
    """
    plain = fold(clean(text[:LONGEST_TEXT]))
    before = ""
    for token in plain.split():
        word = ""
        for word in _WORD.findall(token):
            yield word, word
            if before:
                yield word, f"{before} {word}"
            before = word
        padded = f" {token} "
        for size in PIECES:
            for start in range(max(1, len(padded) - size + 1)):
                yield word or token, f"{_PIECE}{padded[start : start + size]}"


def _joined(parts: Sequence[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)
