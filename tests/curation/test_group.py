import csv
import json
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curation.group import group
from digest.curation.lab import group_rows
from digest.curation.reading import read
from digest.curation.similar import Graph, links, weighed
from digest.domain.content import Candidate, TopicLabel
from tests.conftest import shared_data
from tests.curation.make import EVENT, OTHERS, article


def test_coverage_of_one_event_is_one_story() -> None:
    stories = group([article(i, title) for i, title in enumerate((*EVENT, *OTHERS), start=1)])
    assert [sorted(a.id for a in story.articles) for story in stories] == [[1, 2, 3], [4], [5], [6]]
    assert stories[0].sources == 3


def graph(articles: list[Candidate]) -> Graph:
    texts = read(articles)
    return links(articles, texts, weighed(texts))


def linked(one: Candidate, other: Candidate) -> float:
    """How alike two articles are held to be, in the company of others."""
    company = [article(100 + n, title) for n, title in enumerate(OTHERS)]
    found = sorted([one, other, *company], key=lambda candidate: (candidate.published_at, candidate.id))
    ends = sorted((found.index(one), found.index(other)))
    held = graph(found)
    pairs = zip(zip(held.one.tolist(), held.other.tolist(), strict=True), held.weight.tolist(), strict=True)
    return dict(pairs).get(tuple(ends), 0.0)


def test_other_figures_speak_against_one_event() -> None:
    one, other = "Fund Alpha sells 500 coins of its holdings", "Fund Alpha sells 900 coins of its reserves"
    apart = linked(article(1, one), article(2, other))
    assert 0 < apart < linked(article(1, one), article(2, other.replace("900", "500")))
    assert apart < linked(article(1, one), article(2, other.replace("900", "several")))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$835.6M", "$835 million"),
        ("$2B", "$2,000,000,000"),
        ("1,480 coins", "1480 coins"),
        ("€3.5bn", "€3.5 billion"),
    ],
)
def test_one_sum_is_one_figure_however_it_is_written(one: str, other: str) -> None:
    title = "Fund Alpha sells {} of its holdings"
    assert linked(article(1, title.format(one)), article(2, title.format(other))) > linked(
        article(1, title.format(one)), article(2, title.format("$71.5M"))
    )


def test_two_articles_of_one_outlet_on_one_day_are_rather_two_events() -> None:
    def told(source: str, hours: float = 1) -> float:
        return linked(article(1, EVENT[0], source="Daily Block"), article(2, EVENT[1], source=source, hours=hours))

    assert told("daily block") < told("Other") == told("")
    assert told("Daily Block", hours=48) > told("Daily Block")


def test_what_a_sentence_model_makes_of_articles_moves_them_together_or_apart() -> None:
    one, other = (
        "Harbor Exchange opens a second office in Lisbon next spring",
        "Court fines Harbor Exchange for adverts",
    )
    articles = [article(1, one), article(2, other), *(article(9 + n, title) for n, title in enumerate(OTHERS))]

    def stories(*vectors: tuple[float, float]) -> int:
        return len(group(articles, meanings=dict(enumerate(vectors, start=1))))

    assert stories((1, 0), (1, 0)) == 4
    assert stories((1, 0), (0, 1)) == 5
    assert group(articles, meanings={}) == group(articles)


def test_what_earlier_runs_held_moves_small_doubts_only() -> None:
    def known(one: int | None, other: int | None) -> float:
        return linked(article(1, EVENT[0], story_id=one), article(2, EVENT[1], story_id=other))

    assert known(7, 8) < known(None, None) == known(7, None) < known(7, 7)
    assert known(7, 7) <= 1.4 * known(None, None) + 1e-6


def test_a_week_between_them_makes_two_stories() -> None:
    stories = group([article(1, EVENT[0], hours=200), article(2, EVENT[2], hours=1)])
    assert len(stories) == 2


def test_a_copy_adds_no_source() -> None:
    stories = group([article(1, EVENT[0], hours=3), article(2, EVENT[0], hours=2), article(3, EVENT[1])])
    assert (stories[0].sources, stories[0].copies) == (2, frozenset({2}))


def test_two_articles_of_one_outlet_are_one_source() -> None:
    stories = group([article(1, EVENT[0], source="A"), article(2, EVENT[1], source="a")])
    assert [story.sources for story in stories] == [1]


def test_the_most_trusted_outlet_leads_and_then_the_one_that_others_credit() -> None:
    articles = [article(1, EVENT[0], hours=3), article(2, EVENT[1], hours=2, reporter="Outlet 3"), article(3, EVENT[2])]
    assert group(articles)[0].lead.id == 3
    assert group([*articles[:2], article(4, EVENT[2], source_weight=2.0)])[0].lead.id == 4


def test_a_story_keeps_the_identity_of_most_of_its_articles() -> None:
    known = [article(i, title, story_id=ident) for i, (title, ident) in enumerate(zip(EVENT, (8, 9, 9), strict=True))]
    assert group(known)[0].story_id == 9
    assert group([article(9, EVENT[0])])[0].story_id is None


def test_an_identity_is_given_to_one_story_only() -> None:
    stories = group(
        [*(article(i, title, story_id=5) for i, title in enumerate(EVENT)), article(7, OTHERS[0], story_id=5)]
    )
    assert [story.story_id for story in stories] == [5, None]


def test_a_story_has_the_strongest_label_of_its_articles() -> None:
    a, b = article(1, EVENT[0], topics=("bitcoin", "policy")), article(2, EVENT[1], topics=("policy",))
    assert group([a, b])[0].topics == (TopicLabel("bitcoin", 0.9), TopicLabel("policy", 0.9))


def test_nothing_makes_no_stories_and_one_article_makes_one() -> None:
    assert group([]) == ()
    assert [story.lead.id for story in group([article(1, "")])] == [1]


def test_titles_that_say_nothing_are_not_grouped() -> None:
    assert len(group([article(i, title) for i, title in enumerate(["", "", "Update", "Update", "…", "\x00"])])) == 6


TITLES = st.one_of(
    st.sampled_from((*EVENT, *OTHERS, "", "Update")), st.text(st.characters(exclude_categories=()), max_size=30)
)


@given(st.lists(st.tuples(TITLES, st.integers(0, 90)), max_size=15), st.randoms())
def test_the_order_of_arrival_never_matters(found: list[tuple[str, int]], chance: random.Random) -> None:
    articles = [article(i, title, hours=hours, source=f"S{i % 4}") for i, (title, hours) in enumerate(found)]
    shuffled = articles.copy()
    chance.shuffle(shuffled)
    assert repr(group(shuffled)) == repr(group(articles))


def test_the_order_of_arrival_does_not_matter_in_a_large_window_either() -> None:
    chance = random.Random(5)
    vocabulary = [f"{syllable}{number}" for syllable in ("ba", "do", "fe", "gu") for number in range(300)]
    articles = [
        article(i, f"Market {' '.join(chance.choices(vocabulary, k=6))}", hours=i % 70, source=f"S{i % 40}")
        for i in range(4500)
    ]
    shuffled = chance.sample(articles, len(articles))
    assert repr(group(shuffled)) == repr(group(articles))


@given(st.lists(TITLES, max_size=15))
def test_every_article_is_in_exactly_one_story(titles: list[str]) -> None:
    stories = group([article(i, title) for i, title in enumerate(titles)])
    assert sorted(a.id for story in stories for a in story.articles) == list(range(len(titles)))


@pytest.mark.parametrize("title", ["", "Market", "Market wrap", "\x00\u202e", EVENT[0]])
def test_ten_thousand_equal_titles_are_survived(title: str) -> None:
    stories = group([article(i, title, hours=i / 1000) for i in range(10_000)])
    assert sum(len(story.articles) for story in stories) == 10_000


def test_a_crowd_looks_for_no_neighbours() -> None:
    titles = [f"Market wrap {number} {number + 1}" for number in range(0, 4000, 2)]
    assert len(graph([article(i, title, hours=-i / 1000) for i, title in enumerate(titles)]).one) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("比特币价格突破十万美元创历史新高", "比特币突破十万美元价格创历史新高"),
        ("ビットコイン価格が過去最高値を更新した", "ビットコインの価格が過去最高値を更新"),
        ("سعر البيتكوين يسجل أعلى مستوى في تاريخه اليوم", "البيتكوين يسجل أعلى مستوى في تاريخه"),
        ("Banco central de Angola corta a taxa de juro", "Angola: banco central anuncia corte da taxa de juro"),
        ("SEC 批准 Bitcoin ETF 现货 申请 today", "SEC 批准 Bitcoin ETF 现货 申请"),
    ],
    ids=["Chinese", "Japanese", "Arabic", "Portuguese", "mixed"],
)
def test_other_scripts_are_grouped_too(one: str, other: str) -> None:
    stories = group([article(1, one), article(2, other), *(article(9 + i, title) for i, title in enumerate(OTHERS))])
    assert sorted(a.id for a in stories[0].articles) == [1, 2]


def test_a_time_in_the_future_is_a_time() -> None:
    assert len(group([article(1, EVENT[0], hours=-24 * 365), article(2, EVENT[1])])) == 2


def test_a_megabyte_of_text_is_survived() -> None:
    assert len(group([article(1, EVENT[0], text="word " * 200_000), article(2, EVENT[1])])) in (1, 2)


SCRIPT = """
from tests.curation.make import EVENT, OTHERS, article
from digest.curation.group import group
articles = [article(i, t, source=f"S{i}", topics=("b", "a")) for i, t in enumerate((*EVENT, *OTHERS, *EVENT))]
print(ascii(group(articles)))
"""


def test_another_process_hash_seed_and_number_of_threads_give_the_same() -> None:
    root = Path(__file__).parents[2]

    def run(seed: str) -> bytes:
        env = os.environ | {"PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": seed, "OMP_NUM_THREADS": seed}
        return subprocess.run([sys.executable, "-c", SCRIPT], cwd=root, env=env, capture_output=True, check=True).stdout

    first = run("1")
    assert first == run("2")
    assert b"Harbor Exchange" in first


def bcubed_f1(gold: dict[str, str], found: dict[str, str]) -> float:
    members: dict[str, list[str]] = defaultdict(list)
    for ident, cluster in found.items():
        members[cluster].append(gold[ident])
    sizes = Counter(story for story in gold.values() if story)
    cells = [(count, len(held), sizes[s]) for held in members.values() for s, count in Counter(held).items() if s]
    precision = sum(count * count / held for count, held, _ in cells) / sum(sizes.values())
    recall = sum(count * count / size for count, _, size in cells) / sum(sizes.values())
    return 2 * precision * recall / (precision + recall)


def test_stories_of_real_articles_are_found_as_people_label_them() -> None:
    data = shared_data()
    if data is None:
        pytest.skip("no labelled articles on this machine (DIGEST_TEST_DATA)")
    folder, scores = data / "curation", []
    for name in ("crypto", "allsides", "uci"):
        with (folder / f"clusters_{name}.jsonl").open(encoding="utf-8") as lines:
            found = dict(group_rows(map(json.loads, lines)))
        with (folder / "gold" / f"clusters_{name}.csv").open(encoding="utf-8", newline="") as file:
            scores.append(bcubed_f1({row["id"]: row["story"] for row in csv.DictReader(file)}, found))
    assert sum(scores) / 3 >= 0.84


def test_rows_keep_their_ids_and_order_whatever_their_time_looks_like() -> None:
    rows = [
        {"id": "z", "title": EVENT[0], "ts": 1763339057},
        {"id": "y", "title": OTHERS[0], "ts": "2025-11-17T00:00:00Z"},
        {"id": "x", "title": EVENT[1], "ts": 0},
        {"id": "w", "title": EVENT[2]},
        {"id": 5, "title": None, "ts": "yesterday"},
    ]
    found = group_rows(rows)
    assert [ident for ident, _ in found] == ["z", "y", "x", "w", "5"]
    cluster = dict(found)
    assert cluster["z"] == cluster["x"] == cluster["w"] != cluster["y"]
    assert group_rows([]) == []


def test_rows_in_another_order_give_the_same_stories() -> None:
    rows = [{"id": f"a{i}", "title": title} for i, title in enumerate((*EVENT, *OTHERS))]
    assert sorted(group_rows(rows)) == sorted(group_rows(reversed(rows)))


def test_a_candidate_keeps_all_it_had() -> None:
    given_article: Candidate = article(1, EVENT[0], summary="A dek.", author="A. B.", tags=("x",))
    assert group([given_article])[0].lead is given_article
