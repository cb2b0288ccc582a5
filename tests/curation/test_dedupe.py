import csv
import json
from itertools import combinations, groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from digest.cli.lab import app
from digest.curation.dedupe import Families, families
from digest.curation.lab import dedupe_rows
from tests.conftest import shared_data
from tests.curation.make import article

TEXT = (
    "The exchange said on Tuesday that it would close its office in the capital by the end of the month, after a "
    "year in which trading fell by half and the regulator twice refused to renew the licence that it had asked for."
)


def test_one_address_is_one_article() -> None:
    found = families(
        [
            article(1, "One", url="https://www.a.example/x/?utm_source=rss#top"),
            article(2, "Two", url="http://a.example/x"),
            article(3, "Three", url="http://a.example/y"),
        ]
    )
    assert found == [0, 0, 2]


def test_one_title_is_one_article_unless_it_is_short_or_a_series() -> None:
    same = "Exchange closes its office in the capital"
    found = families(
        [
            article(1, same, hours=60),
            article(2, "Market wrap", hours=4),
            article(3, "Market wrap", hours=3),
            article(4, f"{same} - Daily Block", hours=2),
            article(5, same.upper(), hours=1),
        ]
    )
    assert found == [0, 1, 2, 3, 3]


@pytest.mark.parametrize(
    "other",
    [f"By A. Reporter. {TEXT}", TEXT[: int(len(TEXT) * 0.6)], TEXT.replace("Tuesday", "Wednesday")],
    ids=["byline", "cut", "edited"],
)
def test_almost_the_same_words_are_a_copy(other: str) -> None:
    assert families([article(1, "One", text=TEXT), article(2, "Two", text=other)]) == [0, 0]


def test_other_words_on_the_same_matter_are_no_copy() -> None:
    other = (
        "Trading has fallen by half within a year, and now the exchange gives up its office in the capital. Twice it "
        "had asked the regulator to renew its licence; twice the answer was no, people who know the matter said."
    )
    assert families([article(1, "One", text=TEXT), article(2, "Two", text=other)]) == [0, 1]


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=10, max_size=60), max_size=12), st.integers(0, 11))
def test_copies_are_those_that_share_enough_runs_of_words(bodies: list[list[str]], cut: int) -> None:
    if bodies:  # a cut copy of one of them
        bodies = [*bodies, bodies[cut % len(bodies)][: 30 + cut]]
    runs = [{tuple(body[i : i + 3]) for i in range(len(body) - 2)} for body in bodies]
    expected = Families(len(bodies))
    for (i, one), (j, other) in combinations(enumerate(runs), 2):
        common = len(one & other)
        if min(len(one), len(other)) >= 12 and (
            common >= 0.5 * len(one | other) or common >= 0.8 * min(len(one), len(other))
        ):
            expected.join(i, j)
    found = families([article(i, f"No {i}", text=" ".join(body)) for i, body in enumerate(bodies)])
    assert found == [expected.find(i) for i in range(len(bodies))]


def test_nothing_has_no_copies() -> None:
    assert families([]) == []
    assert families([article(1, ""), article(2, "")]) == [0, 1]


def test_copies_of_real_texts_are_found_and_others_left_alone() -> None:
    data = shared_data()
    if data is None:
        pytest.skip("no labelled articles on this machine (DIGEST_TEST_DATA)")
    folder = data / "curation"
    rows = [json.loads(line) for line in (folder / "neardup.jsonl").open(encoding="utf-8")]
    with (folder / "gold" / "neardup.csv").open(encoding="utf-8", newline="") as file:
        group_of = {row["id"]: row["group"] for row in csv.DictReader(file)}
    pairs = sorted((cluster, group_of[ident]) for ident, cluster in dedupe_rows(rows))
    clusters = [[group for _, group in members] for _, members in groupby(pairs, key=lambda pair: pair[0])]
    mixed = sum(len(set(members)) > 1 for members in clusters)
    assert mixed <= 5
    assert len(clusters) <= 1.3 * len(set(group_of.values()))


def test_lab_dedupe_writes_a_cluster_for_every_row(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.csv"
    rows = [{"id": "b", "title": "", "summary": TEXT}, {"id": "a", "title": "Other", "summary": TEXT}]
    source.write_text("\n".join(map(json.dumps, [*rows, {"id": "c", "title": "Third"}])), encoding="utf-8")
    assert CliRunner().invoke(app, ["dedupe", str(source), "--out", str(out)]).exit_code == 0
    found = dict(line.split(",") for line in out.read_text(encoding="utf-8").splitlines()[1:])
    assert list(found) == ["b", "a", "c"]
    assert found["a"] == found["b"] != found["c"]
