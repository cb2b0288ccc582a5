import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curation.summarise import LONGEST, summarise
from digest.curation.text import clean
from tests.curation.make import article

TITLE = "Harbor Exchange halts withdrawals"
GOOD = "The exchange says that customers' money is safe and that it will open again within two days."
BODY = (
    "It was a quiet morning at the docks.\n\n"
    "Harbor Exchange halted all withdrawals at noon after it found a breach. It says the money is safe.\n\n"
    "Nobody could be reached for comment."
)


@pytest.mark.parametrize(
    ("summary", "text", "expected"),
    [
        (GOOD, BODY, GOOD),
        ("The exchange says that customers' money is safe", "", "The exchange says that customers' money is safe"),
        (f"{GOOD} The post Harbor Exchange halts appeared first on Daily Block.", BODY, GOOD),
        (f"{GOOD} And the next thing was that a [...]", BODY, GOOD),
        (f"{GOOD} Read more", BODY, GOOD),
        ("The exchange says that its customers and all of the", BODY,
         "Harbor Exchange halted all withdrawals at noon after it found a breach. It says the money is safe."),
        ("Harbor Exchange halted all withdrawals at noon after", BODY,
         "Harbor Exchange halted all withdrawals at noon after it found a breach. It says the money is safe."),
        (TITLE, BODY, "Harbor Exchange halted all withdrawals at noon after it found a breach. It says the money is safe."),
        ("", BODY, "Harbor Exchange halted all withdrawals at noon after it found a breach. It says the money is safe."),
        ("Withdrawals stop.", "", "Withdrawals stop."),
        ("Subscribe to our newsletter for more of this every day.", "", ""),
        ("", "", ""),
        (TITLE, "", ""),
    ],
)  # fmt: skip
def test_the_blurb_is_the_dek_or_the_best_sentences(summary: str, text: str, expected: str) -> None:
    assert summarise(article(1, TITLE, summary=summary, text=text)) == expected


def test_a_long_dek_is_shortened_by_whole_sentences() -> None:
    long = " ".join(
        f"Sentence number {i} tells of one more thing that happened at the exchange today." for i in range(9)
    )
    blurb = summarise(article(1, TITLE, summary=long))
    assert long.startswith(blurb)
    assert blurb.endswith("today.")
    assert len(blurb) <= LONGEST


TEXT = st.lists(
    st.sampled_from([GOOD, "Share", "Read more", "Tags", "It fell by 3.5% in the U.S. on Friday.", "cut off in the", TITLE, "\x00\ud800", "。"]),
    max_size=12,
)  # fmt: skip


@given(TEXT, TEXT)
def test_every_blurb_stands_in_the_source_and_is_of_readable_length(dek: list[str], body: list[str]) -> None:
    candidate = article(1, TITLE, summary="\n".join(dek), text="\n\n".join(body))
    blurb = summarise(candidate)
    source = clean(candidate.summary) + " " + clean(candidate.text)
    assert len(blurb) <= LONGEST
    assert all(piece in source for piece in blurb.split(". "))
    assert "Share" not in blurb
    assert "Tags" not in blurb


@pytest.mark.parametrize("unit", ["a. ", "word ", "The post ", "\n", " ", "[", "Read more ", "。"])
def test_a_megabyte_of_nothing_is_survived(unit: str) -> None:
    big = unit * (1_000_000 // len(unit))
    assert len(summarise(article(1, TITLE, summary=big, text=big))) <= LONGEST
