"""Communities in a weighted graph, by local moves that raise modularity (Blondel et al. 2008, arXiv:0803.0476).

Deterministic: nodes are visited in index order and ties go to the lowest community. A round costs time
linear in the number of edges.
"""

from collections import defaultdict, deque
from collections.abc import Sequence

Graph = Sequence[dict[int, float]]
"""Neighbours and edge weights of every node, symmetric; a loop carries the inner weight of a merged node."""

_MAX_ROUNDS = 50


def communities(graph: Graph, resolution: float = 1.0) -> list[int]:
    """The community of every node, numbered from 0 in order of first appearance.

    A higher ``resolution`` makes smaller communities.
    """
    member = list(range(len(graph)))
    level = graph
    while True:
        moved, found = _local_moves(level, resolution)
        found = _renumber(found)
        member = [found[community] for community in member]
        if not moved:
            return _renumber(member)
        level = _merged(level, found)


def _local_moves(graph: Graph, resolution: float) -> tuple[bool, list[int]]:
    """Move single nodes to the neighbouring community that gains most until none wants to move.

    A node is looked at again only when a neighbour left for another community (Ozaki et al. 2016).
    """
    degree = [sum(row.values()) + row.get(node, 0.0) for node, row in enumerate(graph)]
    total = sum(degree)
    community = list(range(len(graph)))
    if not total:
        return False, community
    weight_of = degree.copy()
    moved = False
    waiting = deque(node for node, row in enumerate(graph) if row)
    is_waiting = [bool(row) for row in graph]
    for _ in range(_MAX_ROUNDS * len(graph)):
        if not waiting:
            break
        node = waiting.popleft()
        is_waiting[node] = False
        row = graph[node]
        home = community[node]
        links: dict[int, float] = {}
        for neighbour, weight in row.items():
            if neighbour != node:
                other = community[neighbour]
                links[other] = links.get(other, 0.0) + weight
        weight_of[home] -= degree[node]
        pull = resolution * degree[node] / total
        best, best_gain = home, links.get(home, 0.0) - pull * weight_of[home]
        for other in sorted(links):
            gain = links[other] - pull * weight_of[other]
            if gain > best_gain + 1e-12:
                best, best_gain = other, gain
        weight_of[best] += degree[node]
        if best != home:
            community[node] = best
            moved = True
            for neighbour in row:
                if not is_waiting[neighbour] and community[neighbour] != best:
                    is_waiting[neighbour] = True
                    waiting.append(neighbour)
    return moved, community


def _merged(graph: Graph, community: Sequence[int]) -> list[dict[int, float]]:
    """The graph whose nodes are the communities."""
    merged: list[dict[int, float]] = [defaultdict(float) for _ in range(max(community) + 1)]
    for node, row in enumerate(graph):
        home = community[node]
        for neighbour, weight in row.items():
            other = community[neighbour]
            # An inner edge is met from both ends, a loop once.
            merged[home][other] += weight / 2 if other == home and neighbour != node else weight
    return [dict(row) for row in merged]


def _renumber(labels: Sequence[int]) -> list[int]:
    order: dict[int, int] = {}
    return [order.setdefault(label, len(order)) for label in labels]
