import pytest

from digest.curation.classify import classify
from digest.domain.content import TopicProfile
from tests.conftest import shared_data
from tests.curation.make import POLICY, TOPICS, article

PAGE = """The central bank of the island kept its rate where it has been since the spring of last year.

Its governor said that she saw no reason to move before the harvest figures are known in full.

Tags

Upcoming Events

A summit on stablecoins, at which Zcash and the S&P 500 will be discussed at length by all who come.
"""


@pytest.mark.parametrize(
    ("title", "summary", "text", "earned"),
    [
        ("Bitcoins rise", "", "", {"bitcoin"}),
        ("BTC rises", "", "", {"bitcoin"}),
        ("Bitcoiners rise", "", "", set()),
        ("A rise", "Of bitcoin, says one.", "", {"bitcoin"}),
        ("A rise", "", "It was bitcoin.", set()),
        ("A rise", "", "Bitcoin here, bitcoin there, and BTC too.", {"bitcoin"}),
        ("Rate cuts are coming", "", "", {"policy"}),
        ("Rate of cut flowers", "", "", set()),
        ("The SEC asks for a recipe", "", "", set()),
        ("The SEC and bitcoin", "", "", {"bitcoin", "policy"}),
        ("", "", "", set()),
    ],
)
def test_topics_are_earned_by_whole_words_and_phrases(title: str, summary: str, text: str, earned: set[str]) -> None:
    (labelled,) = classify([article(1, title, summary=summary, text=text)], TOPICS)
    assert set(labelled.topics) == earned


def test_a_title_says_more_than_a_summary() -> None:
    title, summary = classify([article(1, "Bitcoin"), article(2, "A coin", summary="It is bitcoin.")], TOPICS)
    assert title.labels[0].score > summary.labels[0].score


def test_the_evidence_names_place_and_word() -> None:
    profile = TopicProfile(
        "x", "X", include=("rate cut", "bond"), tags=("Fixed Income",), sources=("Bond Daily",), exclude=("film",)
    )
    text = "A bond is a bond is a bond. The film is another matter."
    (labelled,) = classify([article(1, "Rate cuts", text=text, tags=("fixed income",), source="bond daily")], [profile])
    assert labelled.labels[0].evidence == (
        "source: bond daily", 'tag: "Fixed Income"', 'title: "rate cut"', 'text: "bond" ×3', 'against it, text: "film"',
    )  # fmt: skip
    assert 0 < labelled.labels[0].score <= 1


def test_all_articles_of_a_named_source_belong() -> None:
    (labelled,) = classify(
        [article(1, "Anything", source="The Regulator")], [TopicProfile("p", "P", sources=("The Regulator",))]
    )
    assert labelled.topics == ("p",)


def test_phrases_are_found_in_scripts_without_spaces() -> None:
    (labelled,) = classify([article(1, "美国批准比特币现货基金")], [TopicProfile("b", "B", include=("比特币",))])
    assert labelled.topics == ("b",)


def test_no_topics_means_no_labels() -> None:
    (labelled,) = classify([article(1, "Bitcoin", topics=("old",))], ())
    assert labelled.labels == ()


def test_page_furniture_never_earns_a_topic() -> None:
    lures = TopicProfile("lures", "Lures", include=("stablecoin", "Zcash", "S&P 500"))
    bank = TopicProfile("bank", "Bank", include=("central bank", "governor"))
    (labelled,) = classify([article(1, "Rates stay", text=PAGE)], [lures, bank])
    assert labelled.topics == ("bank",)


def test_the_reference_page_is_about_asia_and_rules_and_not_about_what_stands_around_it() -> None:
    data = shared_data()
    page = data.parent / "reference" / "article-page.txt" if data else None
    if page is None or not page.is_file():
        pytest.skip("the reference page is not on this machine (DIGEST_TEST_DATA)")
    text = page.read_text(encoding="utf-8")
    topics = (
        TopicProfile("asia", "Asia", include=("Hong Kong", "China", "Singapore")),
        TopicProfile("regulation", "Regulation", include=("regulated", "ban", "Securities and Futures Commission")),
        TopicProfile("zcash", "Zcash", include=("Zcash",)),
        TopicProfile("indices", "Indices", include=("S&P", "S&P 500")),
        TopicProfile("stablecoins", "Stablecoins", include=("stablecoin",)),
    )
    (labelled,) = classify([article(1, text.splitlines()[0], text=text)], topics)
    assert set(labelled.topics) == {"asia", "regulation"}


def test_an_excluded_word_takes_the_topic_away_even_where_much_speaks_for_it() -> None:
    title = "SEC regulator: a recipe"
    assert classify([article(1, title)], [POLICY])[0].labels == ()
