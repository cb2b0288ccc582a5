"""Article pages to text by trafilatura, without the furniture that stands around an article.

::

    tree     = the page
    about    = what it declares of itself                 # declared: JSON-LD, Open Graph …
    tree    -= sign-ups, events, related stories …        # furniture
    top      = its dek and leading picture                # hero
    text     = trafilatura(tree), line by line            # furniture, once more
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import trafilatura
from lxml import etree

from digest.domain.content import Image
from digest.errors import ParseError
from digest.feeds.clean import clipped, one_line
from digest.feeds.credits import credit_in, is_credit
from digest.feeds.declared import byline, declared
from digest.feeds.decode import decode
from digest.feeds.furniture import article_text, open_tables, remove_furniture, split_text
from digest.feeds.hero import top

__all__ = ["Page", "article_text", "extract"]

MAX_PAGE = 3_000_000
"""Characters of a page that are read."""
MAX_TEXT = 200_000
"""Characters of an article that are kept."""


@dataclass(frozen=True, slots=True)
class Page:
    """An article page.

    Attributes:
        title: the headline.
        text: the article alone: paragraphs separated by blank lines; "" if none was found.
        author: byline, several joined by ", ".
        image: the picture that stands for the article, with alt text and credit where the page gives them.
        published_at: aware UTC; None if the page does not say.
        summary: the dek, or else the page's own description; one line.
        tags: as the page words them.
    """

    title: str
    text: str
    author: str = ""
    image: Image | None = None
    published_at: datetime | None = None
    summary: str = ""
    tags: tuple[str, ...] = ()


def extract(html: bytes, url: str) -> Page:
    """The article of a page.

    Args:
        html: as fetched, decompressed.
        url: the final URL, against which links resolve.

    Raises:
        ParseError: it is no HTML page, or can't be read.
    """
    text = decode(html[: 4 * MAX_PAGE])[:MAX_PAGE]
    try:
        tree = etree.fromstring(text.encode("utf-8", "replace"), etree.HTMLParser(encoding="utf-8", no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        tree = None
    if tree is None or "<" not in text:
        raise ParseError("the answer is no web page")
    about = declared(tree, url)
    remove_furniture(tree)
    open_tables(tree)
    above = top(tree, url, about.pictures)
    found = _article(tree, url) or {}
    title = about.title or one_line(str(found.get("title") or ""))
    dek, paragraphs = split_text(str(found.get("text") or "")[: 2 * MAX_TEXT], title, above.captions)
    picture = above.image
    if picture and not picture.credit and (credit := _stray_credit(str(found.get("text") or ""))):
        picture = replace(picture, credit=credit)
    return Page(
        title=title,
        text=clipped("\n\n".join(paragraphs), MAX_TEXT),
        author=about.author or byline(str(found.get("author") or "").split(";")),
        image=picture,
        published_at=about.published_at,
        summary=above.dek or dek or about.summary,
        tags=about.tags,
    )


def _stray_credit(text: str) -> str:
    """The credit of the leading picture, if it stands among the first lines of the text."""
    return next((credit_in(line) for line in text.split("\n")[:4] if is_credit(line)), "")


def _article(tree: etree._Element, url: str) -> dict[str, Any] | None:
    """What trafilatura takes for the article: text and metadata; None if it finds none."""
    html = etree.tostring(tree, encoding="unicode", method="html")
    try:
        found = trafilatura.bare_extraction(
            html,
            url=url,
            favor_precision=True,
            include_comments=False,
            include_tables=False,
            with_metadata=True,
            # htmldate's wide search guesses; a date that the page does not declare is no date.
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    except Exception as error:  # trafilatura lets through whatever malformed pages cause
        raise ParseError(f"this page can't be read ({type(error).__name__})") from error
    return found if found is None or isinstance(found, dict) else found.as_dict()
