"""Article pages: the article alone comes out, and who reported it first is found."""

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.content import Image
from digest.errors import ParseError
from digest.feeds.credits import credit_in, is_credit
from digest.feeds.extract import Page, article_text, extract
from digest.feeds.reporter import original_reporter
from tests.conftest import shared_data
from tests.feeds.layouts import ALT, AUTHOR, CREDIT, DEK, LAYOUTS, PARAGRAPHS, TAGS, TITLE

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
    assert len(paragraphs) == 10  # the dek stands apart
    assert paragraphs[0].startswith("The harbour authority is quietly backing")
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
    assert page.image == Image(
        "https://ledgerline.example/img/harbour.jpg",
        "Cranes over the harbour at dusk",
        "Jon Ek/Stockpool modified by Ledgerline",
    )
    assert page.summary.startswith("Digital tokens are not legal tender there")
    assert original_reporter(page.text, "Ledgerline") == "Reuters"


@pytest.fixture(scope="module")
def reference() -> list[str]:
    """The lines of a real article page as it was copied from the browser, furniture and all."""
    data = shared_data()
    if data is None or not (file := data.parent / "reference" / "article-page.txt").is_file():
        pytest.skip("no reference page: set DIGEST_TEST_DATA")
    return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def bare(lines: list[str]) -> str:
    """The page without any helpful markup."""
    body = "".join(f"<p>{escape(line)}</p>" for line in lines[1:])
    return f"<html><body><h1>{escape(lines[0])}</h1>{body}</body></html>"


def plausible(lines: list[str]) -> str:
    """The page as its site may have made it: utility classes, picture places, cards, a site's head and foot."""
    share, sign_up = lines.index("share"), next(n for n, line in enumerate(lines) if line.startswith("Get the news"))
    title, dek, alt, credit = (escape(line) for line in lines[:4])
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines[share + 1 : sign_up])
    cards = "".join(
        f'<div class="flex gap-4"><img alt="article-image" src="/{n}.jpg"></div>' if line == "article-image"
        else f'<h3 class="text-xl">{escape(line)}</h3>' if len(line) < 20 else f'<div class="w-full"><p>{escape(line)}</p></div>'
        for n, line in enumerate(lines[sign_up + 1 :])
    )  # fmt: skip
    return f"""<!doctype html><html lang="en"><head><title>{title} - News</title><meta property="og:title" content="{title}">
      <meta property="og:description" content="{dek}"><meta property="og:image" content="/i/hk.jpg"></head><body><div id="__next">
      <header class="sticky"><a href="/">Home</a><a href="/news">News</a></header><div class="grid"><div class="col-span-8">
      <h1 class="text-4xl">{title}</h1><p class="text-lg">{dek}</p><div class="relative"><img alt="{alt}" src="/_next/image?url=%2Fi%2Fhk.jpg&w=1080"></div>
      <p class="text-xs">{credit}</p><div class="flex"><button>share</button></div><section>{paragraphs}</section>
      <div class="mt-8"><p>{escape(lines[sign_up])}</p></div>{cards}</div></div><footer>Imprint</footer></div></body></html>"""


@pytest.mark.parametrize("layout", [bare, plausible])
def test_the_reference_page_gives_its_article_and_nothing_else(
    layout: Callable[[list[str]], str], reference: list[str]
) -> None:
    page = extract(layout(reference).encode(), URL)
    start = reference.index("share") + 1
    end = next(n for n, line in enumerate(reference) if line.startswith("Get the news"))
    assert page.text.split("\n\n") == reference[start:end]
    assert (page.title, page.summary) == (reference[0], reference[1])
    assert (page.author, page.tags) == ("", ())  # "by Blockworks /" belongs to another card
    assert original_reporter(page.text, "Blockworks") == "Bloomberg"
    if layout is plausible:
        assert page.image == Image("https://ledgerline.example/i/hk.jpg", "", reference[3])


@pytest.mark.parametrize("name", LAYOUTS)
def test_one_article_comes_out_of_every_layout_whole_and_alone(name: str) -> None:
    page = extract(LAYOUTS[name].encode(), "https://post.example/news/ferries")
    assert page.text.split("\n\n") == list(PARAGRAPHS)
    assert (page.title, page.summary, page.author, page.tags) == (TITLE, DEK, AUTHOR, TAGS)
    assert page.published_at == datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
    assert page.image is not None
    assert "/media/ferry" in page.image.url
    assert page.image.credit.removesuffix(" modified by Northhaven Post") == CREDIT
    # The place of a picture ("article-image") is no alt text.
    assert page.image.alt.rstrip(".") == ("" if name == "utility classes only" else ALT)
    assert original_reporter(page.text, "Northhaven Post") == ""


@pytest.mark.parametrize(
    ("caption", "credit"),
    [
        ("Sean Doe/Shutterstock.com modified by News", "Sean Doe/Shutterstock.com modified by News"),
        ("Photo: Jon Ek", "Jon Ek"),
        ("Cranes at dusk. Photograph: Jon Ek/Reuters", "Jon Ek/Reuters"),
        ("Cranes at dusk (Jon Ek/Getty Images)", "Jon Ek/Getty Images"),
        ("Cranes at dusk | Image via Shutterstock", "Shutterstock"),
        ("Illustration by Ada Brandt", "Ada Brandt"),
        ("Getty Images", "Getty Images"),
        ("© 2026 Harbour Press", "2026 Harbour Press"),
        ("Jon Ek / Quaypix", "Jon Ek / Quaypix"),
        ("Cranes over the harbour at dusk", ""),
        ("Reuters reported that the source was a photo by a sailor.", ""),
        ("", ""),
    ],
)
def test_a_caption_names_whose_picture_it_is(caption: str, credit: str) -> None:
    assert credit_in(caption) == credit


def test_a_sentence_about_pictures_is_no_credit() -> None:
    for line in (
        "The photo was sold to Getty Images for $3 million.",
        "Image matters: what a bank told Reuters",
        "Sources: the state said no.",
    ):
        assert not is_credit(line), line


PARAGRAPH = "<p>The ministry said on Thursday that the pilot will run until the end of the year in four cities.</p>"
HEAVY = {
    "elements": "<article>" + PARAGRAPH * 40_000,
    "links": "<article>" + "<a href='/y'>w</a> " * 150_000,
    "never closed": "<article>" + "<p><b><i>" * 200_000,
    "breaks": "<article>" + "word<br>" * 300_000,
    "nested": "<div>" * 100_000 + "x",
    "tables": "<table><tr><td>" * 20_000,
    "headings": "<h1>t</h1>" + "<h2>Related stories</h2><p>x</p>" * 50_000,
    "a head without end": "<head>" + "<meta property='og:title' content='x'>" * 70_000,
    "one word": "<p>" + "a" * 2_900_000,
    "ampersands": "<p>" + "&" * 2_900_000,
    "pictures": "<h1>t</h1>" + "<figure><img src=/a.jpg><figcaption>x</figcaption></figure>" * 40_000,
    "deep json": "<script type='application/ld+json'>" + "[" * 100_000 + "</script>",
    "class names": "<p class='" + "newsletter " * 200_000 + "'>x",
}


@pytest.mark.parametrize("name", HEAVY)
def test_no_page_takes_long(name: str) -> None:
    begin = time.process_time()
    with contextlib.suppress(ParseError):
        extract(f"<html><body>{HEAVY[name]}".encode(), URL)
    assert time.process_time() - begin < 5


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
