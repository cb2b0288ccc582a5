"""Bytes to text, whatever their label says, and a first look at what the text is.

Labels lie: a body that is valid UTF-8 is UTF-8, whatever header and XML declaration claim; a body that is
labelled UTF-8 and isn't keeps its valid parts, the rest is read as windows-1252.
"""

import codecs
import html.entities
import re
from email.message import Message

from digest.errors import ParseError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0?\0", "utf-16-le"),
    (b"<\0r\0", "utf-16-le"),
    (b"<\0f\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
    (b"\0<\0r", "utf-16-be"),
    (b"\0<\0f", "utf-16-be"),
)
# What feeds are written in. Python knows codecs that are no character sets, and some that take forever.
_KNOWN = re.compile(r"utf[-_]?(?:8|16|32)|ascii|iso|latin|cp\d|windows|koi8|euc|shift|gb|big5|mac|tis|johab|hz|kz")
_SEVEN_BIT = re.compile(r"iso2022|iso-2022|hz")
_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_DECLARED = re.compile(rb"""^\s*<\?xml\b[^>]{0,200}\bencoding\s*=\s*["']([\w.:-]{1,40})["']""", re.IGNORECASE)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")  # not XML 1.0 Char (2.2)
_CONTROLS = bytes((*range(9), 0x0B, 0x0C, *range(0x0E, 0x20)))
_HTML_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,31});")
_HTML_ENTITY_IN_UTF8 = re.compile(_HTML_ENTITY.pattern.encode())

_NAMED = {
    name[:-1]: text
    for name, text in html.entities.html5.items()
    if name.endswith(";") and not set(text) & set("<>&\"'")
}


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    return wrong.decode("windows-1252", "replace"), error.end


codecs.register_error("digest.windows-1252", _as_windows_1252)


def decode(body: bytes, content_type: str = "") -> str:
    """``body`` as text without a byte order mark. Never raises."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    for start, name in _UNMARKED:
        if body.startswith(start):
            return body.decode(name, "replace")
    if b"\x1b" not in body and (b"~" not in body or b"~{" not in body):  # what marks the encodings that look like ASCII
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    declared = _DECLARED.match(body[:400])
    labels = [label for label in (_charset(content_type), declared[1].decode() if declared else "") if _usable(label)]
    for label in labels:
        if _SEVEN_BIT.match(codecs.lookup(label).name):
            return body.decode(label, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    for label in labels:
        if codecs.lookup(label).name not in ("utf-8", "ascii"):
            try:
                return body.decode(label)
            except UnicodeDecodeError:
                continue
    return body.decode("utf-8", "digest.windows-1252")


def _charset(content_type: str) -> str:
    header = Message()
    header["Content-Type"] = "".join(letter for letter in content_type if letter.isprintable())
    value = header.get_param("charset")
    return value if isinstance(value, str) else ""


def _usable(label: str) -> bool:
    try:
        return bool(label and _KNOWN.match(codecs.lookup(label).name))
    except (LookupError, ValueError):
        return False


# What stands before the root element of a document that needs no thought: declarations and comments, all in ASCII.
_PLAIN_PROLOG = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:(?:<\?xml[^<>?\x80-\xff]*+\?>|<!--(?:[^<>\x80-\xff-]|-(?!-))*+-->)\s*+)*+(?=<[A-Za-z])"
)


def plain_document(body: bytes) -> bytes | None:
    """What :func:`decode` and :func:`xml_document` would make of ``body``, from its root element on, for a hundredth of their time.

    Only an XML parser tells whether it holds: where it finds no well-formed UTF-8 without controls, both must be asked.

    Returns:
        None where more than declarations and comments stand before the root element, or where it isn't plainly UTF-8.
    """
    prolog = _PLAIN_PROLOG.match(body)
    if prolog is None or b"\x1b" in body or (b"~" in body and b"~{" in body):  # see decode
        return None
    return _HTML_ENTITY_IN_UTF8.sub(_in_utf8, body[prolog.end() :])


def _in_utf8(entity: re.Match[bytes]) -> bytes:
    found = _NAMED.get(entity[1].decode())
    return entity[0] if found is None else found.encode()


def xml_document(text: str) -> tuple[str, str]:
    """The name of the root element (lower case, no prefix; "" if there is none), and the document from there on.

    The document is ready for an XML parser that reads UTF-8: what stands before the root element is gone, illegal
    characters are dropped, and named entities of HTML, which XML doesn't know, are written as characters.

    Raises:
        ParseError: the document declares entities of its own (XML 1.0, 4.2).
    """
    text = without_controls(text)
    at = 0
    while (at := text.find("<", at)) != -1:
        if text.startswith("<!--", at):
            at = _behind(text, "-->", at + 4)
        elif text.startswith("<?", at):
            at = _behind(text, "?>", at + 2)
        elif text.startswith("<!", at):
            start, at = at, _end_of_doctype(text, at)
            if re.search(r"<!\s*ENTITY", text[start:at], re.IGNORECASE):
                raise ParseError("it declares XML entities of its own, which can be an attack and are never read")
            if re.match(r"<!doctype\s+html", text[start : start + 40], re.IGNORECASE):
                return "html", ""
        else:
            break
    name = _ROOT.match(text, at) if at != -1 else None
    if name is None:
        return "", ""
    body = _HTML_ENTITY.sub(lambda match: _NAMED.get(match[1], match[0]), text[at:])
    lines = "\n" * text.count("\n", 0, at)  # so that a parser's line numbers stay right
    return name[1].lower(), f'<?xml version="1.0" encoding="utf-8"?>{lines}{body}'


def without_controls(text: str) -> str:
    """``text`` without characters that XML doesn't allow: hardly ever is there one to be found."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return _ILLEGAL.sub("", text)
    clean = len(data.translate(None, _CONTROLS)) == len(data) and "\ufffe" not in text and "\uffff" not in text
    return text if clean else _ILLEGAL.sub("", text)


def _behind(text: str, mark: str, start: int) -> int:
    end = text.find(mark, start)
    return len(text) if end == -1 else end + len(mark)


def _end_of_doctype(text: str, start: int) -> int:
    """Where a declaration ends: at the ``>`` that stands in no quotes, brackets or comments."""
    depth, at = 0, start + 2
    token = re.compile(r"""<!--|<\?|"|'|\[|\]|<|>""")
    while match := token.search(text, at):
        at = match.end()
        match match[0]:
            case "<!--":
                at = _behind(text, "-->", at)
            case "<?":
                at = _behind(text, "?>", at)
            case '"' | "'":
                at = _behind(text, match[0], at)
            case "[" | "<":
                depth += 1
            case "]":
                depth -= 1
            case ">":
                if depth <= 0:
                    return at
                depth -= 1
    return len(text)
