"""Articles as numbers: which terms each has, how often, which of them in its title, and the figures of the title.

Words are looked at once each, not once for every time they occur: a window of 100,000 articles has a million
words, but sixty thousand different ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from digest.curation.figures import amount, is_figure, is_scale, is_year
from digest.curation.text import STOPWORDS, is_unspaced, stem, words
from digest.domain.content import Candidate

TITLE_WEIGHT = 2
SUMMARY_LENGTH = 600
"""Characters of summary (or of text, where there is no summary) that count."""

TITLE_LENGTH = 1000
"""Characters of title that count; no real one is longer."""

_AT_ONCE = 4000
_NONE = -1


@dataclass(frozen=True, slots=True)
class Texts:
    """What articles say: sparse matrices with a row for every article and a column for every term.

    Attributes:
        counts: how often a term occurs, words of the title counted twice.
        titles: 1 for every term of the title.
        figures: 1 for every figure of the title; years are none.
    """

    counts: Any
    titles: Any
    figures: Any

    def of(self, rows: Sequence[int]) -> "Texts":
        """Those articles alone."""
        return Texts(self.counts[rows], self.titles[rows], self.figures[rows])


def read(articles: Sequence[Candidate]) -> Texts:
    """What these articles say. Terms are numbered as they first occur, and by nothing else."""
    import numpy as np

    terms = _Terms()
    # The keys below hold row and term in one number, so that one sort counts a term in an article.
    counted: list[Any] = []
    times: list[Any] = []
    titles: list[Any] = []
    figures: list[Any] = []
    for start in range(0, len(articles), _AT_ONCE):
        some = articles[start : start + _AT_ONCE]
        title, told = _keys(terms, start, (article.title[:TITLE_LENGTH] for article in some))
        rest, _ = _keys(terms, start, ((article.summary or article.text)[:SUMMARY_LENGTH] for article in some))
        keys, often = np.unique(np.concatenate([np.repeat(title, TITLE_WEIGHT), rest]), return_counts=True)
        counted.append(keys)
        times.append(np.minimum(often, 255).astype(np.uint8))
        titles.append(np.unique(title))
        figures.append(np.unique(title[told]))
    width = len(terms.numbers)
    return Texts(
        _matrix(len(articles), width, counted, times),
        _matrix(len(articles), width, titles),
        _matrix(len(articles), width, figures),
    )


def _matrix(size: int, width: int, keys: list[Any], values: list[Any] | None = None) -> Any:
    """A sparse matrix of the values (or ones) at these keys, which are sorted."""
    import numpy as np
    from scipy import sparse

    places = np.concatenate([np.zeros(0, np.int64), *keys])
    rows = np.searchsorted(places >> 32, np.arange(size + 1)).astype(np.int32)
    data = np.ones(len(places), np.uint8) if values is None else np.concatenate([np.zeros(0, np.uint8), *values])
    return sparse.csr_matrix((data, (places & 0xFFFFFFFF).astype(np.int32), rows), (size, width))


class _Numbers(dict[str, int]):
    """Every word's number, in order of first appearance."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


class _Terms:
    """The terms behind words; both are numbers here. What a word means is found out once."""

    def __init__(self) -> None:
        self.words = _Numbers()
        self.numbers = _Numbers()
        self._names: list[str] = []
        self._meanings: list[tuple[int, bool, bool, bool]] = []

    def meanings(self) -> Any:
        """For every word so far: its term or -1, whether it is a figure, a scale, a character that is a word."""
        import numpy as np

        for word in list(self.words)[len(self._names) :]:
            self._names.append(word)
            dull = word in STOPWORDS or (len(word) == 1 and not word.isdigit())
            number = _NONE if dull else self.numbers[stem(word)]
            self._meanings.append((number, is_figure(word), is_scale(word), is_unspaced(word)))
        return np.array(self._meanings, np.int32).reshape(-1, 4)

    def of(self, spoken: Any, begins: Any) -> tuple[Any, Any]:
        """The term of every word in its place (-1 where there is none), and whether it is a figure.

        Args:
            spoken: the words of one text after another.
            begins: where a text begins.
        """
        import numpy as np

        meaning = self.meanings()[spoken]
        found, told = meaning[:, 0].copy(), meaning[:, 1].astype(bool)
        follows = np.append(~begins[1:], False)
        scaled = np.append(meaning[1:, 2].astype(bool), False) & follows
        for place in np.flatnonzero(told).tolist():
            word = self._names[spoken[place]]
            scale = self._names[spoken[place + 1]] if scaled[place] else ""
            found[place] = self.numbers[amount(word, scale)]
            told[place] = bool(scale) or not is_year(word)
            if scale:
                found[place + 1] = _NONE
        # Scripts without spaces: a pair of characters is a term.
        alone = meaning[:, 3].astype(bool)
        found[alone] = _NONE
        for place in np.flatnonzero(alone & np.append(alone[1:], False) & follows).tolist():
            found[place + 1] = self.numbers[self._names[spoken[place]] + self._names[spoken[place + 1]]]
        return found, told


def _keys(terms: _Terms, start: int, texts: Iterable[str]) -> tuple[Any, Any]:
    """For every term of these texts its row (the first is ``start``) and number in one, and whether it is a figure."""
    import numpy as np

    number = terms.words.__getitem__
    cut = [words(text) for text in texts]
    lengths = np.fromiter(map(len, cut), np.int64, len(cut))
    spoken = np.fromiter(map(number, chain.from_iterable(cut)), np.int64, int(lengths.sum()))
    rows = np.repeat(np.arange(start, start + len(cut), dtype=np.int64), lengths)
    found, told = terms.of(spoken, np.diff(rows, prepend=-1) > 0)
    kept = found >= 0
    return (rows[kept] << 32) | found[kept], told[kept]
