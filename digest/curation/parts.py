"""The parts of a graph that hang together well enough to be one story.

Modularity alone joins two small events that a single phrase connects: seen from a large window, one link between
them is more than chance. So every community is cut again by modularity of its own, and its parts are put together
again only while the links between them are as many as stories of their size have. All of this looks at one
connected piece of the graph at a time: what happens elsewhere changes nothing.
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

_DEEPEST = 30

Graph = Sequence[dict[int, float]]


def parts(graph: Graph) -> list[int]:
    """The part of every node, numbered from 0 in order of first appearance."""
    found = [-1] * len(graph)
    finished: list[list[int]] = []
    open_pieces = [(piece, 0) for piece in _pieces(graph)]
    while open_pieces:
        piece, depth = open_pieces.pop()
        if len(piece) < 3:
            finished.append(piece)
            continue
        place = {node: number for number, node in enumerate(piece)}
        inner = [{place[n]: w for n, w in graph[node].items() if n in place} for node in piece]
        small = len(piece) <= SMALL
        joined = _join(inner, range(len(piece)) if small else communities(inner))
        members: dict[int, list[int]] = defaultdict(list)
        for node, part in zip(piece, joined, strict=True):
            members[part].append(node)
        if small or len(members) == 1 or depth == _DEEPEST:
            finished.extend(members.values())
        else:
            open_pieces.extend((part, depth + 1) for part in members.values())
    for number, piece in enumerate(sorted(finished)):
        for node in piece:
            found[node] = number
    return found


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

    heap = [(-held, a, b) for a, row in across.items() for b in row if a < b and (held := cohesion(a, b)) >= COHESION]
    heapify(heap)
    into = {part: part for part in size}
    while heap:
        negative, one, other = heappop(heap)
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
            if (held := cohesion(low, high)) >= COHESION:
                heappush(heap, (-held, low, high))
    return [_last(into, part) for part in start]


def _last(into: dict[int, int], part: int) -> int:
    while into[part] != part:
        part = into[part]
    return part
