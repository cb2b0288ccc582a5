from hypothesis import given
from hypothesis import strategies as st

from digest.curation.louvain import communities


def graph(size: int, edges: dict[tuple[int, int], float]) -> list[dict[int, float]]:
    rows: list[dict[int, float]] = [{} for _ in range(size)]
    for (one, other), weight in edges.items():
        rows[one][other] = rows[other][one] = weight
    return rows


def test_two_triangles_with_a_thin_bridge_are_two_communities() -> None:
    edges = {(0, 1): 1.0, (1, 2): 1.0, (0, 2): 1.0, (3, 4): 1.0, (4, 5): 1.0, (3, 5): 1.0, (2, 3): 0.3}
    assert communities(graph(6, edges)) == [0, 0, 0, 1, 1, 1]


def test_nodes_without_edges_stay_alone() -> None:
    assert communities(graph(3, {})) == [0, 1, 2]
    assert communities([]) == []


@given(
    st.dictionaries(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda e: e[0] < e[1]), st.floats(0.1, 1))
)
def test_communities_never_span_what_is_not_connected(edges: dict[tuple[int, int], float]) -> None:
    found = communities(graph(10, edges))
    reach = {node: {node} for node in range(10)}
    for one, other in edges:
        joined = reach[one] | reach[other]
        for node in joined:
            reach[node] = joined
    assert all(other in reach[node] for node in range(10) for other in range(10) if found[node] == found[other])
