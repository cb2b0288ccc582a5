import pytest

from digest.curation.furniture import is_furniture, paragraphs, without_trailer

BODY = "The governor said that the rate would stay where it is until the harvest figures are known."


@pytest.mark.parametrize(
    "line",
    ["share", "article-image", "Template (1).jpg", "by Blockworks /", "Sean Pavone/Shutterstock.com modified by Blockworks",
     "Get the news in your inbox. Explore Blockworks newsletters:", "Subscribe to our newsletter", "Advertisement", "© 2026 Daily"],
)  # fmt: skip
def test_furniture_is_known_by_its_wording(line: str) -> None:
    assert is_furniture(line)
    assert paragraphs(f"{BODY}\n\n{line}\n\n{BODY}") == [BODY, BODY]


@pytest.mark.parametrize(
    "line", [BODY, "Shares fell.", "Tags were printed on every coin.", "By noon the price had halved again, said he."]
)
def test_news_is_no_furniture(line: str) -> None:
    assert not is_furniture(line)


@pytest.mark.parametrize(
    "heading",
    ["Tags", "Upcoming Events", "recent research", "Related stories", "You may also like", "More from Markets"],
)
def test_nothing_behind_the_article_counts(heading: str) -> None:
    assert paragraphs(f"{BODY}\n{heading}\nZcash and stablecoins") == [BODY]


def test_a_heading_before_the_first_paragraph_ends_nothing() -> None:
    assert paragraphs(f"Topics\n{BODY}") == [BODY]


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("It fell. The post It fell appeared first on X.", "It fell."),
        ("It fell. [Read more]", "It fell."),
        ("It fell […]", "It fell"),
        ("", ""),
    ],
)
def test_trailers_of_feeds_are_taken_off(summary: str, expected: str) -> None:
    assert without_trailer(summary) == expected
