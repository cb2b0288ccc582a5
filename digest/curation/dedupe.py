"""Near-duplicates: articles that are copies of one text, syndicated or fetched twice.

Three steps, from sure to likely: the same address, the same title, almost the same words. Copies stay known
as copies; they add no source to a story.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from digest.curation.text import normal_title, words
from digest.domain.content import Candidate

MIN_TITLE_WORDS = 4
"""A title with fewer words ("Market wrap") says too little to make two articles copies of each other."""

SIMILAR = 0.5
"""Jaccard similarity of 3-word runs (shingles) from which two texts are copies."""

CONTAINED = 0.8
"""Share of the shorter text's shingles that the longer one holds, from which the shorter is a cut copy."""

COMPARED_WORDS = 200
"""Copies agree from the start; words behind these are not compared."""

READ = 20 * COMPARED_WORDS
"""Characters of a text that are read for them; grouping reads no more than this of any text."""

SERIAL = timedelta(hours=48)
"""Equal titles further apart than this are numbers of a series ("Markets wrap: what moved today"), not copies."""

_MIN_SHINGLES = 12
_URL = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//(?:www\.)?([^/?#\s]+)([^?#\s]*)(?:\?([^#\s]*))?", re.IGNORECASE)
_TRACKING = re.compile(r"utm_|fbclid|gclid|ref=")
_NEAR = 20
"""Texts that share a shingle are compared with so many that follow: cost stays linear, long chains still join."""

_AT_ONCE = 1_000_000
"""Runs that are sorted together."""


class Families:
    """Disjoint sets over 0 … n-1 whose representative is the lowest member."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, item: int) -> int:
        """The lowest member of the item's set."""
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join(self, one: int, other: int) -> None:
        """Make one set of two."""
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low


def families(candidates: Sequence[Candidate]) -> list[int]:
    """For every candidate the position of the first one that it is a copy of; its own if it is none.

    ``candidates`` must be sorted by (published_at, id).
    """
    sets = Families(len(candidates))
    _join_equal(sets, [_address(candidate.url) for candidate in candidates])
    _join_titles(sets, candidates)
    _join_similar(sets, candidates)
    return [sets.find(position) for position in range(len(candidates))]


def _address(url: str) -> str:
    """An address without scheme, ``www.``, fragment, final slash and tracking parameters."""
    found = _URL.match(url)
    if found is None:
        return ""
    host, path, query = found.groups()
    if query:
        query = "&".join(sorted(part for part in query.split("&") if part and not _TRACKING.match(part)))
    return f"{host.lower()}{path.rstrip('/')}?{query or ''}"


def _title_key(candidate: Candidate) -> str:
    """The normal title, if it has enough words to tell one text from another."""
    title = normal_title(candidate.title)
    return title if len(title.split()) >= MIN_TITLE_WORDS else ""


def _join_equal(sets: Families, keys: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for position, key in enumerate(keys):
        if key:
            sets.join(first.setdefault(key, position), position)


def _join_titles(sets: Families, candidates: Sequence[Candidate]) -> None:
    newest: dict[str, int] = {}
    for position, candidate in enumerate(candidates):
        key = _title_key(candidate)
        if not key:
            continue
        earlier = newest.get(key)
        if earlier is not None and candidate.published_at - candidates[earlier].published_at <= SERIAL:
            sets.join(earlier, position)
        newest[key] = position


def _join_similar(sets: Families, candidates: Sequence[Candidate]) -> None:
    """Join texts that share most of their runs of words; only pairs with a rare run in common are compared."""
    import numpy as np

    number: dict[str, int] = {}
    positions: list[int] = []
    runs: list[Any] = []
    for position, candidate in enumerate(candidates):
        if sets.find(position) != position:
            continue
        body = words((candidate.text or candidate.summary)[:READ])[:COMPARED_WORDS]
        if len(body) < _MIN_SHINGLES:
            continue
        found = _runs(np.array([number.setdefault(word, len(number)) for word in body], np.int64))
        if len(found) >= _MIN_SHINGLES:
            positions.append(position)
            runs.append(found)
    if len(runs) < 2:
        return
    sizes = np.array([len(found) for found in runs])
    one, other, common = _shared(np.concatenate(runs), np.repeat(np.arange(len(runs)), sizes))
    least, both = np.minimum(sizes[one], sizes[other]), sizes[one] + sizes[other]
    alike = (common >= SIMILAR * (both - common)) | (common >= CONTAINED * least)
    for left, right in zip(one[alike].tolist(), other[alike].tolist(), strict=True):
        sets.join(positions[left], positions[right])


def _runs(body: Any) -> Any:
    """The different runs of three words of a text, each as one number.

    Exact for two million different words; beyond that a few unlike runs are taken for one.
    """
    import numpy as np

    return np.unique((body[:-2] << 42) ^ (body[1:-1] << 21) ^ body[2:])


def _shared(runs: Any, texts: Any) -> tuple[Any, Any, Any]:
    """The pairs of texts that have a run in common, and in how many runs they meet.

    Args:
        runs: those of the first text, then those of the next, …
        texts: for every run the number of its text.
    """
    import numpy as np

    size, shares = int(texts[-1]) + 1, 1 + len(runs) // _AT_ONCE
    share = (runs ^ (runs >> 21)) % shares
    pairs, counts = [], []
    for part in range(shares):
        mine = np.flatnonzero(share == part)
        mine = mine[np.argsort(runs[mine], kind="stable")]
        run, text = runs[mine], texts[mine]
        # Texts that have a run are beside each other now, in their order.
        near = [(text[:-step] * size + text[step:])[run[:-step] == run[step:]] for step in range(1, _NEAR + 1)]
        pair, count = np.unique(np.concatenate(near), return_counts=True)
        pairs.append(pair)
        counts.append(count)
    pair, place = np.unique(np.concatenate(pairs), return_inverse=True)
    common = np.bincount(place, weights=np.concatenate(counts), minlength=len(pair))
    return pair // size, pair % size, common
