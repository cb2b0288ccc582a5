import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curation.text import clean, is_whole, normal_title, sentences, stem, terms, words

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bitcoin’s price: $95,500.20!", ["bitcoin", "price", "95,500.20"]),
        ("Café au lait", ["cafe", "au", "lait"]),
        ("比特币 ETF", ["比", "特", "币", "etf"]),
        ("ビットコインETF上場", ["ビ", "ッ", "ト", "コ", "イ", "ン", "etf", "上", "場"]),
        ("البيتكوين يرتفع", ["البيتكوين", "يرتفع"]),
        ("one\x00two\u200bthree", ["one", "two", "three"]),
        ("\ud800broken", ["broken"]),
        ("", []),
    ],
)
def test_words_of_any_script_are_found(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("plural", "singular"),
    [("banks", "bank"), ("currencies", "currency"), ("losses", "loss"), ("taxes", "tax"), ("ties", "tie"),
     ("gas", "gas"), ("status", "status"), ("analysis", "analysis"), ("SEC", "SEC")],
)  # fmt: skip
def test_english_plurals_meet_their_singular(plural: str, singular: str) -> None:
    assert stem(plural) == singular


def test_scripts_without_spaces_are_compared_by_pairs_of_characters() -> None:
    assert terms("比特币上涨") == ["比特", "特币", "币上", "上涨"]


def test_a_title_is_known_without_its_outlets_name() -> None:
    assert normal_title("Bitcoin falls below $90,000 | The Daily Block") == normal_title("BITCOIN falls below $90,000")
    assert normal_title("Markets – BBC") == "markets"
    assert normal_title("???") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The U.S. acted. Mr. Powell spoke.", ["The U.S. acted.", "Mr. Powell spoke."]),
        ("It lost 3.5% on Friday! Why?", ["It lost 3.5% on Friday!", "Why?"]),
        ("“We sold.” They left.", ["“We sold.”", "They left."]),
        ("央行降息。市场上涨。", ["央行降息。", "市场上涨。"]),
        ("It was cut in the", ["It was cut in the"]),
        ("Profit rose 87. 5 points. Done.", ["Profit rose 87. 5 points.", "Done."]),
    ],
)
def test_sentences_end_where_sentences_end(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


@pytest.mark.parametrize(
    ("text", "whole"), [("Done.", True), ("Done.”", True), ("And so…", False), ("And so...", False), ("And", False)]
)
def test_a_whole_sentence_has_an_end(text: str, whole: bool) -> None:
    assert is_whole(text) is whole


@given(ANY_TEXT)
def test_any_text_is_survived_and_comes_out_encodable(text: str) -> None:
    assert "\n" not in clean(text)
    for token in (*words(text), *terms(text), *sentences(text)):
        token.encode()


@given(ANY_TEXT)
def test_sentences_lose_nothing_but_spaces(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(clean(text).split())
