"""Near-duplicates: articles that are copies of one text, syndicated or fetched twice.

Three steps, from sure to likely: the same address, the same title, almost the same words. Copies stay known
as copies; they add no source to a story.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

from digest.curation.text import normal_title, shingles, words
from digest.domain.content import Candidate

MIN_TITLE_WORDS = 4
"""A title with fewer words ("Market wrap") says too little to make two articles copies of each other."""

SIMILAR = 0.5
"""Jaccard similarity of 3-word shingles from which two texts are copies."""

CONTAINED = 0.8
"""Share of the shorter text's shingles that the longer one holds, from which the shorter is a cut copy."""

COMPARED_WORDS = 200
"""Copies agree from the start; words behind these are not compared."""

SERIAL = timedelta(hours=48)
"""Equal titles further apart than this are numbers of a series ("Markets wrap: what moved today"), not copies."""

_MIN_SHINGLES = 12
_URL = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//(?:www\.)?([^/?#\s]+)([^?#\s]*)(?:\?([^#\s]*))?", re.IGNORECASE)
_TRACKING = re.compile(r"utm_|fbclid|gclid|ref=")
_NEAR = 20
"""Texts that share a shingle are compared with so many that follow: cost stays linear, long chains still join."""


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
    """Join texts that share most of their shingles; only pairs with a rare shingle in common are compared."""
    texts: dict[int, frozenset[str]] = {}
    for position, candidate in enumerate(candidates):
        if sets.find(position) == position:
            body = words((candidate.text or candidate.summary)[: 20 * COMPARED_WORDS])[:COMPARED_WORDS]
            found = shingles(body)
            if len(found) >= _MIN_SHINGLES:
                texts[position] = found
    holders: dict[str, list[int]] = defaultdict(list)
    for position, found in texts.items():
        for shingle in found:
            holders[shingle].append(position)
    shared: Counter[tuple[int, int]] = Counter()
    for held in holders.values():
        shared.update((one, other) for i, one in enumerate(held) for other in held[i + 1 : i + 1 + _NEAR])
    for (one, other), common in shared.items():
        sizes = len(texts[one]), len(texts[other])
        if common >= SIMILAR * (sum(sizes) - common) or common >= CONTAINED * min(sizes):
            sets.join(one, other)
