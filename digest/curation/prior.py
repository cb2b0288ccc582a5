"""What is known of an article before anybody covers it: learned from what became of earlier articles.

A ridge regression of what articles gained on where they stand and how their titles are worded: each outlet, part of a
site, word and pair of words earns points, and what was seen seldom earns few (shrinkage; Hoerl and Kennard 1970).
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

import numpy as np
from scipy.sparse import csr_matrix

from digest.curation.text import words

SHRINK = 20.0
"""What the squares of the points cost, against the squares of what is not explained."""

MOST_GAIN = 200.0
"""A gain that counts for no more when it is larger."""

OUTLET, WORD, PAIR, MARK = 2.0, 0.5, 0.2, 1.0
"""How easily each kind of trait earns points."""

STEPS, TOLERANCE = 60, 1e-4

_YEAR = re.compile(r"[(\[](?:19|20)\d\d[)\]]")
_KIND = re.compile(r"[(\[](pdf|video|audio)[)\]]", re.IGNORECASE)
_SOURCE = "source "


@dataclass(frozen=True, slots=True)
class Past:
    """An article whose time is over, and what it gained: clicks, points, an editor's choice. Below 0 counts as 0."""

    title: str
    source: str
    url: str
    gain: float


@dataclass(frozen=True, slots=True)
class Prior:
    """What was learned: points by trait, against the mean of everything learned."""

    points: Mapping[str, float]

    def of(self, title: str, source: str, url: str = "") -> float:
        """The points of an article that is new."""
        return round(math.fsum(self.points.get(trait, 0.0) * worth for trait, worth in _traits(title, source, url)), 6)

    def sources(self) -> Mapping[str, float]:
        """The points of all outlets that are known, by folded name: what ``rank`` takes as ``priors``."""
        return {
            trait.removeprefix(_SOURCE): round(points * OUTLET, 6)
            for trait, points in sorted(self.points.items())
            if trait.startswith(_SOURCE)
        }


NOTHING = Prior({})


def learn_prior(past: Iterable[Past]) -> Prior:
    """Learn from articles whose time is over; their order is of no matter."""
    memory = Memory(sorted(past, key=lambda one: (one.source, one.title, one.url, one.gain)))
    return memory.prior(len(memory.gains))


class Memory:
    """Articles in the order of their times, so that it can be asked what the first so many of them teach."""

    def __init__(self, past: Sequence[Past]) -> None:
        self._columns: dict[str, int] = {}
        starts, columns, values = [0], [], []
        for one in past:
            for trait, worth in sorted(_traits(one.title, one.source, one.url)):
                columns.append(self._columns.setdefault(trait, len(self._columns)))
                values.append(worth)
            starts.append(len(columns))
        self._rows = csr_matrix((values, columns, starts), shape=(len(past), len(self._columns)), dtype=float)
        self.gains = np.sqrt(np.clip([one.gain for one in past], 0.0, MOST_GAIN)) if past else np.zeros(0)

    def prior(self, first: int) -> Prior:
        """What the first so many articles teach."""
        if not first:
            return NOTHING
        rows, gains = self._rows[:first], self.gains[:first]
        found = _ridge(rows, gains - gains.mean())
        return Prior({trait: value for trait, value in zip(self._columns, found.tolist(), strict=True) if value})


def _ridge(rows: csr_matrix, wanted: np.ndarray) -> np.ndarray:
    """The weights w with the least |rows·w − wanted|² + SHRINK·|w|², by conjugate gradients."""
    turned = rows.T.tocsr()
    weights = np.zeros(rows.shape[1])
    rest = turned @ wanted
    along = rest.copy()
    before = first = float(np.sum(rest * rest))
    for _ in range(STEPS):
        if before <= TOLERANCE**2 * first or not before:
            break
        bent = turned @ (rows @ along) + SHRINK * along
        far = before / float(np.sum(along * bent))
        weights += far * along
        rest -= far * bent
        left = float(np.sum(rest * rest))
        along = rest + (left / before) * along
        before = left
    return weights


def _traits(title: str, source: str, url: str) -> set[tuple[str, float]]:
    """What is known of an article at first sight, each with how much of it there is."""
    said = words(title)
    path = [part for part in urlsplit(url).path.split("/") if part]
    outlet = source.casefold()
    found = {(f"{_SOURCE}{outlet}", OUTLET), (f"length {min(len(said) // 3, 5)}", MARK)}
    found |= {(f"word {word}", WORD) for word in said}
    found |= {(f"pair {one} {other}", PAIR) for one, other in pairwise(said)}
    if url:
        found |= {(f"depth {min(len(path), 4)}", MARK), (f"ending {outlet.rsplit('.', 1)[-1]}", MARK)}
    if path:
        found.add((f"part {outlet}/{path[0].casefold()}", OUTLET))
    if _YEAR.search(title):
        found.add(("year", MARK))
    if kind := _KIND.search(title):
        found.add((f"kind {kind[1].casefold()}", MARK))
    if title.rstrip().endswith("?"):
        found.add(("question", MARK))
    return found
