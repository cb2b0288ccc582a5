"""The words of many texts in one pass.

Python's own string functions take a hundredth of a microsecond for each call and next to nothing for each character, so
what is done to thirty texts joined takes hardly longer than what is done to one. Only what needs no thought is
done here. A text in which anything does is marked, and goes through :mod:`digest.feeds.clean` by itself: the
words are the same either way (a test holds that).
"""

import re
from collections.abc import Callable, Iterator, Sequence

from digest.feeds.clean import MARKS, MAX_MARKUP, character, one_line, plain_text

_AT_ONCE = 100_000
"""Characters that are joined: more brings nothing, and would take memory for all of a large feed at once."""

# Controls, which no text from XML holds (1.0, 2.2), stand for what has been found. All is done in UTF-8: most texts are
# mostly ASCII, and one letter beyond would make wide strings of all pieces.
_LINE, _PARAGRAPH, _NEXT, _ODD, _CAPTION, _CAPTION_ENDS = (bytes([code]) for code in range(1, 7))
_ASIDE = re.compile(rb"\x05[^\x03\x05\x06]*\x06")
_RESERVED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_UNMARKED = bytes((3, *range(0x20, 0x7F)))
_ALL_BUT_BRACKETS = bytes(code for code in range(256) if code not in b"<>\x03")
_BREAKS = re.compile(rb"\n{3,}")
# Not known to be printable and in Unicode's composed form wherever they stand.
DOUBTFUL = re.compile(
    "[^\n\r\t\xa1-\xac\xae-\u02ff\u0391-\u03a1\u03a3-\u03a9\u03ac-\u03ce\u0400-\u0482\u048a-\u052f\u05d0-\u05ea"
    "\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2116\u2122\u2190-\u21ff\u2500-\u25ff\u3001-\u3029\u3041-\u3096\u30a1-\u30fa"
    "\u30fc-\u30fe\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e\U0001f300-\U0001f64f]"
)

_TAGS = {name.encode(): mark.encode() for name, mark in MARKS.items()}
_TAGS |= {name + b" /": mark for name, mark in _TAGS.items() if name.isalnum()}
_WITH_MORE = {**_TAGS, b"figcaption": _CAPTION}
_TAGS = {**_WITH_MORE, b"/figcaption": _CAPTION_ENDS}


def plain_texts(htmls: Sequence[str]) -> list[str]:
    """:func:`digest.feeds.clean.plain_text` of each."""
    return _in_columns(htmls, plain_text, _words)


def one_lines(texts: Sequence[str]) -> list[str]:
    """:func:`digest.feeds.clean.one_line` of each."""
    return _in_columns(texts, one_line, _lines)


def _in_columns(
    texts: Sequence[str], alone: Callable[[str], str], together: Callable[[list[str]], list[str | None]]
) -> list[str]:
    found: list[str] = []
    for some in _batches(texts):
        words = together(some) if len(some[0]) < MAX_MARKUP else [None]
        found += [alone(text) if each is None else each for text, each in zip(some, words, strict=True)]
    return found


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    if texts and sum(map(len, texts)) < _AT_ONCE:
        yield list(texts)
        return
    some: list[str] = []
    size = 0
    for text in texts:
        if some and size + len(text) > _AT_ONCE:
            yield some
            some, size = [], 0
        some.append(text)
        size += len(text)
    if some:
        yield some


def _column(texts: Sequence[str]) -> bytes | None:
    """Texts joined, with spaces for all white space and marks for odd letters; None if one holds marks already."""
    try:
        column = _NEXT.join([text.encode() for text in texts])
    except UnicodeEncodeError:
        return None
    if column.count(_NEXT) != len(texts) - 1:
        return None
    if rest := column.translate(None, _UNMARKED):
        letters = rest.decode()
        if _RESERVED.search(letters):
            return None
        for space in (b"\n", b"\r", b"\t"):
            if space in rest:
                column = column.replace(space, b" ")
        for letter in set(DOUBTFUL.findall(letters)):
            column = (b" " if letter.isspace() else _ODD).join(column.split(letter.encode()))  # faster than replace
    return column


def _lines(texts: list[str]) -> list[str | None]:
    column = _column(texts)
    if column is None:
        return [None] * len(texts)
    return [None if _ODD in line else _squeezed(line.strip(b" ")).decode() for line in column.split(_NEXT)]


def _squeezed(text: bytes) -> bytes:
    pieces = text.split(b"  ")  # one look where ``replace`` takes two, and a third to know whether it is worth while
    while len(pieces) > 1:
        text = b" ".join(pieces)
        pieces = text.split(b"  ")
    return text


def _words(htmls: list[str]) -> list[str | None]:
    column = _column(htmls)
    if column is None:
        return [None] * len(htmls)
    if b"<" in column or b">" in column:
        brackets = column.translate(None, _ALL_BUT_BRACKETS)
        if brackets.replace(_NEXT, b"") != b"<>" * (len(brackets) - len(htmls) + 1 >> 1) or b"<\x03" in brackets:
            return _words_without_stray_brackets(htmls, brackets)
        column = _without_tags(column)
    if b"&" in column:
        column = _without_entities(column)
    if _LINE in column:
        column = b"\n".join([line.strip(b" ") for line in column.split(_LINE)])
    return [None if _ODD in text else _paragraphs(text).decode() for text in column.split(_NEXT)]


def _words_without_stray_brackets(htmls: list[str], brackets: bytes) -> list[str | None]:
    """The words of those in which every bracket has its other half."""
    whole = [each == b"<>" * (len(each) >> 1) for each in brackets.split(_NEXT)]
    some = [html for html, is_whole in zip(htmls, whole, strict=True) if is_whole]
    found = iter(_words(some) if some else ())
    return [next(found) if is_whole else None for is_whole in whole]


def _without_tags(column: bytes) -> bytes:
    pieces = column.replace(b">", b"<").split(b"<")
    pieces[1::2] = map(_Marks(_TAGS).__getitem__, pieces[1::2])
    column = b"".join(pieces)
    if _CAPTION in column or _CAPTION_ENDS in column:
        column = _ASIDE.sub(b"", column).replace(_CAPTION, _ODD).replace(_CAPTION_ENDS, _ODD)
    return column


class _Marks(dict[bytes, bytes]):
    """What tags leave behind: those without attributes are known, others are looked at once."""

    def __missing__(self, tag: bytes) -> bytes:
        name, _, given = tag.partition(b" ")
        # A quote that isn't closed would let the tag go on, behind its ``>``.
        is_plain = not given.count(b'"') & 1 and b"'" not in given and given.strip(b" ") != b""
        self[tag] = mark = _WITH_MORE.get(name, _ODD) if is_plain else _ODD
        return mark


class _Characters(dict[bytes, bytes]):
    """What entities stand for in a column, found once."""

    def __missing__(self, name: bytes) -> bytes:
        try:
            letter = character(name.decode())
        except KeyError:
            return _ODD
        if letter.isspace():
            letter = " "
        elif _RESERVED.search(letter) or (not " " <= letter <= "~" and DOUBTFUL.search(letter)):
            return _ODD
        if len(self) < 1_000:
            self[name] = letter.encode()
        return letter.encode()


_CHARACTERS = _Characters()


def _without_entities(column: bytes) -> bytes:
    first, *parts = column.split(b"&")
    pieces = [first]
    for part in parts:
        name, end, text = part.partition(b";")
        letter = _CHARACTERS[name] if end else _ODD
        pieces.append(letter)
        pieces.append(part if letter is _ODD else text)
    return b"".join(pieces)


def _paragraphs(marked: bytes) -> bytes:
    if _PARAGRAPH in marked:
        text = b"\n\n".join([words for part in marked.split(_PARAGRAPH) if (words := part.strip(b" \n"))])
    else:
        text = marked.strip(b" \n")
    text = _squeezed(text)
    return _BREAKS.sub(b"\n\n", text) if b"\n" in marked and b"\n\n\n" in text else text
