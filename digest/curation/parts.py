"""The parts of a graph that hang together well enough to be one story.

Articles are put together from the closest on, for as long as the links between two parts weigh as much as stories
of their size have between them. In every round all pairs that are each other's best are joined at once, so that a
window of 100,000 articles takes a hundred rounds and not fifty thousand steps. What happens in another connected
piece of the graph changes nothing.
"""

from typing import Any

from digest.curation.similar import Graph

COHESION = 0.12
"""Weight that two parts need for each pair of articles across them, counted as below, to be one story."""

SATURATED = 3
"""Members of the larger part that count: in coverage of hundreds nobody is linked to everybody."""

STRAGGLERS, CAMP = 2, 3
"""So few articles follow a story of so many or more that is, taken as a whole, …"""

AKIN = 0.45
"""… at least so similar to them."""


def parts(graph: Graph, matrix: Any = None) -> list[int]:
    """The part of every node, numbered from 0 in order of first appearance.

    Args:
        matrix: what the articles say, weighed; with it stragglers find the story that they are on.
    """
    import numpy as np

    of = np.arange(graph.size)
    size = np.ones(graph.size, np.int64)
    one, other, weight = graph.one.astype(np.int64), graph.other.astype(np.int64), graph.weight
    while len(one):
        low, high = np.minimum(size[one], size[other]), np.maximum(size[one], size[other])
        # Rounded: sums of the same weights in another order are the same cohesion.
        held = np.round(weight / (low * np.minimum(high, SATURATED)), 9)
        strong = held >= COHESION
        into = _mutual(graph.size, one[strong], other[strong], held[strong])
        if into is None:
            break
        size = np.bincount(into, weights=size, minlength=graph.size).astype(np.int64)
        of = into[of]
        one, other, weight = _joined(into[one], into[other], weight)
    if matrix is not None:
        of = _followed(of, size, one, other, matrix)
    _, first, found = np.unique(of, return_index=True, return_inverse=True)
    numbers = np.empty(len(first), np.int64)
    numbers[np.argsort(first, kind="stable")] = np.arange(len(first))
    joined: list[int] = numbers[found].tolist()
    return joined


def _mutual(size: int, one: Any, other: Any, held: Any) -> Any:
    """Where every part goes when all pairs that are each other's best join; ties to the lowest. None: nobody joins."""
    import numpy as np

    if not len(one):
        return None
    near, far, value = np.concatenate([one, other]), np.concatenate([other, one]), np.concatenate([held, held])
    most = np.zeros(size)
    np.maximum.at(most, near, value)
    tied = value == most[near]
    best = np.full(size, size)
    np.minimum.at(best, near[tied], far[tied])
    node = np.arange(size)
    joins = np.append(best, size)[best] == node
    return np.where(joins, np.minimum(node, best), node)


def _joined(one: Any, other: Any, weight: Any) -> tuple[Any, Any, Any]:
    """Links between parts, one for each pair, with what they weigh together."""
    import numpy as np

    across = one != other
    low, high = np.minimum(one, other)[across], np.maximum(one, other)[across]
    keys, place = np.unique((low << 32) | high, return_inverse=True)
    return keys >> 32, keys & 0xFFFFFFFF, np.bincount(place, weights=weight[across], minlength=len(keys))


def _followed(of: Any, size: Any, one: Any, other: Any, matrix: Any) -> Any:
    """The parts, with stragglers at the story they are linked to and most like, if they are alike enough."""
    import numpy as np
    from scipy import sparse

    small, large = np.concatenate([one, other]), np.concatenate([other, one])
    chosen = (size[small] <= STRAGGLERS) & (size[large] >= CAMP)
    small, large = small[chosen], large[chosen]
    members = sparse.csr_matrix((np.ones(len(of), matrix.dtype), (of, np.arange(len(of)))), shape=(len(of), len(of)))
    whole = (members @ matrix).tocsr()
    lengths = np.sqrt(np.asarray(whole.multiply(whole).sum(axis=1)).ravel())
    alike = np.asarray(whole[small].multiply(whole[large]).sum(axis=1)).ravel() / (lengths[small] * lengths[large])
    alike = np.round(alike, 6)
    order = np.lexsort((large, -alike, small))
    order = order[alike[order] >= AKIN]
    small, large = small[order], large[order]
    first = np.flatnonzero(np.diff(small, prepend=-1))
    into = np.arange(len(of))
    into[small[first]] = large[first]
    return into[of]
