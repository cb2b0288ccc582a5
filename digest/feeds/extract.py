"""Article pages to text by trafilatura, without the furniture that stands around an article."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import trafilatura
from lxml import etree

from digest.domain.content import Image
from digest.errors import ParseError
from digest.feeds import dates
from digest.feeds.clean import absolute_url, one_line
from digest.feeds.decode import decode
from digest.feeds.images import image, is_file_name

MAX_PAGE = 5_000_000
"""Characters of a page that are read."""

# Parts of a page that are never the article, by what their class, id or role calls them.
_FURNITURE = re.compile(
    r"(?:^|[\s_-])(?:newsletters?|sign-?up|subscribe|subscription|related|recommended|recirc\w*|read-?more|more-from"
    r"|share|sharing|social|tags?-?list|tags|topics-list|events?|upcoming-?\w*|promo\w*|sponsor\w*|advert\w*|ads?"
    r"|research|sidebar|comments?|cookie\w*|breadcrumbs?|author-?(?:bio|box|card)|paywall|teasers?|trending|popular"
    r"|most-read|site-?footer|navigation)(?:$|[\s_-])",
    re.IGNORECASE,
)
_ALWAYS = ("nav", "footer", "aside", "form", "noscript", "iframe", "button", "dialog", "template")
_KEPT = ("html", "body", "main", "article")

# Lines that end an article: what stands behind such a heading is furniture.
_END = re.compile(
    r"(?:upcoming|our) events?|recent research|related(?: (?:stories|articles|news|posts|reading|content))?"
    r"|(?:read|see) (?:more|also|next)|more from .{1,60}|more (?:stories|news|articles)|recommended(?: (?:for you|reading))?"
    r"|most (?:read|popular)|trending(?: now)?|latest (?:news|stories)|you (?:may|might) also like|about the author"
    r"|get the (?:day'?s )?(?:\w+ )?(?:news|headlines|stories) .{0,80}|(?:sign up|subscribe) (?:for|to) .{1,100}|explore .{1,60} newsletters:?",
    re.IGNORECASE,
)
# Lines that are furniture by themselves, wherever they stand.
_LONE = re.compile(
    r"article-image|share|tags?:?|research|advertisement|sponsored|listen to this article|copy link|print|comments?"
    r"|(?:share (?:this|on) .{1,40})|by .{1,60} ?/|image:? .{1,80}|photo(?: by|:) .{1,80}|loading\W*|follow us.{0,60}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Page:
    """An article page.

    Attributes:
        title: the headline.
        text: the article alone: paragraphs separated by blank lines; "" if none was found.
        author: byline, several joined by ", ".
        image: the picture that the page declares for sharing.
        published_at: aware UTC; None if the page does not say.
    """

    title: str
    text: str
    author: str = ""
    image: Image | None = None
    published_at: datetime | None = None


def extract(html: bytes, url: str) -> Page:
    """The article of a page.

    Args:
        html: as fetched, decompressed.
        url: the final URL, against which links resolve.

    Raises:
        ParseError: it is no HTML page, or can't be read.
    """
    text = decode(html)[:MAX_PAGE]
    try:
        tree = etree.fromstring(text.encode("utf-8", "replace"), etree.HTMLParser(encoding="utf-8", no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        tree = None
    if tree is None or "<" not in text:
        raise ParseError("the answer is no web page")
    meta = _meta(tree)
    published = dates.of_text(meta.get("article:published_time", ""))
    _remove_furniture(tree)
    found = _article(tree, url)
    if found is None:
        return Page(one_line(meta.get("og:title", "")), "", image=_picture(meta, url), published_at=published)
    title = one_line(meta.get("og:title") or str(found.get("title") or ""))
    return Page(
        title=title,
        text=article_text(str(found.get("text") or ""), title),
        author=one_line(str(found.get("author") or "")).replace("; ", ", ")[:300],
        image=_picture(meta, url),
        published_at=published,
    )


def _article(tree: etree._Element, url: str) -> dict[str, Any] | None:
    """What trafilatura takes for the article: text and metadata; None if it finds none."""
    html = etree.tostring(tree, encoding="unicode", method="html")
    try:
        for layout_tables in (False, True):  # old pages stand in tables; elsewhere a table is no prose
            found = trafilatura.bare_extraction(
                html,
                url=url,
                favor_precision=True,
                include_comments=False,
                include_tables=layout_tables,
                with_metadata=True,
                # htmldate's wide search guesses; a date that the page does not declare is no date.
                date_extraction_params={"extensive_search": False, "original_date": True},
            )
            if found is not None:
                return found if isinstance(found, dict) else found.as_dict()
    except Exception as error:  # trafilatura lets through whatever malformed pages cause
        raise ParseError(f"this page can't be read ({type(error).__name__})") from error
    return None


def article_text(text: str, title: str = "") -> str:
    """``text``, one paragraph a line, without what is no article: sign-ups, tags, events, cards, file names.

    The paragraphs come back separated by blank lines.
    """
    lines = [line for part in text.split("\n") if (line := one_line(part))]
    repeated = {line for line, count in Counter(lines).items() if count > 1}
    paragraphs: list[str] = []
    for line in lines:
        if _ends_article(line) and len(paragraphs) > 1:
            break
        # A text that a page prints twice belongs to the page.
        furniture = line in repeated or is_file_name(line) or _LONE.fullmatch(line) or _ends_article(line)
        if not furniture and line != title:
            paragraphs.append(line)
    return "\n\n".join(paragraphs)


def _remove_furniture(tree: etree._Element) -> None:
    doomed = []
    walk = etree.iterwalk(tree, events=("start",))
    for _, element in walk:
        tag = element.tag
        if not isinstance(tag, str) or tag in _KEPT or tag == "head":
            continue
        named = " ".join(element.get(name) or "" for name in ("class", "id", "role", "data-component"))
        if tag in _ALWAYS or (
            _FURNITURE.search(named) and element.find(".//article") is None and not _is_most(element)
        ):
            doomed.append(element)
            walk.skip_subtree()
    for element in doomed:
        _remove(element)
    for heading in list(tree.iter("h2", "h3", "h4", "h5", "h6")):
        if _ends_article("".join(heading.itertext())):
            for element in [heading, *heading.itersiblings()]:
                if element is not heading and (element.tag in _KEPT or _is_most(element)):
                    break
                _remove(element)


def _remove(element: etree._Element) -> None:
    """Take an element out of the tree, but not the text behind it."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _ends_article(line: str) -> bool:
    return bool(_END.fullmatch(one_line(line).rstrip(" .…:")))


def _is_most(element: etree._Element) -> bool:
    """Whether an element holds the page's only heading: then its name misleads, it is the article."""
    return element.find(".//h1") is not None


def _meta(tree: etree._Element) -> dict[str, str]:
    """What the page declares about itself (Open Graph and its kin), by name."""
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = (element.get("property") or element.get("name") or "").lower()
        if name and element.get("content"):
            found.setdefault(name, element.get("content"))
    return found


def _picture(meta: dict[str, str], url: str) -> Image | None:
    source = meta.get("og:image") or meta.get("og:image:url") or meta.get("twitter:image") or ""
    return image(
        absolute_url(source, url),
        url,
        alt=meta.get("og:image:alt") or meta.get("twitter:image:alt") or "",
        width=meta.get("og:image:width"),
        height=meta.get("og:image:height"),
    )
