from digest.curation.parts import parts


def graph(size: int, *edges: tuple[int, int, float]) -> list[dict[int, float]]:
    rows: list[dict[int, float]] = [{} for _ in range(size)]
    for one, other, weight in edges:
        rows[one][other] = rows[other][one] = weight
    return rows


def clique(*nodes: int, weight: float = 0.5) -> list[tuple[int, int, float]]:
    return [(a, b, weight) for a in nodes for b in nodes if a < b]


def test_one_thin_link_does_not_join_two_events() -> None:
    assert parts(graph(6, *clique(0, 1, 2), *clique(3, 4, 5), (2, 3, 0.3))) == [0, 0, 0, 1, 1, 1]


def test_many_links_make_one_event() -> None:
    across = [(a, b, 0.3) for a in (0, 1, 2) for b in (3, 4, 5)]
    assert parts(graph(6, *clique(0, 1, 2), *clique(3, 4, 5), *across)) == [0] * 6


def test_articles_without_links_stand_alone() -> None:
    assert parts(graph(4, (1, 3, 0.4))) == [0, 1, 2, 1]
    assert parts([]) == []


def test_what_happens_elsewhere_changes_nothing() -> None:
    here = [*clique(0, 1, 2), *clique(3, 4, 5), (2, 3, 0.3)]
    elsewhere = clique(*range(6, 60))
    assert parts(graph(60, *here, *elsewhere))[:6] == parts(graph(6, *here))
