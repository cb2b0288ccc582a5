"""The top of an article: its dek, and the picture that leads it, with alt text and credit as the page words them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lxml import etree

from digest.domain.content import Image
from digest.feeds.clean import absolute_url, one_line
from digest.feeds.credits import credit_in, is_credit
from digest.feeds.images import image, same_picture

_DEK = re.compile(
    r"(?:^|[\s_-])(?:dek|deck|standfirst|sub-?titles?|sub-?head(?:line|ing)?s?|alternativeHeadline)(?:$|[\s_-])",
    re.IGNORECASE,
)
_CREDIT = re.compile(r"credit|attribution|copyright|photographer|image-source", re.IGNORECASE)
_CAPTION = re.compile(r"caption|credit|attribution", re.IGNORECASE)
_NO_DEK = re.compile(r"(?:by|published|updated|posted|written|share|\d)\b", re.IGNORECASE)
_BLOCKS = ("p", "h2", "h3", "h4", "div", "span")
_TOP = ("article", "main", "body", "html", "section")
_NEAR = 60
"""Elements behind the headline among which the dek and the leading picture are looked for."""
_IMAGES = 60


@dataclass(frozen=True, slots=True)
class Top:
    """What stands on top of an article.

    Attributes:
        dek: the line beneath the headline, "" if there is none; it has been taken out of the tree.
        captions: words that belong to pictures, not to the text.
    """

    dek: str
    image: Image | None
    captions: frozenset[str]


def top(tree: etree._Element, url: str, pictures: Sequence[Image]) -> Top:
    """Read the top of the page, and take the dek out of the tree.

    Args:
        tree: the page without its furniture.
        pictures: what the page declares as its pictures, the first choice first.
    """
    heading = next(tree.iter("h1"), None)
    dek = _dek(tree, heading)
    found, captions = _picture(tree, heading, url, pictures)
    words = one_line("".join(dek.itertext())) if dek is not None else ""
    if dek is not None:
        dek.clear(keep_tail=True)
    return Top(words, found, captions)


def _dek(tree: etree._Element, heading: etree._Element | None) -> etree._Element | None:
    """The element of the line beneath the headline: one that is called so, or the only one before the first picture."""
    for element in tree.iter("p", "h2", "h3", "div", "span"):
        named = f"{element.get('class') or ''} {element.get('itemprop') or ''}"
        if _DEK.search(named) and element.find(".//p") is None and _may_be_dek(element):
            return element
    if heading is None:
        return None
    between: list[etree._Element] = []
    for element in _behind(heading):
        if element.tag in ("img", "figure", "picture"):
            return between[0] if len(between) == 1 and _may_be_dek(between[0]) else None
        if element.tag in _BLOCKS and _own_words(element):
            between.append(element)
    return None


def _may_be_dek(element: etree._Element) -> bool:
    words = one_line("".join(element.itertext()))
    return 20 <= len(words) <= 400 and not _NO_DEK.match(words) and not is_credit(words)


def _own_words(element: etree._Element) -> str:
    """The words of an element that holds no other block."""
    return (
        ""
        if element.find(".//p") is not None or element.find(".//div") is not None
        else one_line("".join(element.itertext()))
    )


def _behind(heading: etree._Element) -> Iterator[etree._Element]:
    """The elements that follow a heading in the document, a few dozen."""
    count = 0
    for element in heading.xpath("following::*"):
        if isinstance(element.tag, str):
            count += 1
            yield element
        if count >= _NEAR:
            return


def _picture(
    tree: etree._Element, heading: etree._Element | None, url: str, pictures: Sequence[Image]
) -> tuple[Image | None, frozenset[str]]:
    shown: list[tuple[etree._Element, Image]] = []
    captions: set[str] = set()
    for element in tree.iter("img"):
        if len(shown) >= _IMAGES:
            break
        source = element.get("src") or ""
        if not source or source.startswith("data:"):
            source = element.get("data-src") or element.get("data-lazy-src") or ""
        found = image(
            absolute_url(source, url),
            url,
            alt=element.get("alt") or "",
            width=element.get("width"),
            height=element.get("height"),
        )
        if found:
            shown.append((element, found))
    captions |= {words for each in tree.iter("figcaption") if (words := one_line("".join(each.itertext())))}
    chosen = pictures[0] if pictures else None
    declared = [pair for pair in shown if any(same_picture(pair[1].url, each.url) for each in pictures)]
    if pair := next(iter(declared), None) or _leading(shown, heading):
        alt, credit, labels = _about(*pair)
        # Of another picture than the declared one the alt text says nothing of that; the credit usually does.
        alt = alt if declared or chosen is None else ""
        return _merged(chosen or pair[1], alt, credit, pictures), frozenset(captions | labels)
    return (_merged(chosen, "", "", pictures) if chosen else None), frozenset(captions)


def _leading(
    shown: Sequence[tuple[etree._Element, Image]], heading: etree._Element | None
) -> tuple[etree._Element, Image] | None:
    """The picture near the headline."""
    near = {id(element) for element in _behind(heading)} if heading is not None else set()
    return next((pair for pair in shown if id(pair[0]) in near), None)


def _merged(chosen: Image, alt: str, credit: str, pictures: Sequence[Image]) -> Image:
    """The chosen picture with all that is said about it: by the page's markup, or where it is declared once more."""
    alts = [chosen.alt, alt, *(each.alt for each in pictures if same_picture(each.url, chosen.url))]
    credits_ = [chosen.credit, credit, *(each.credit for each in pictures)]
    return replace(chosen, alt=next(filter(None, alts), ""), credit=next(filter(None, credits_), ""))


def _about(element: etree._Element, found: Image) -> tuple[str, str, set[str]]:
    """Alt text, credit, and the words that stand for them on the page: in the picture's own box, or just behind it."""
    words: set[str] = set()
    caption, credit = "", one_line(element.get("data-credit") or element.get("data-photographer") or "")
    inside = element
    for _ in range(4):
        above = inside.getparent()
        if above is None or above.tag in _TOP:
            break
        for text, is_named_credit in _labels(above, inside):
            words.add(text)
            credit = credit or credit_in(text) or (text if is_named_credit and len(text) <= 200 else "")
            caption = caption or ("" if is_named_credit else text)
        if words or _line_behind(inside):
            break
        inside = above
    if line := _line_behind(inside):
        words.add(line)
        credit = credit or credit_in(line)
    if caption and credit and credit in caption:
        caption = re.sub(r"[\s(|–—-]*(?:\w+(?: \w+)?(?::| by))?\s*$", "", caption.partition(credit)[0]).strip()
    return found.alt or caption[:300], credit[:200], words


def _labels(box: etree._Element, picture: etree._Element) -> Iterator[tuple[str, bool]]:
    """The captions and credits in a box, and whether each is called a credit."""
    for each in box.iterdescendants():
        if not isinstance(each.tag, str) or each is picture:
            continue
        named = f"{each.get('class') or ''} {each.get('itemprop') or ''}"
        if each.tag in ("figcaption", "cite") or _CAPTION.search(named):
            text = one_line("".join(each.itertext()))
            if 0 < len(text) <= 400:
                yield text, each.tag == "cite" or bool(_CREDIT.search(named))


def _line_behind(element: etree._Element) -> str:
    """The line directly behind an element, if it is a credit and nothing else."""
    behind = one_line(element.tail or "")
    if not behind:
        following = element.getnext()
        behind = (
            one_line("".join(following.itertext())) if following is not None and isinstance(following.tag, str) else ""
        )
    return behind if is_credit(behind) else ""
