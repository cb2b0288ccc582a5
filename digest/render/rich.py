"""Markdown that editors write, as safe, well-formed XHTML for the mail and as plain text for its twin."""

import re

import nh3
from lxml import etree, html
from markdown_it import MarkdownIt

from digest.render.clean import clean_text, href

ALLOWED = {"p", "br", "em", "strong", "a", "ul", "ol", "li", "blockquote", "code", "h3", "h4", "hr", "s"}
# Headings of a letter start below the block's own h2.
HEADINGS = {"h1": "h3", "h2": "h3", "h5": "h4", "h6": "h4"}

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "typographer": True}).enable(["replacements", "smartquotes"])
_CLEANER = nh3.Cleaner(tags=ALLOWED, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}, link_rel=None)


def _tree(markdown: str) -> html.HtmlElement:
    # Cleaned again behind it: entities may stand for what no text may hold.
    rough = clean_text(_MARKDOWN.render(clean_text(markdown)))
    rough = re.sub(r"(</?)(h[1256])>", lambda match: f"{match[1]}{HEADINGS[match[2]]}>", rough)
    tree = html.fragment_fromstring(_CLEANER.clean(rough), create_parent="div")
    _close_heading_gaps(tree)
    for link in list(tree.iter("a")):
        target = href(link.get("href", ""))
        if target:
            link.set("href", target)
        else:
            link.drop_tag()
    return tree


def _close_heading_gaps(tree: html.HtmlElement) -> None:
    """The first heading is an h3, whatever the author began with: no level is skipped."""
    seen = False
    for element in tree.iter("h3", "h4"):
        if not seen:
            element.tag = "h3"
        seen = True


def markdown_html(markdown: str) -> str:
    """Sanitised, well-formed XHTML of the Markdown: paragraphs, lists, quotations, emphasis, links, h3 and h4."""
    tree = _tree(markdown)
    parts = [etree.tostring(child, method="xml", encoding="unicode", with_tail=False) for child in tree]
    # mrml drops a line end between two elements, also between two words.
    return "".join(parts).replace("\n", " ")


def markdown_text(markdown: str) -> str:
    """The same for the text part: blocks separated by blank lines, link targets in angle brackets behind their text."""
    blocks = []
    for element in _tree(markdown):
        if element.tag in ("ul", "ol"):
            for number, item in enumerate(element.iter("li"), 1):
                blocks.append((f"{number}. " if element.tag == "ol" else "* ") + _flat(item))
        elif element.tag == "hr":
            blocks.append("* * *")
        elif element.tag == "blockquote":
            blocks.append("> " + _flat(element))
        else:
            blocks.append(_flat(element))
    return "\n\n".join(block for block in blocks if block)


def _flat(element: html.HtmlElement) -> str:
    parts = [element.text or ""]
    for child in element:
        inner = _flat(child)
        target = child.get("href", "") if child.tag == "a" else ""
        parts.append(f"{inner} <{target}>" if target and target != inner else inner)
        if child.tag in ("br", "p"):
            parts.append(" ")
        parts.append(child.tail or "")
    return " ".join("".join(parts).split())
