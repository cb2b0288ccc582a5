"""HTML of a mail after MJML: styles inlined once, promises checked, white space and unused classes dropped.

Every ``<style>`` that MJML or the layout wrote is kept as it is (``data-premailer="ignore"``), so ``@media``,
dark rules and ``!important`` survive; the sheet that is inlined is handed to premailer apart and leaves no trace.
"""

import logging
import re

from lxml import etree

from digest.errors import RenderError

DOCTYPE = "<!DOCTYPE html>"
STYLE_LIMIT = 16_000
"""Gmail ignores a style element that is longer than 16 kB."""

_STYLE = re.compile(r"<style(?P<attributes>[^>]*)>(?P<css>.*?)</style>", re.S)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_STYLED = re.compile(r""" style=(["'])(.*?)\1""", re.S)
_CLASS = re.compile(r' class="([^"]*)"')
_FORBIDDEN = re.compile(r"<(?:mj-|script|iframe|object|embed|form|base|link|svg)", re.I)


def inline(html: str, css: str) -> str:
    """The page with ``css`` written into its style attributes and everything else left alone."""
    from premailer import Premailer  # here, as most processes never render anything

    tree = etree.fromstring(html, etree.HTMLParser()).getroottree()
    for style in tree.iter("style"):
        style.set("data-premailer", "ignore")
    for table in tree.iter("table"):
        # mrml drops the role of mj-table; a table with header cells is data and keeps its meaning.
        if table.get("role") is None and table.find("./thead") is None:
            table.set("role", "presentation")
    if tree.getroot().get("dir") == "rtl":
        # mrml aligns every column to the left whatever the direction.
        for column in tree.iter("div"):
            if "mj-outlook-group-fix" in column.get("class", ""):
                column.set("style", column.get("style", "").replace("text-align:left", "text-align:right"))
    try:
        Premailer(
            tree.getroot(),
            css_text=css,
            keep_style_tags=False,
            strip_important=False,
            include_star_selectors=False,
            disable_basic_attributes=["width", "height", "bgcolor", "align", "valign"],
            disable_validation=True,
            allow_network=False,
            align_floating_images=False,
            cssutils_logging_level=logging.CRITICAL,
        ).transform()
    except (etree.Error, ValueError, AssertionError) as error:
        raise RenderError(f"styles could not be written into the mail: {error}") from error
    _veil_brackets(tree)
    page: str = etree.tostring(tree, method="html", encoding="unicode", doctype=DOCTYPE)
    return page.replace(_LESS, "&lt;").replace(_MORE, "&gt;")


# Two code points that no text has: they are no characters, and ``clean`` takes them out.
_LESS, _MORE = "\ufdd0", "\ufdd1"


def _veil_brackets(tree: etree._ElementTree) -> None:
    """HTML may be written with bare ``<`` in attributes, and lxml does: an alt text would read like a comment's end."""
    for element in tree.iter(etree.Element):
        for name, value in element.attrib.items():
            if "<" in value or ">" in value:
                element.set(name, value.replace("<", _LESS).replace(">", _MORE))


def lean(html: str) -> str:
    """The page with each section of a single column as one table: its inner frames do nothing, and weigh 700 bytes.

    What mrml writes around such a column (a ghost table for Outlook, a ``div``, a table) is there for columns that
    stand side by side. A section with several columns is left as it is.
    """
    return _COLUMN.sub(lambda column: _STACKED.sub("", column["tables"]), html)


_COLUMN = re.compile(
    r"<!--\[if mso \| IE\]><table [^>]*><tr><!\[endif\]-->\s*"
    r'<!--\[if mso \| IE\]><td style="vertical-align:top;width:\d+px;?"><!\[endif\]-->\s*'
    r'<div class="mj-outlook-group-fix mj-column-per-100"[^>]*>\s*<table [^>]*>\s*<tbody>\s*'
    r'<tr>\s*<td align="(?:left|right)" style="font-size:0px;padding:0;word-break:break-word;?">'
    r"(?P<tables>(?:(?!<!--\[if ).)*?)</td>\s*</tr>\s*</tbody>\s*</table>\s*</div>\s*"
    r"<!--\[if mso \| IE\]></td><!\[endif\]-->\s*<!--\[if mso \| IE\]></tr></table><!\[endif\]-->",
    re.S,
)
_STACKED = re.compile(
    r'</td>\s*</tr>\s*<tr>\s*<td align="(?:left|right)" style="font-size:0px;padding:0;word-break:break-word;?">'
)


def checked(html: str) -> str:
    """The page, if what mail clients rely on has survived.

    Raises:
        RenderError: names what is missing or must not be there.
    """
    if not html.startswith(DOCTYPE):
        raise RenderError("the mail lost its doctype: browsers would draw it in quirks mode")
    head = html.partition("</head>")[0]
    for promise in (
        "@media (prefers-color-scheme:dark)",
        "@media only screen and (min-width:",
        "[data-ogsc]",
        "!important",
    ):
        if promise not in head:
            raise RenderError(f"the mail lost its rules for {promise}")
    opened, closed = html.count("<!--[if"), html.count("<![endif]-->")
    if "<!--[if mso" not in html or opened != closed:
        raise RenderError(f"the conditional comments for Outlook do not pair up: {opened} opened, {closed} closed")
    stray = _FORBIDDEN.search(_COMMENT.sub("", html))
    if stray:
        raise RenderError(f"{stray[0]}…> stands in the finished mail: a template or a text of this issue wrote it")
    for style in _STYLE.finditer(html):
        if len(style["css"].encode()) > STYLE_LIMIT:
            raise RenderError(f"a style element is longer than {STYLE_LIMIT} bytes: Gmail would drop it")
    return html


def minified(html: str) -> str:
    """The page without white space that nobody sees and without classes that no kept rule names."""
    kept = set(re.findall(r"\.([a-zA-Z][\w-]*)", " ".join(match["css"] for match in _STYLE.finditer(html))))

    def classes(match: "re.Match[str]") -> str:
        names = [name for name in match[1].split() if name in kept]
        return f' class="{" ".join(names)}"' if names else ""

    html = _CLASS.sub(classes, html)
    html = _STYLE.sub(lambda match: f"<style{match['attributes']}>{_tight_css(match['css'])}</style>", html)
    html = _STYLED.sub(lambda match: f" style={match[1]}{_tight_style(match[2])}{match[1]}", html)
    html = re.sub(r"[ \t\r\n\f]+", " ", html)  # and no other space: a no-break one is there on purpose
    # Between tags of tables and blocks white space means nothing.
    blocks = r"/?(?:html|head|body|meta|title|style|table|tbody|tr|td|th|div|p|h[1-4]|ul|ol|li|blockquote|hr)\b[^>]*"
    html = re.sub(rf"(<{blocks}>) (?=<)", r"\1", html)
    html = re.sub(rf" (<{blocks}>)", r"\1", html)
    html = re.sub(rf"(<{blocks}>) ", r"\1", html)
    return html.replace(DOCTYPE, "<!doctype html>", 1)


def _tight_style(style: str) -> str:
    """A style attribute without the blanks that premailer writes, and without declarations that say nothing."""
    style = re.sub(r"\s*([;:,])\s+", r"\1", style.strip()).removesuffix(";")
    return _EMPTY_WORDS.sub("", f"{style};").removesuffix(";")


# What mrml writes on every frame although it is the default there.
_EMPTY_WORDS = re.compile(r"(?<![\w-])(?:table-layout:auto|border:none|margin:0px auto(?=;max-width:none));")


def _tight_css(css: str) -> str:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r"\s*([{};,])\s*", r"\1", css).replace(";}", "}").strip()
