"""Article pages: the article alone comes out, and who reported it first is found."""

from datetime import UTC, datetime
from html import escape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.content import Image
from digest.errors import ParseError
from digest.feeds.extract import Page, article_text, extract
from digest.feeds.reporter import original_reporter
from tests.conftest import shared_data

URL = "https://ledgerline.example/policy/harbour-fees"
PAGE = Path(__file__).parent / "data" / "article-page.html"
FURNITURE = (
    "article-image", "share", "Tags", "Template (1).jpg", "Research", "recent research", "Upcoming Events", "Harbour Money Summit",
    "Quay Street", "May 12", "Get the news", "Weekly, with Ola Berg", "by Ledgerline /", "index for shipping tokens", "coastal bank",
    "network", "All rights reserved", "Subscribe", "Stockpool", "Markets", "secrecy with proof",
)  # fmt: skip


@pytest.fixture(scope="module")
def page() -> Page:
    return extract(PAGE.read_bytes(), URL)


def test_the_whole_article_comes_out(page: Page) -> None:
    paragraphs = page.text.split("\n\n")
    assert paragraphs[-10].startswith("The harbour authority is quietly backing")
    assert paragraphs[-1].endswith("as long as the treasury carries no risk.")
    assert "closes" not in page.text
    assert "hold a licence by June 2027, or close its desks." in page.text


@pytest.mark.parametrize("words", FURNITURE)
def test_page_furniture_never_does(page: Page, words: str) -> None:
    assert words not in page.text


def test_the_page_says_who_wrote_it_when_and_shows_a_picture(page: Page) -> None:
    assert page.title == "Port city weighs a pilot for tokenized harbour fees: report"
    assert page.author == "Mara Lindqvist"
    assert page.published_at == datetime(2026, 3, 10, 13, 5, tzinfo=UTC)
    assert page.image == Image("https://ledgerline.example/img/harbour.jpg", "Cranes over the harbour at dusk")
    assert original_reporter(page.text, "Ledgerline") == "Reuters"


def test_a_real_page_without_any_helpful_markup_keeps_its_article_only() -> None:
    data = shared_data()
    if data is None or not (reference := data.parent / "reference" / "article-page.txt").is_file():
        pytest.skip("no reference page: set DIGEST_TEST_DATA")
    lines = [line for line in reference.read_text(encoding="utf-8").splitlines() if line.strip()]
    body = "".join(f"<p>{escape(line)}</p>" for line in lines[1:])
    text = extract(f"<html><body><h1>{lines[0]}</h1>{body}</body></html>".encode(), URL).text
    for words in (
        "article-image",
        "Javits",
        "Billingsgate",
        "DAS",
        "Gilliam",
        "newsletters",
        "jpg",
        "Zcash",
        "Gnosis",
        "S&P",
        "Grass",
        "Stripe",
    ):
        assert words not in text
    assert "Bloomberg reported Tuesday" in text
    assert "found loopholes in restrictions" in text
    assert original_reporter(text, "Blockworks") == "Bloomberg"


@pytest.mark.parametrize(
    "wrap",
    [
        "<article><h1>T</h1>{}</article>",
        "<main><h1>T</h1><div class='entry-content'>{}</div></main>",
        "<div id='content'><h1>T</h1><div>{}</div></div>",
        "<h1>T</h1>{}",
        "<div class='page'><div class='row'><div class='col'><h1>T</h1><section>{}</section></div></div></div>",
        "<div class='subscribe-layout'><h1>T</h1>{}</div>",
        "<div class='post'><header><h1>T</h1></header><div itemprop='articleBody'>{}</div></div>",
        "<table><tr><td><h1>T</h1>{}</td></tr></table>",
        "<amp-story><article class='amp'><h1>T</h1><div class='article-body'>{}</div></article></amp-story>",
        "<div class='events-news'><article><h1>T</h1>{}</article></div>",
        "<h1>T</h1><div><div><div><div>{}</div></div></div></div>",
    ],
)  # fmt: skip
def test_articles_come_out_of_many_layouts_and_furniture_out_of_none(wrap: str) -> None:
    paragraphs = [
        f"Paragraph {n} tells how the council of the port spent its long day over the paper on fees." for n in "abcd"
    ]
    around = (
        "<nav><a href='/'>Home page</a></nav><div class='newsletter-signup'><p>Join forty thousand readers today.</p></div>",
        "<aside><p>An advert for a bank that nobody needs at all.</p></aside><div class='related-posts'><p>Another story about another port.</p></div>"
        "<h3>You may also like</h3><p>A third story about a canal.</p><footer><p>Imprint and privacy.</p></footer>",
    )
    middle = wrap.format("".join(f"<p>{paragraph}</p>" for paragraph in paragraphs))
    text = extract(f"<html><body>{around[0]}{middle}{around[1]}</body></html>".encode(), URL).text
    assert [paragraph for paragraph in paragraphs if paragraph in text] == paragraphs
    for words in ("forty thousand", "advert", "Another story", "third story", "Imprint", "Home page"):
        assert words not in text


def test_a_text_that_a_page_prints_twice_is_not_the_article() -> None:
    assert article_text("One.\nBlurb.\nTwo.\nBlurb.\nThree.") == "One.\n\nTwo.\n\nThree."


@pytest.mark.parametrize("body", [b"", b"   ", b"\x89PNG\r\n", b"{}"])
def test_what_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        extract(body, URL)


@given(st.binary(max_size=300) | st.text(alphabet="<>/apdiv \"'=&;hm1x\n", max_size=300).map(str.encode))
def test_only_parse_errors_escape_whatever_the_bytes(body: bytes) -> None:
    try:
        page = extract(body, URL)
    except ParseError:
        return
    assert isinstance(page.text, str)


@pytest.mark.parametrize(
    ("text", "outlet"),
    [
        ("Officials met twice, Bloomberg reported Tuesday.", "Bloomberg"),
        ("The fund is closing, according to Reuters.", "Reuters"),
        ("The talks, as first reported by The Block, have ended.", "The Block"),
        ("The talks were first reported by the Harbour Gazette on Monday.", "Harbour Gazette"),
        ("The Wall Street Journal first reported the talks.", "Wall Street Journal"),
        ("He told CNBC that rates will fall.", "CNBC"),
        ("Citing a report by the Financial Times, he left.", "Financial Times"),
        ("Bloomberg reported it; Reuters reported it later.", "Bloomberg"),
        ("Coinbase reported revenue of $1.2 billion.", ""),
        ("According to Coinbase, nothing happened.", ""),
        ("He first reported the bug in May.", ""),
        ("The company first reported losses in 2020.", ""),
        ("bloomberg reported", ""),
        ("", ""),
    ],
)
def test_the_original_reporter_is_the_press_not_a_company(text: str, outlet: str) -> None:
    assert original_reporter(text) == outlet


def test_an_outlet_credits_nobody_by_naming_itself() -> None:
    assert original_reporter("Bloomberg reported it. Reuters reported it too.", "Bloomberg.com") == "Reuters"
