"""What stands around an article on its page: taken out of the tree before reading, and out of the text after it."""

import re
from collections import Counter
from collections.abc import Collection

from lxml import etree

from digest.feeds.clean import one_line
from digest.feeds.credits import is_credit
from digest.feeds.decode import without_controls
from digest.feeds.images import is_file_name

MAX_DECLARED = 500
"""Elements of a page's head that are read."""
MAX_ELEMENTS = 10_000
"""Elements of a page that are read, furniture aside; extraction takes more than its share of time for more."""

# Parts of a page that are never the article, by what their class, id or role calls them.
_FURNITURE = re.compile(
    r"(?:^|[\s_-])(?:newsletters?|sign-?up|subscribe|subscription|related|recommended|recirc\w*|read-?more|more-from"
    r"|share|sharing|social|tags?-?list|tags|topics-list|events?|upcoming-?\w*|promo\w*|sponsor\w*|advert\w*|ads?"
    r"|research|sidebar|comments?|cookie\w*|breadcrumbs?|author-?(?:bio|box|card)|paywall|teasers?|trending|popular"
    r"|most-read|site-?footer|navigation)(?:$|[\s_-])",
    re.IGNORECASE,
)
_ALWAYS = (
    "script",
    "nav",
    "footer",
    "aside",
    "form",
    "noscript",
    "iframe",
    "button",
    "dialog",
    "template",
    "svg",
    "style",
    "video",
    "audio",
    "select",
    "object",
)
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


def remove_furniture(tree: etree._Element) -> None:
    """Take out of the tree what is never the article, and what lies beyond ``MAX_ELEMENTS``."""
    doomed: list[etree._Element] = []
    too_many: list[etree._Element] = []
    count = 0
    walk = etree.iterwalk(tree, events=("start",))
    for _, element in walk:
        tag = element.tag
        if not isinstance(tag, str) or tag in _KEPT:
            continue
        if tag == "head":
            for extra in element[MAX_DECLARED:]:
                element.remove(extra)
            walk.skip_subtree()
            continue
        count += 1
        if count > MAX_ELEMENTS:
            too_many.append(element)
            walk.skip_subtree()
            continue
        named = " ".join(element.get(name) or "" for name in ("class", "id", "role", "data-component"))
        if tag in _ALWAYS or (_FURNITURE.search(named[:500]) and not _holds_article(element)):
            doomed.append(element)
            walk.skip_subtree()
    for element in too_many:
        if (parent := element.getparent()) is not None:
            parent.remove(element)  # and the text behind it
    for element in doomed:
        remove(element)
    for heading in list(tree.iter("h2", "h3", "h4", "h5", "h6")):
        if ends_article("".join(heading.itertext())):
            for element in [heading, *heading.itersiblings()]:
                if element is not heading and (element.tag in _KEPT or _is_most(element)):
                    break
                remove(element)


def open_tables(tree: etree._Element) -> None:
    """Make boxes of the tables in which old pages stand; elsewhere a table is no prose."""
    for table in list(tree.iter("table")):
        if table.find(".//h1") is not None or len(table.findall(".//p")) > 1:
            for each in [table, *table.iterdescendants("thead", "tbody", "tfoot", "tr", "td", "th")]:
                each.tag = "div"


def remove(element: etree._Element) -> None:
    """Take an element out of the tree, but not the text behind it."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    # What a parser lets in by a reference (&#1;) it doesn't let in again.
    tail = without_controls(element.tail or "")
    if tail and before is not None:
        before.tail = without_controls(before.tail or "") + tail
    elif tail:
        parent.text = without_controls(parent.text or "") + tail
    parent.remove(element)


def article_text(text: str, title: str = "", captions: Collection[str] = ()) -> str:
    """``text``, one paragraph a line, without what is no article: sign-ups, tags, events, cards, file names, captions.

    The paragraphs come back separated by blank lines.
    """
    return "\n\n".join(split_text(text, title, captions)[1])


def split_text(text: str, title: str = "", captions: Collection[str] = ()) -> tuple[str, list[str]]:
    """Dek and paragraphs of a text, one paragraph a line, cleaned as :func:`article_text` does.

    The dek is the one line that stands before the place of the leading picture ("article-image", a credit); "" if no
    picture's place is seen.
    """
    lines = [line for part in text.split("\n") if (line := one_line(part))]
    repeated = {line for line, count in Counter(lines).items() if count > 1}
    dek = ""
    paragraphs: list[str] = []
    for line in lines:
        if ends_article(line) and len(paragraphs) > 1:
            break
        if line == title:
            continue
        placeholder = is_file_name(line) or line in captions or is_credit(line)
        if placeholder and len(paragraphs) == 1 and len(paragraphs[0]) <= 300 and not dek:
            dek = paragraphs.pop()
        # A text that a page prints twice belongs to the page.
        if not (line in repeated or placeholder or _LONE.fullmatch(line) or ends_article(line)):
            paragraphs.append(line)
    return dek, paragraphs


def ends_article(line: str) -> bool:
    """Whether a heading says that what follows belongs to the page, not to the article."""
    return len(line) < 300 and bool(_END.fullmatch(one_line(line).rstrip(" .…:")))


def _holds_article(element: etree._Element) -> bool:
    return element.find(".//article") is not None or _is_most(element)


def _is_most(element: etree._Element) -> bool:
    """Whether an element holds the page's only heading: then its name misleads, it is the article."""
    return element.find(".//h1") is not None
