"""Cleaning: markup to plain text, text to what can stand in a mail, URLs to one form per article."""

import re
import threading
import unicodedata
from html import unescape
from html.entities import name2codepoint
from typing import Any
from urllib.parse import SplitResult, quote, unquote_plus, urljoin, urlsplit, urlunsplit

from lxml import etree

MAX_MARKUP = 1_000_000
"""Characters of markup that are read; what stands behind is left out."""

# Begins and ends a paragraph.
_BLOCKS = frozenset(
    "address article aside blockquote center dd details dialog div dl dt fieldset figure footer h1 h2 h3 h4 h5 h6 header"  # noqa: SIM905
    " hr li main nav ol p pre section summary table tbody thead tfoot tr ul".split()
)
_CELLS = ("td", "th")
# Holds no words of the author.
_SILENT = frozenset(
    "audio button canvas embed figcaption form frameset iframe math noscript object script select style svg"  # noqa: SIM905
    " template textarea title video".split()
)

_FRAME = re.compile(r"</?(?:html|head|body)(?=[\s>/])[^>]*>", re.IGNORECASE)

_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 and C1 controls, white space aside
    "\u00ad\u200b\u2060\ufeff"  # soft hyphen, zero-width space, word joiner, byte order mark
    "\u202a-\u202e\u2066-\u2069"  # bidi embeddings, overrides and isolates: they reorder what stands around them
    "\ufff9-\uffff"  # annotations, replacement character, noncharacters
    "\ud800-\udfff"  # lone surrogates
    "\U000e0000-\U000e007f"  # tags
    "]"
)
_CONTROLS = bytes((*range(9), *range(0x0E, 0x20), 0x7F))
_CONTROLS_AND_BREAKS = bytes((*range(0x20), 0x7F))
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_TRAILERS = re.compile(
    r"(?:\s*The post .{1,300}? (?:appeared first|first appeared) on [^?!]{1,120}"
    r"|(?:^|(?<=[.!?…\]\"”]))\s*(?:Continue reading|Read more|Read the (?:full )?(?:story|article))\b[^.\n]{0,120})"
    r"[.…»→\s]*$"
)
_INVITATIONS = ("The post ", "Continue reading", "Read more", "Read the story", "Read the article", "Read the full")
_ELLIPSIS = re.compile(r"\s*(?:\[(?:…|\.{3}|&hellip;)\]|…\s*»)\s*$")


def clean_text(text: str) -> str:
    """``text`` in Unicode's composed form without invisible or disruptive characters.

    Line breaks are ``\\n``; other white space becomes single spaces; lines don't begin or end with a space.
    """
    if _is_one_plain_line(text):
        return _squeezed(text)
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    lines = (line.strip() for line in _SPACES.sub(" ", unicodedata.normalize("NFC", text)).split("\n"))
    return "\n".join(lines).strip()


def one_line(text: str) -> str:
    """``text`` cleaned, on a single line."""
    if (len(text) < 200 and text.isascii() and text.isprintable()) or _is_one_plain_line(text):
        return _squeezed(text) if "  " in text else text.strip(" ")  # no other white space is printable
    return _squeezed(clean_text(text))


def _squeezed(text: str) -> str:
    if "  " not in text and text.isprintable():  # a plain space is the only white space that is printable
        return text.strip(" ")
    return " ".join(text.split())


def _is_one_plain_line(text: str) -> bool:
    """Whether there is nothing to clean but spaces: the usual case, told without a look at every character twice."""
    if text.isascii():
        if len(text) < 200:
            return text.isprintable()
        data = text.encode()  # a third of the time
        return len(data.translate(None, _CONTROLS_AND_BREAKS)) == len(data)
    if not text.isprintable():
        return False
    return "\ufffc" not in text and "\ufffd" not in text and unicodedata.is_normalized("NFC", text)


def plain_text(html: str) -> str:
    """The words of a piece of HTML: paragraphs separated by blank lines, entities decoded once.

    Scripts, styles, forms, captions and embedded things are left out. Never raises, whatever the markup.
    """
    if "<" not in html and "&" not in html:
        return one_line(html[:MAX_MARKUP])
    words = _simple_words(html) if len(html) <= MAX_MARKUP else None
    return words_of(html_tree(html)) if words is None else words


_BALANCED = re.compile(r"""(?:[^"']++|"[^"]*+"|'[^']*+')*+""")
_CAPTION = re.compile(r"<figcaption(?:\s[^<>]*)?>.*?</figcaption>", re.DOTALL)
_ENTITY = re.compile(r"&(?:([a-zA-Z]{2,8}[0-9]{0,2})|#([0-9]{2,6}));")
_COMMON = "&amp; &lt; &gt; &quot; &nbsp; &#38; &#038; &#39; &#039; &#160; &#8211; &#8212; &#8216; &#8217; &#8220; &#8221; &#8230;"
_CHARACTERS = {entity: unescape(entity) for entity in _COMMON.split()}


def _simple_words(html: str) -> str | None:
    """:func:`plain_text` without a tree, several times as fast; None where a browser would have to think."""
    if _LINE in html or _PARAGRAPH in html:
        return None
    parts = html.split("<")
    words = [parts[0]]
    for part in parts[1:]:
        tag, end, text = part.partition(">")
        mark = MARKS.get(tag)
        if mark is None:
            name, *more = tag.split(None, 1) or ("",)
            mark = MARKS.get(name)
            if mark is None or not more or tag[0].isspace() or not _is_whole(tag):
                return _without_captions(html) if name == "figcaption" else None
        if not end:
            return None
        if mark:
            words.append(mark)
        words.append(text)
    marked = "".join(words)
    if "&" in marked:
        ampersands = marked.count("&")
        try:
            marked, entities = _ENTITY.subn(_character, marked)
        except KeyError:
            return None
        if entities != ampersands:
            return None
    return _paragraphs(marked)


def _is_whole(tag: str) -> bool:
    """Whether every quote of a tag is closed, so that the ``>`` behind it stands in none."""
    return not tag.count('"') & 1 if "'" not in tag else bool(_BALANCED.fullmatch(tag))


def _without_captions(html: str) -> str | None:
    shorter = _CAPTION.sub("", html)
    return _simple_words(shorter) if "<figcaption" not in shorter else None


def character(name: str) -> str:
    """What the entity of a name, or of a number behind ``#``, stands for.

    Raises:
        KeyError: browsers would not agree.
    """
    entity = _ENTITY.fullmatch(f"&{name};")
    if entity is None:
        raise KeyError(name)
    return _character(entity)


def _character(entity: re.Match[str]) -> str:
    found = _CHARACTERS.get(entity[0])
    if found is not None:
        return found
    name, number = entity.groups()
    if name:
        return chr(name2codepoint[name])
    if int(number) < 0x20 or 0x80 <= int(number) < 0xA0:
        raise KeyError(number)
    return unescape(entity[0])


def words_of(root: Any) -> str:
    """The words of a tree from :func:`html_tree`, as :func:`plain_text` gives them."""
    if root is None:
        return ""
    pieces = [root.text or ""]
    above: list[Any] = []  # a stack of our own: markup may be nested more deeply than Python calls
    inside, children = root, iter(root)
    while True:
        child = next(children, None)
        if child is not None:
            tag = child.tag
            if tag in _SILENT:
                if child.tail:
                    pieces.append(child.tail)
                continue
            if tag in _BLOCKS:
                pieces.append(_PARAGRAPH)
            elif tag == "br":
                pieces.append(_LINE)
            if child.text:
                pieces.append(child.text)
            above.append((inside, children))
            inside, children = child, iter(child)
            continue
        if not above:
            break
        tag = inside.tag
        if tag in _BLOCKS:
            pieces.append(_PARAGRAPH)
        elif tag in _CELLS:
            pieces.append(" ")
        if inside.tail:
            pieces.append(inside.tail)
        inside, children = above.pop()
    return _paragraphs("".join(pieces))


def _paragraphs(marked: str) -> str:
    paragraphs = [words for part in marked.split(_PARAGRAPH) if (words := part.strip())]
    text = "\n\n".join(paragraphs)
    if text.isascii():  # the usual case, told in one look: no break or control but those that we have just put in
        data = text.encode()
        breaks = 2 * len(paragraphs) - 2 if paragraphs else 0
        if len(data.translate(None, _CONTROLS_AND_BREAKS)) == len(data) - breaks and "  " not in text:
            return text
    elif "  " not in text and _is_one_plain_line("".join(paragraphs)):
        return text
    paragraphs = [words for part in marked.split(_PARAGRAPH) if (words := _lines(part))]
    text = "\n\n".join(paragraphs)
    # What lines break is by now only what we have put in.
    if not _is_one_plain_line("".join(paragraphs).replace("\n", "")):
        text = clean_text(text)
    return re.sub(r"\n{3,}", "\n\n", text) if "\n\n\n" in text else text


# Marks of our own for breaks, told from those in the source: controls that html_tree has taken out of the text.
_LINE, _PARAGRAPH = "\x01", "\x02"
MARKS = dict.fromkeys(
    "a abbr acronym b big cite code del dfn em font i img ins kbd mark picture q s samp small source span strike strong"  # noqa: SIM905
    " sub sup time tt u var wbr".split(),
    "",
)
MARKS |= dict.fromkeys(
    "article aside blockquote center div dl dd dt figure footer h1 h2 h3 h4 h5 h6 header hr li main ol p pre section"  # noqa: SIM905
    " ul".split(),
    _PARAGRAPH,
)
MARKS |= {f"/{name}": mark for name, mark in MARKS.items() if name not in ("hr", "p")}
MARKS |= {"/p": _PARAGRAPH, "br": _LINE}
MARKS |= {f"{name}/": mark for name, mark in MARKS.items()}
"""What the tags that need no thought leave behind. Unclosed, misnested or repeated: the words stay the same."""


def _lines(part: str) -> str:
    if _LINE not in part:
        return _squeezed(part)
    return "\n".join(_squeezed(line) for line in part.split(_LINE)).strip("\n")


_THREAD = threading.local()


def html_tree(html: str) -> Any:
    """The parsed tree of a piece of HTML, None if there is nothing in it. Comments are left out."""
    # A stray </body> in the middle would end the document, and the words behind it.
    data = _visible(html[:MAX_MARKUP])
    if "body" in (low := data.lower()) or "<html" in low or "</html" in low or "head" in low:
        data = _FRAME.sub(" ", data)
    parser = getattr(_THREAD, "parser", None)  # to make one costs more than to read a short text
    if parser is None:
        parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
        _THREAD.parser = parser
    try:
        return etree.fromstring(f"<div>{data}</div>".encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _visible(text: str) -> str:
    """``text`` without invisible characters."""
    if text.isascii():
        data = text.encode()
        return text if len(data.translate(None, _CONTROLS)) == len(data) else _INVISIBLE.sub("", text)
    if "\ufffc" not in text and "\ufffd" not in text and text.replace("\n", " ").replace("\xa0", " ").isprintable():
        return text
    return _INVISIBLE.sub("", text)


def without_trailers(text: str) -> str:
    """A summary without what publishing systems hang on its end ("The post … appeared first on …", "Read more")."""
    head, tail = (text[:-400], text[-400:]) if len(text) > 400 else ("", text)
    if _hints(tail):
        tail = _without_invitation(tail)
    if tail.endswith("[…]"):
        tail = tail[:-16] + tail[-16:-3].rstrip() + "…"
    elif tail.endswith(("]", "»", "] ", "» ")):
        tail = tail[:-16] + _ELLIPSIS.sub("…", tail[-16:])
    return head + tail if head else tail.strip()


def _without_invitation(tail: str) -> str:
    starts = [at for words in _INVITATIONS if (at := tail.find(words)) != -1]
    if not starts:
        return tail
    start = min(starts)
    before = tail[:start].rstrip()
    post, said, where = tail[start:].partition(" appeared first on ")
    # WordPress's own line, for a third of what the pattern takes.
    is_usual = said and post.startswith("The post ") and 9 < len(post) < 300 and 0 < len(where) < 120
    if is_usual and "\n" not in post and "?" not in where and "!" not in where:
        return before
    trailer = _TRAILERS.search(tail, len(before))
    return tail[: trailer.start()] if trailer else tail


def _hints(tail: str) -> bool:
    """Whether a closer look for an invitation is worth while."""
    return " reading" in tail or "Read " in tail or "The post " in tail


def clipped(text: str, length: int) -> str:
    """``text`` cut at a word to at most ``length`` characters, with an ellipsis if anything was cut."""
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;:.–—-") + "…"


# Parameters that say where a reader came from, never what they read.
_TRACKING = re.compile(
    r"(?:utm_|mtm_|pk_|piwik_|matomo_|hsa_|_hs|vero_|oly_|at_(?:medium|campaign|link|custom|format|ptr|bbc))\w*"
    r"|(?:fb|g|dc|y|tw|tt|ir)clid|msclkid|fb_action_(?:ids|types)|fb_source|gad_source|gclsrc"
    r"|wbraid|gbraid|li_fat_id|s_kwcid|_ga|_gl|mc_[ce]id|mkt_tok|igshid|igsh|yclid|ysclid|_openstat|rb_clickid|wickedid"
    r"|cmpid|ncid|ocid|icid|s_cid|ito|cmp|smid|smtyp|sr_share|guccounter|guce_referr\w*|traffic_source"
    r"|trk|trkcampaign|spm|__twitter_impression|ref_src|ref_url",
    re.IGNORECASE,
)
_VAGUE = {"ref", "source", "src", "partner", "feed", "rss", "from", "via", "output"}
_RSS_WORDS = {"rss", "feed", "rss2", "atom", "rss_feed", "rssfeed", "rss-feed", "feedburner", "syndication", "1"}


# Nothing to resolve, and (where it has no query and no capitals in its host) nothing to canonicalise. All letters are
# named, and nothing is taken back: a category (\w) and a way back cost more than half of the time.
_IN_PATH, _IN_QUERY = "A-Za-z0-9_.~!$&'()*+,=:@%", "A-Za-z0-9_.~&+=%/:-"
PLAIN_URL = re.compile(rf"https?://[A-Za-z0-9][A-Za-z0-9.-]*+(?<![.-])(?:/[{_IN_PATH}/-]*+(?:\?[{_IN_QUERY}]++)?+)?+")
_PLAIN_PATH = re.compile(rf"/(?![/.])(?:[{_IN_PATH}-]++|/(?!\.))*+(?:\?[{_IN_QUERY}]++)?+")
# A URL in its one form, with at most parameters that are taken away.
_CANONICAL_URL = re.compile(
    r"(https?://[a-z0-9][a-z0-9.-]*+(?<![.-])/[A-Za-z0-9_.~!$&'()*+,=:@/-]*+)"
    r"(?:\?utm_[A-Za-z0-9_]++=[A-Za-z0-9_.~+%-]*+(?:&utm_[A-Za-z0-9_]++=[A-Za-z0-9_.~+%-]*+)*+)?+"
)


def canonical_url(url: str) -> str:
    """The one form of an article's URL, or "" if it is not an http(s) URL.

    Lower-case scheme and host (IDNA), no default port, no fragment, no tracking parameters, escapes in upper case.
    Path, order of parameters and trailing slash stay: servers do tell them apart. Stable: applied twice it
    changes nothing.
    """
    if match := _CANONICAL_URL.fullmatch(url):
        return match[1]
    try:
        parts = urlsplit(_INVISIBLE.sub("", url).strip())
        host = _host(parts)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    query = "&".join(pair for pair in parts.query.split("&") if pair and not _is_tracking(pair))
    return urlunsplit((parts.scheme, host, _quoted(parts.path) or "/", _quoted(query), ""))


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if re.search(r"[^a-z0-9._:-]", host):
        return ""
    if ":" in host:
        host = f"[{host}]"
    if parts.port not in (None, 80 if parts.scheme == "http" else 443):
        host += f":{parts.port}"
    return host


def _is_tracking(pair: str) -> bool:
    name, _, value = pair.partition("=")
    name = unquote_plus(name).lower()
    return bool(_TRACKING.fullmatch(name)) or (name in _VAGUE and unquote_plus(value).lower() in _RSS_WORDS)


def _quoted(text: str) -> str:
    text = re.sub(r"%[0-9a-fA-F]{2}", lambda match: match[0].upper(), text)
    return quote(text, safe="%/:=&?~+!$,;'@()*[]-._", errors="replace")


def registered_name(url: str) -> str:
    """The last two labels of a URL's host (all of an IP address): whether two belong to one house, roughly."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host if ":" in host or host.replace(".", "").isdecimal() else ".".join(host.split(".")[-2:])


def absolute_url(url: str, base: str) -> str:
    """``url`` seen from ``base``, or "" if that gives no http(s) URL (``javascript:``, ``data:``, nonsense)."""
    if not url:
        return ""
    if PLAIN_URL.fullmatch(url):
        return url
    if url[0] == "/" and _PLAIN_PATH.fullmatch(url) and PLAIN_URL.fullmatch(base):
        end = base.find("/", len("https://"))
        return (base if end == -1 else base[:end]) + url
    url = _INVISIBLE.sub("", url).strip()
    if not url:
        return ""
    try:
        joined = urljoin(base, re.sub(r"\s", "%20", url))
        parts = urlsplit(joined)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or "@" in parts.netloc:
            return ""
    except ValueError:
        return ""
    return joined
