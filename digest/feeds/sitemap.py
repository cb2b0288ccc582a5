"""News sitemaps (https://www.google.com/schemas/sitemap-news/0.9) to entries."""

import re
import zlib
from typing import Any

from lxml import etree

from digest.domain.content import Entry, Image
from digest.errors import ParseError
from digest.feeds import dates
from digest.feeds.clean import absolute_url, one_line
from digest.feeds.decode import decode, xml_document
from digest.feeds.entries import MAX_BYTES, MAX_ENTRIES, ParsedFeed, distinct, guid_of, language_tag, title_of
from digest.feeds.images import image

_REFERENCE = re.compile(r"&#(x?)([0-9a-fA-F]{1,400});?")
_GZIP = b"\x1f\x8b"


def parse_sitemap(body: bytes, content_type: str, url: str) -> ParsedFeed:
    """The entries of a news sitemap, by date, newest first; pages without news in it are left out.

    A sitemap has neither summaries nor authors: ``full_text`` brings them. Files that are packed (``.xml.gz``) are
    unpacked.

    Raises:
        ParseError: it is no news sitemap; says what it is.
    """
    root, document = xml_document(decode(_unpacked(body), content_type).lstrip("\ufeff \t\r\n\0"))
    if root == "html":
        raise ParseError("this is a web page (HTML), not a sitemap")
    if root not in ("urlset", "sitemapindex"):
        raise ParseError(f"this is no sitemap: its root element is {f'<{root}>' if root else 'missing'}")
    tree = xml_tree(document)
    if root == "sitemapindex":
        parts = [address for each in _each(tree, "sitemap") if (address := absolute_url(_word(each, "loc"), url))]
        shown = ", ".join(parts[:5]) or "none"
        raise ParseError(f"this is an index of {len(parts)} sitemaps; use the one with the news: {shown}"[:600])
    items = _each(tree, "url")
    found = [entry for item in items[: 5 * MAX_ENTRIES] if (entry := _entry(item, url))]
    if items and not found:
        raise ParseError("this sitemap lists pages, but no news: it has no <news:news> with a title")
    found.sort(key=lambda entry: entry.published_at.timestamp() if entry.published_at else 0.0, reverse=True)
    names = distinct(_word(each, "name") for item in items[:1] for each in _each(item, "publication"))
    return ParsedFeed(names[0] if names else "", tuple(found[:MAX_ENTRIES]))


def is_sitemap(body: bytes) -> bool:
    """Whether a document calls itself a sitemap, or an index of them. Never raises."""
    try:
        root, _ = xml_document(decode(_unpacked(body)).lstrip("\ufeff \t\r\n\0"))
    except ParseError:
        return False
    return root in ("urlset", "sitemapindex")


def xml_tree(document: str) -> Any:
    """The tree of a document of :func:`digest.feeds.decode.xml_document`; nothing outside of it is read.

    Raises:
        ParseError: nothing can be made of it.
    """
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        # A reference to what is no character gets past a forgiving parser, and breaks whoever asks for the text.
        tree = etree.fromstring(_REFERENCE.sub(_legal, document).encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ParseError(f"this XML can't be read ({error})"[:300]) from None
    if tree is None:
        raise ParseError("this XML can't be read")
    return tree


def _legal(reference: re.Match[str]) -> str:
    try:
        number = int(reference[2], 16 if reference[1] else 10)
    except ValueError:
        return ""
    is_legal = (
        number in (9, 10, 13) or 0x20 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000
    )
    return reference[0] if is_legal else ""


def _entry(item: Any, base: str) -> Entry | None:
    address = absolute_url(_word(item, "loc"), base)
    news = next(iter(_each(item, "news")), None)
    title = title_of(_word(news, "title")) if news is not None else ""
    if not address or news is None or not title:
        return None
    return Entry(
        guid=guid_of(address),
        url=address,
        title=title,
        published_at=dates.of_text(_word(news, "publication_date")),
        updated_at=dates.of_text(_word(item, "lastmod")),
        tags=distinct(_word(news, "keywords").split(",")),
        image=_picture(item, address),
        language=language_tag(_word(news, "language")),
    )


def _picture(item: Any, base: str) -> Image | None:
    pictures = (each for each in item.iterchildren("{*}image"))
    found = (image(_word(each, "loc"), base, alt=_word(each, "caption") or _word(each, "title")) for each in pictures)
    return next((picture for picture in found if picture), None)


def _each(element: Any, name: str) -> list[Any]:
    """The descendants of that name, whatever their namespace: sitemaps often get it wrong."""
    return list(element.iter(f"{{*}}{name}"))


def _word(element: Any, name: str) -> str:
    """The text of the first such element, its own children before deeper ones."""
    child = element.find(f"{{*}}{name}")
    if child is None:
        child = element.find(f".//{{*}}{name}")
    return one_line("".join(child.itertext())) if child is not None else ""


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(_GZIP):
        return body
    unpacker = zlib.decompressobj(31)
    try:
        plain = unpacker.decompress(body, MAX_BYTES + 1)
    except zlib.error:
        raise ParseError("its compression is broken, it can't be unpacked") from None
    if len(plain) > MAX_BYTES:
        raise ParseError(f"the sitemap is larger than {MAX_BYTES // 1_000_000} MB")
    return plain
