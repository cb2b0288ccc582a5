"""The mail in a real browser: nothing scrolls sideways, nothing is too small, in light and in dark."""

import pytest
from playwright.sync_api import Browser, Route

from digest.render.cut import html_of, whole
from digest.render.message import Head, tokens
from tests.render import documents
from tests.render.test_hostile import DOCUMENT as HOSTILE

pytestmark = pytest.mark.browser

MEASURE = """() => ({
  width: document.documentElement.scrollWidth,
  small: [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType == 3 &&
    n.textContent.trim().length > 1) && e.getClientRects().length && parseFloat(getComputedStyle(e).fontSize) < 14).length,
  paper: getComputedStyle(document.querySelector('.paper')).backgroundColor,
  ink: getComputedStyle(document.querySelector('h1')).color,
})"""


def page_of(document) -> str:
    fragments = documents.renderer().render(document)
    cut = whole(fragments)
    return html_of(fragments, cut, tokens(Head.of(document), fragments, cut, documents.addressee()))


PAGES = {
    "rich": page_of(documents.document()),
    "hostile": page_of(HOSTILE),
    "one story": page_of(documents.framed(documents.lead([documents.story(1)]))),
    "right to left": page_of(documents.document(locale="ar")),
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [320, 680])
def test_nothing_scrolls_sideways_and_nothing_is_too_small(chromium: Browser, name: str, width: int) -> None:
    found = measured(chromium, PAGES[name], width, "light")
    assert found["width"] <= width
    assert found["small"] == 0


@pytest.mark.parametrize(
    ("scheme", "paper", "ink"),
    [("light", "rgb(255, 253, 249)", "rgb(27, 29, 34)"), ("dark", "rgb(20, 22, 26)", "rgb(232, 230, 225)")],
)
def test_paper_and_ink_follow_the_readers_scheme(chromium: Browser, scheme: str, paper: str, ink: str) -> None:
    found = measured(chromium, PAGES["rich"], 680, scheme)
    assert (found["paper"], found["ink"]) == (paper, ink)


def measured(chromium: Browser, html: str, width: int, scheme: str) -> dict:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    try:
        page = context.new_page()

        def answer(route: Route) -> None:
            if route.request.url == "http://mail.invalid/":
                route.fulfill(content_type="text/html; charset=utf-8", body=html)
            else:
                route.abort()

        context.route("**/*", answer)
        page.goto("http://mail.invalid/")
        return page.evaluate(MEASURE)
    finally:
        context.close()
