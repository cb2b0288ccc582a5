"""The parts of a graph that hang together well enough to be one story.

Modularity over a whole window joins two small events that a single phrase connects: seen from afar, one link is
more than chance. So communities are looked for on a scale of their own, far smaller than a big story, and then put
together while the links between two of them are as many as stories of their size have. All of this looks at one
connected piece of the graph at a time and at absolute weights: what happens elsewhere changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from digest.curation.louvain import communities

COHESION = 0.12
"""Weight that two parts need for each pair of articles across them, counted as below, to be one story."""

SATURATED = 3
"""Members of the larger part that count: in coverage of hundreds nobody is linked to everybody."""

SMALL = 12
"""A piece of so many articles or fewer is put together from single articles."""

SCALE = 20.0
"""Modularity is reckoned as if every window had this total weight: communities of about a dozen articles."""

Graph = Sequence[dict[int, float]]


def parts(graph: Graph) -> list[int]:
    """The part of every node, numbered from 0 in order of first appearance."""
    found = [-1] * len(graph)
    number_of: dict[int, int] = {}
    for piece in _pieces(graph):
        if len(piece) < 3:
            joined = [0] * len(piece)
        else:
            place = {node: number for number, node in enumerate(piece)}
            inner = [{place[neighbour]: weight for neighbour, weight in graph[node].items()} for node in piece]
            start = range(len(piece)) if len(piece) <= SMALL else communities(inner, _resolution(inner))
            joined = _join(inner, start)
        first: dict[int, int] = {}
        for node, part in zip(piece, joined, strict=True):
            found[node] = first.setdefault(part, node)
    return [number_of.setdefault(part, len(number_of)) for part in found]


def _resolution(graph: Graph) -> float:
    return max(1.0, sum(sum(row.values()) for row in graph) / SCALE)


def _pieces(graph: Graph) -> list[list[int]]:
    """The connected pieces, each in order of position."""
    seen = [False] * len(graph)
    pieces = []
    for start in range(len(graph)):
        if seen[start]:
            continue
        seen[start] = True
        piece = [start]
        for node in piece:
            for neighbour in graph[node]:
                if not seen[neighbour]:
                    seen[neighbour] = True
                    piece.append(neighbour)
        pieces.append(sorted(piece))
    return pieces


def _join(graph: Graph, start: Sequence[int]) -> list[int]:
    """Join the two parts that belong together most until no two do."""
    size = Counter(start)
    across: dict[int, dict[int, float]] = {part: defaultdict(float) for part in size}
    for node, row in enumerate(graph):
        for neighbour, weight in row.items():
            if node < neighbour and start[node] != start[neighbour]:
                across[start[node]][start[neighbour]] += weight
                across[start[neighbour]][start[node]] += weight

    def cohesion(one: int, other: int) -> float:
        low, high = sorted((size[one], size[other]))
        # Rounded: sums of the same weights in another order are the same cohesion.
        return round(across[one][other] / (low * min(high, SATURATED)), 9)

    heap = [(-cohesion(a, b), a, b) for a, row in across.items() for b in row if a < b]
    heapify(heap)
    into = {part: part for part in size}
    while heap:
        negative, one, other = heappop(heap)
        if -negative < COHESION:
            break
        if one not in across or other not in across or other not in across[one] or -negative != cohesion(one, other):
            continue
        for neighbour, weight in across.pop(other).items():
            across[neighbour].pop(other)
            if neighbour != one:
                across[one][neighbour] += weight
                across[neighbour][one] += weight
        size[one] += size.pop(other)
        into[other] = one
        for neighbour in across[one]:
            low, high = min(one, neighbour), max(one, neighbour)
            heappush(heap, (-cohesion(low, high), low, high))
    return [_last(into, part) for part in start]


def _last(into: dict[int, int], part: int) -> int:
    while into[part] != part:
        part = into[part]
    return part
