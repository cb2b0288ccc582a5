import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from digest.curation.parts import parts
from digest.curation.similar import Graph


def graph(size: int, *edges: tuple[int, int, float]) -> Graph:
    one, other, weight = zip(*sorted(edges), strict=True) if edges else ((), (), ())
    return Graph(size, np.array(one, np.int32), np.array(other, np.int32), np.array(weight, np.float64))


def clique(*nodes: int, weight: float = 0.5) -> list[tuple[int, int, float]]:
    return [(a, b, weight) for a in nodes for b in nodes if a < b]


def test_one_thin_link_does_not_join_two_events() -> None:
    assert parts(graph(6, *clique(0, 1, 2), *clique(3, 4, 5), (2, 3, 0.3))) == [0, 0, 0, 1, 1, 1]


def test_many_links_make_one_event() -> None:
    across = [(a, b, 0.3) for a in (0, 1, 2) for b in (3, 4, 5)]
    assert parts(graph(6, *clique(0, 1, 2), *clique(3, 4, 5), *across)) == [0] * 6


def test_articles_without_links_stand_alone() -> None:
    assert parts(graph(4, (1, 3, 0.4))) == [0, 1, 2, 1]
    assert parts(graph(0)) == []


def test_what_happens_elsewhere_changes_nothing() -> None:
    here = [*clique(0, 1, 2), *clique(3, 4, 5), (2, 3, 0.3)]
    elsewhere = clique(*range(6, 60))
    assert parts(graph(60, *here, *elsewhere))[:6] == parts(graph(6, *here))


def test_stragglers_follow_the_story_that_they_are_most_like_as_a_whole() -> None:
    camp = [*clique(0, 1, 2, 3), (3, 4, 0.26)]
    words = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0.2, 0], [0.6, 1, 0], [0, 0, 1]], np.float32)
    alike = sparse.csr_matrix(words / np.linalg.norm(words, axis=1, keepdims=True))
    assert parts(graph(6, *camp)) == [0, 0, 0, 0, 1, 2]
    assert parts(graph(6, *camp), alike) == [0, 0, 0, 0, 0, 1]


EDGES = st.dictionaries(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda ends: ends[0] < ends[1]), st.floats(0.25, 1)
)


@given(EDGES)
def test_parts_never_span_what_is_not_connected(edges: dict[tuple[int, int], float]) -> None:
    found = parts(graph(10, *((*ends, weight) for ends, weight in edges.items())))
    reach = {node: {node} for node in range(10)}
    for one, other in edges:
        joined = reach[one] | reach[other]
        for node in joined:
            reach[node] = joined
    assert all(other in reach[node] for node in range(10) for other in range(10) if found[node] == found[other])


@given(EDGES)
def test_parts_are_numbered_as_they_first_appear(edges: dict[tuple[int, int], float]) -> None:
    found = parts(graph(10, *((*ends, weight) for ends, weight in edges.items())))
    assert list(dict.fromkeys(found)) == list(range(max(found) + 1))
