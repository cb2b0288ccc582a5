"""An outlet's feed as RSS 2.0, Atom (RFC 4287) or JSON Feed 1.1. The same articles give the same bytes."""

import html
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from digest.sample.articles import Outlet, SampleArticle

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
MEDIA = "http://search.yahoo.com/mrss/"
WIDTH, HEIGHT = 1200, 675
"""Size in pixels of every picture that the feeds speak of."""

TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}

for prefix, namespace in (("content", CONTENT), ("dc", DC), ("media", MEDIA), ("atom", ATOM)):
    ET.register_namespace(prefix, namespace)


def feed(outlet: Outlet, articles: Sequence[SampleArticle], anchor: datetime, base: str) -> bytes:
    """The outlet's feed with these articles, in the outlet's format.

    Args:
        articles: what has come out so far, newest first.
        base: the server's own URL; pictures and the feed's self link stand there.
    """
    match outlet.format:
        case "rss":
            return _rss(outlet, articles, anchor, base)
        case "atom":
            return _atom(outlet, articles, anchor, base)
        case "json":
            return _json(outlet, articles, anchor, base)


def picture_url(article: SampleArticle, base: str) -> str:
    """Where the server shows the article's picture."""
    return f"{base}/images/{article.slug}.png"


def markup(article: SampleArticle, paragraphs: Sequence[str], base: str) -> str:
    """HTML as outlets write it: the picture with its alternative text and credit, then the paragraphs."""
    figure = ""
    if article.picture:
        figure = (
            f'<figure><img src="{html.escape(picture_url(article, base))}" alt="{html.escape(article.picture.alt)}" '
            f'width="{WIDTH}" height="{HEIGHT}"/><figcaption>{html.escape(article.picture.credit)}</figcaption></figure>\n'
        )
    return figure + "\n".join(f"<p>{html.escape(part, quote=False)}</p>" for part in paragraphs)


def _teaser(article: SampleArticle, base: str) -> str:
    """The summary as HTML, with the picture in front where there is one: only there does it have its words."""
    if article.picture is None:
        return html.escape(article.summary, quote=False)
    picture = html.escape(picture_url(article, base))
    return f'<p><img src="{picture}" alt="{html.escape(article.picture.alt)}"/></p>\n<p>{html.escape(article.summary, quote=False)}</p>'


def _shows_body(outlet: Outlet, article: SampleArticle) -> bool:
    return outlet.content == "full" and bool(article.body)


def _element(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    element.text = text
    return element


def _document(root: ET.Element) -> bytes:
    ET.indent(root)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _media(parent: ET.Element, article: SampleArticle, base: str) -> None:
    if article.picture is None:
        return
    content = _element(
        parent, f"{{{MEDIA}}}content", url=picture_url(article, base), type="image/png", medium="image",
        width=str(WIDTH), height=str(HEIGHT),
    )  # fmt: skip
    _element(content, f"{{{MEDIA}}}credit", article.picture.credit)


def _newest(articles: Sequence[SampleArticle], anchor: datetime) -> datetime:
    return max((article.published_at(anchor) for article in articles), default=anchor)


def _rss(outlet: Outlet, articles: Sequence[SampleArticle], anchor: datetime, base: str) -> bytes:
    root = ET.Element("rss", version="2.0")
    channel = _element(root, "channel")
    _element(channel, "title", outlet.name)
    _element(channel, "link", outlet.site)
    _element(channel, "description", outlet.description)
    _element(channel, "language", "en")
    _element(channel, "lastBuildDate", format_datetime(_newest(articles, anchor)))
    _element(channel, "ttl", "15")
    _element(channel, f"{{{ATOM}}}link", href=f"{base}/{outlet.path}", rel="self", type="application/rss+xml")
    for article in articles:
        item = _element(channel, "item")
        _element(item, "title", article.title)
        _element(item, "link", article.url)
        _element(item, "guid", f"{outlet.key}:{article.slug}", isPermaLink="false")
        _element(item, "pubDate", format_datetime(article.published_at(anchor)))
        _element(item, f"{{{DC}}}creator", article.author)
        for tag in article.tags:
            _element(item, "category", tag)
        _element(item, "description", _teaser(article, base))
        if _shows_body(outlet, article):
            _element(item, f"{{{CONTENT}}}encoded", markup(article, article.body, base))
        _media(item, article, base)
    return _document(root)


def _atom(outlet: Outlet, articles: Sequence[SampleArticle], anchor: datetime, base: str) -> bytes:
    def atom(name: str) -> str:
        return f"{{{ATOM}}}{name}"

    root = ET.Element(atom("feed"), {"{http://www.w3.org/XML/1998/namespace}lang": "en"})
    _element(root, atom("title"), outlet.name)
    _element(root, atom("subtitle"), outlet.description)
    _element(root, atom("id"), f"{outlet.site}/")
    _element(root, atom("updated"), _stamp(_newest(articles, anchor)))
    _element(root, atom("link"), href=outlet.site, rel="alternate", type="text/html")
    _element(root, atom("link"), href=f"{base}/{outlet.path}", rel="self", type="application/atom+xml")
    for article in articles:
        entry = _element(root, atom("entry"))
        _element(entry, atom("title"), article.title)
        _element(entry, atom("id"), article.url)
        _element(entry, atom("link"), href=article.url, rel="alternate", type="text/html")
        _element(entry, atom("published"), _stamp(article.published_at(anchor)))
        _element(entry, atom("updated"), _stamp(article.published_at(anchor)))
        _element(_element(entry, atom("author")), atom("name"), article.author)
        for tag in article.tags:
            _element(entry, atom("category"), term=tag)
        _element(entry, atom("summary"), _teaser(article, base), type="html")
        if _shows_body(outlet, article):
            _element(entry, atom("content"), markup(article, article.body, base), type="html")
        _media(entry, article, base)
    return _document(root)


def _json(outlet: Outlet, articles: Sequence[SampleArticle], anchor: datetime, base: str) -> bytes:
    items = []
    for article in articles:
        item: dict[str, object] = {
            "id": f"{outlet.key}:{article.slug}",
            "url": article.url,
            "title": article.title,
            "summary": article.summary,
            "date_published": _stamp(article.published_at(anchor)),
            "authors": [{"name": article.author}],
            "tags": list(article.tags),
            "language": "en",
        }
        if article.picture or _shows_body(outlet, article):
            paragraphs = article.body if _shows_body(outlet, article) else (article.summary,)
            item["content_html"] = markup(article, paragraphs, base)
        else:
            item["content_text"] = article.summary
        items.append(item)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.name,
        "home_page_url": outlet.site,
        "feed_url": f"{base}/{outlet.path}",
        "description": outlet.description,
        "language": "en",
        "items": items,
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
