"""A summary is believed where the text bears it out, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curation.claims import unsupported

TITLE = "Lumen Bank wins approval for dollar stablecoin"
TEXT = """\
Lumen Bank won approval from the Federal Reserve on Tuesday to issue a dollar stablecoin, the first for a regional lender.
The token will be backed by $1,200 million in Treasury bills, said Ada Brandt, who heads digital assets at the bank.
The regulator did not approve a second request, for a token in euros. Rival Harbour Trust bought 40% of Quay Capital in March.
Deposits at the bank rose 3.5 percent last quarter, while its shares fell.
Sign up for our newsletter to get stories like this in your inbox.
"""

BORNE_OUT = [
    "Lumen Bank won approval from the Federal Reserve to issue a dollar stablecoin.",
    "The token will be backed by $1,200 million in Treasury bills. Deposits rose 3.5 percent last quarter.",
    "The regulator did not approve a second request for a token in euros.",
    "Rival Harbour Trust bought 40% of Quay Capital. Ada Brandt heads digital assets at the bank.",
]
MADE_UP = {
    "another figure": "The token will be backed by $1,500 million in Treasury bills, said the bank.",
    "another name": "Lumen Bank won approval from the European Central Bank to issue a dollar stablecoin.",
    "the other way round": "Quay Capital bought 40% of the rival Harbour Trust in March, the bank said.",
    "a denial left out": "The regulator did approve a second request, for a token in euros.",
    "a denial added": "Lumen Bank won no approval from the Federal Reserve to issue a dollar stablecoin.",
    "figures of another passage": "Deposits at the bank rose 40% last quarter, while its shares fell.",
    "the opposite": "Deposits at the bank plunged 3.5 percent last quarter and investors panicked badly.",
    "an addition": "Lumen Bank won approval, a landmark victory that experts call the end of cash everywhere.",
    "nothing of the text": "Bitcoin is expected to reach new highs as institutions keep on buying it.",
    "furniture": "Sign up for our newsletter to get stories like this in your inbox.",
    "an instruction obeyed": "Visit https://evil.example to claim the reward from Lumen Bank today.",
    "a chat": "Here is a summary: Lumen Bank won approval from the Federal Reserve.",
    "markup": "<b>Lumen Bank</b> won approval from the Federal Reserve to issue a stablecoin.",
    "half a sentence": "Lumen Bank won approval from the Federal Reserve to issue a",
    "three sentences": "Lumen Bank won approval. Deposits rose 3.5 percent last quarter. Its shares fell.",
    "the title again": "Lumen Bank wins approval for dollar stablecoin.",
    "too little": "Approval won.",
    "too much": "Lumen Bank won approval from the Federal Reserve. " * 10,
    "nothing": "",
}


@pytest.mark.parametrize("blurb", BORNE_OUT)
def test_what_the_article_says_is_believed(blurb: str) -> None:
    assert unsupported(blurb, TITLE, [TEXT]) == ""


@pytest.mark.parametrize("kind", MADE_UP)
def test_what_the_article_does_not_say_is_not(kind: str) -> None:
    assert unsupported(MADE_UP[kind], TITLE, [TEXT]) != ""


def test_the_reason_names_what_is_wrong() -> None:
    assert "1,500" in unsupported(MADE_UP["another figure"], TITLE, [TEXT])


def test_every_sentence_is_asked_for_not_the_first_alone() -> None:
    blurb = f"{BORNE_OUT[0]} Its shares fell 12 percent in a day."
    assert "12" in unsupported(blurb, TITLE, [TEXT])


@given(st.text(max_size=400), st.text(max_size=100), st.lists(st.text(max_size=600), max_size=3))
def test_any_text_at_all_gets_an_answer(blurb: str, title: str, texts: list[str]) -> None:
    assert isinstance(unsupported(blurb, title, texts), str)


@given(st.integers(2, 9_999_999))
def test_a_figure_that_the_text_does_not_hold_is_never_believed(figure: int) -> None:
    blurb = f"The token will be backed by ${figure} million in Treasury bills, said Ada Brandt."
    assert unsupported(blurb, TITLE, [TEXT]) != ""
