"""A web page without a feed, read by an editor's CSS selectors and XPaths."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

from lxml import etree
from lxml.cssselect import CSSSelector

from digest.domain.content import Entry, Image
from digest.domain.source_rules import PageRules, css_and_attribute, is_xpath
from digest.errors import ParseError
from digest.feeds.clean import absolute_url, one_line, plain_text
from digest.feeds.decode import decode
from digest.feeds.entries import MAX_ENTRIES, ParsedFeed, distinct, guid_of, language_tag, summary_of, title_of
from digest.feeds.images import image
from digest.feeds.ruled import moment

MAX_PAGE = 3_000_000
"""Characters of a page that are read."""


def parse_page(body: bytes, content_type: str, url: str, rules: PageRules) -> ParsedFeed:
    """The items that the rules find on a page, in its order, each link once.

    Raises:
        ParseError: the rules find no item, or items without headline or link: the page has changed, or the rules are
            wrong.
    """
    tree = page_tree(decode(body, content_type))
    base = absolute_url(_first(tree, "//base/@href"), url) or url
    items = [element for element in _found(tree, rules, "item") if isinstance(element, etree._Element)]
    if not items:
        raise ParseError(f"the rule item = {rules.item!r} finds nothing on this page: has the page changed?")
    entries: dict[str, Entry] = {}
    texts = _Texts()
    for element in items[:MAX_ENTRIES]:
        entry = _entry(element, base, rules, texts)
        if entry.title and entry.url:
            entries.setdefault(entry.url, entry)
    if not entries:
        lacks = "link" if any(title_of(texts.first(item, rules, "title")) for item in items) else "title"
        rule = getattr(rules, lacks)
        raise ParseError(f"the rule item finds {len(items)} items, but {lacks} = {rule!r} finds nothing in them")
    language = language_tag(_first(tree, "/html/@lang"))
    title = one_line(_first(tree, "//head/title/text()"))
    return ParsedFeed(title, tuple(replace(entry, language=language) for entry in entries.values()))


def page_tree(text: str) -> Any:
    """The tree of a whole page, frame included.

    Raises:
        ParseError: there is nothing in it.
    """
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        tree = etree.fromstring(text[:MAX_PAGE].replace("\0", "").encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        tree = None
    if tree is None:
        raise ParseError("the page is empty")
    return tree


def _entry(element: Any, base: str, rules: PageRules, texts: "_Texts") -> Entry:
    link = absolute_url(_address(element, rules, "link", ("href",), texts), base)
    return Entry(
        guid=guid_of(link),
        url=link,
        title=title_of(texts.first(element, rules, "title")),
        summary=summary_of(texts.first(element, rules, "summary")),
        author=", ".join(distinct(texts.all(element, rules, "author")))[:300],
        published_at=moment(_address(element, rules, "date", ("datetime",), texts), rules.date_format, rules.zone),
        tags=distinct(texts.all(element, rules, "tags")),
        image=_picture(element, base, rules),
    )


def _picture(element: Any, base: str, rules: PageRules) -> Image | None:
    for found in _found(element, rules, "image"):
        if isinstance(found, etree._Element):
            source = found.get("src") or ""
            source = found.get("data-src") or source if not source or source.startswith("data:") else source
            picture = image(
                source, base, alt=found.get("alt") or "", width=found.get("width"), height=found.get("height")
            )
        else:
            picture = image(str(found), base)
        if picture:
            return picture
    return None


def _address(element: Any, rules: PageRules, field: str, attributes: tuple[str, ...], texts: "_Texts") -> str:
    """What a rule finds: the attribute that it names, or else one of ``attributes``, or else the words."""
    for found in _found(element, rules, field):
        if not isinstance(found, etree._Element):
            return str(found)
        return next((value for name in attributes if (value := found.get(name))), None) or texts[found]
    return ""


class _Texts(dict[Any, str]):
    """The words of a page's elements, each looked for once: where items stand inside of items, all of them find the same."""

    def __missing__(self, found: Any) -> str:
        if isinstance(found, etree._Element):
            words = one_line(plain_text(etree.tostring(found, encoding="unicode", with_tail=False)))
        else:
            words = one_line(str(found))
        self[found] = words
        return words

    def all(self, element: Any, rules: PageRules, field: str) -> list[str]:
        """The words of all that a rule finds in an item."""
        return [words for each in _found(element, rules, field) if (words := self[each])]

    def first(self, element: Any, rules: PageRules, field: str) -> str:
        """The first words that a rule finds in an item."""
        return next((words for each in _found(element, rules, field) if (words := self[each])), "")


def _found(element: Any, rules: PageRules, field: str) -> list[Any]:
    """Elements and strings, in the page's order. An item that a rule of its own matches (``a``) counts as well."""
    rule = str(getattr(rules, field))
    if not rule.strip():
        return []
    expression, attribute = _compiled(rule)
    try:
        result = expression(element)
    except etree.XPathError as error:
        raise ParseError(f"the rule {field} = {rule!r} can't be used on this page: {error}"[:300]) from None
    found = result if isinstance(result, list) else [result] if isinstance(result, str) and result.strip() else []
    if attribute:
        found = [value for each in found if isinstance(each, etree._Element) and (value := each.get(attribute))]
    return found


@lru_cache(maxsize=2_000)
def _compiled(rule: str) -> tuple[Any, str]:
    """A rule as something to call with an element, and the attribute to take.

    Raises:
        ParseError: it is neither CSS nor XPath.
    """
    try:
        if is_xpath(rule):
            return etree.XPath(rule.strip(), smart_strings=False), ""
        css, attribute = css_and_attribute(rule)
        # The translator says descendant-or-self: an item that is itself a link is found by the rule "a".
        return CSSSelector(css, translator="html"), attribute
    except (etree.XPathSyntaxError, SyntaxError) as error:
        raise ParseError(f"{rule!r} is neither a CSS selector nor an XPath: {error}"[:300]) from None


def _first(tree: Any, path: str) -> str:
    return str(next(iter(tree.xpath(path)), ""))
