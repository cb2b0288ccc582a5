"""Text as the other modules of this room see it: words, terms, sentences, titles.

Everything here survives any input: control characters, lone surrogates, text without spaces (Chinese,
Japanese, Thai), right-to-left scripts, a title of one word, none at all.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0670]")
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOKEN = re.compile(
    rf"[{_UNSPACED}]"  # a character of a script without spaces is a word of its own
    r"|\d+(?:[.,]\d+)+"  # 1,200 and 3.5
    rf"|(?:(?![{_UNSPACED}])[^\W_]|[\u0900-\u0dff])+(?:['’](?:(?![{_UNSPACED}])[^\W_])+)*"
)
_ASCII_TOKEN = re.compile(r"\d+(?:[.,]\d+)+|[a-z0-9]+(?:'[a-z0-9]+)*")
_ONE_UNSPACED = re.compile(rf"[{_UNSPACED}]\Z")

_STOPWORDS = """
    a about above after again against all also am an and any are as at be because been before being below between
    both but by can could did do does doing down during each few for from further get gets got had has have having he
    her here hers him his how i if in into is it its itself just like may me might more most must my no nor not now of
    off on once one only or other our out over own said same say says she should so some such than that the their them
    then there these they this those through to too under until up upon us use very via was we were what when where
    which while who whom why will with within without would you your amid among per according report reports reported
    new news today week year day monday tuesday wednesday thursday friday saturday sunday
"""
STOPWORDS = frozenset(_STOPWORDS.split())
"""English words that say nothing about which event a text is on."""


def clean(text: str) -> str:
    """One line of visible text: invisible and control characters become spaces, runs of spaces one."""
    return " ".join(_INVISIBLE.sub(" ", text).split())


def fold(text: str) -> str:
    """Text without case, accents and compatibility forms, for comparison only."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", _INVISIBLE.sub(" ", text)).casefold()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain))


def words(text: str) -> list[str]:
    """The words of a text, folded, in order; characters of scripts without spaces one by one."""
    if text.isascii():
        found: list[str] = _ASCII_TOKEN.findall(text.lower())
        return [token.removesuffix("'s") for token in found] if "'" in text else found
    return [token.replace("’", "'").removesuffix("'s") for token in _TOKEN.findall(fold(text))]


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The word without an English plural ending: ``banks`` → ``bank``, ``currencies`` → ``currency``."""
    if len(word) < 4 or not word.isalpha() or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return word[:-1]


def stems(text: str) -> list[str]:
    """The words of a text without plural endings, in order."""
    return [stem(word) for word in words(text)]


def is_unspaced(word: str) -> bool:
    """Whether a word is one character of a script without spaces."""
    return not word.isascii() and _ONE_UNSPACED.match(word) is not None


def terms(text: str) -> list[str]:
    """What a text is about: stems without stopwords; scripts without spaces give pairs of characters."""
    return terms_of(words(text))


def terms_of(spoken: Sequence[str]) -> list[str]:
    """The same for a text that was already cut into its :func:`words`."""
    found: list[str] = []
    previous = ""
    for word in spoken:
        if is_unspaced(word):
            if previous:
                found.append(previous + word)
            previous = word
            continue
        previous = ""
        if word not in STOPWORDS and (len(word) > 1 or word.isdigit()):
            found.append(stem(word))
    return found


_OUTLET = re.compile(r"\s+[|–—-]\s+[^|–—-]{2,30}$")
_OUTLET_NEAR = re.compile(r"\s[|–—-]\s")


def normal_title(title: str) -> str:
    """The title by which copies are known: folded words, without an outlet's name behind a dash or bar."""
    line = clean(title)
    bare = _OUTLET.sub("", line) if _OUTLET_NEAR.search(line) else line
    return " ".join(words(bare)) or " ".join(words(title))


_ABBREVIATED = (
    "mr mrs ms dr prof sen rep gov gen col sgt st jr sr inc ltd corp co no vs etc approx est dept fig al ft "
    "jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e u.s u.k u.n e.u d.c a.m p.m"
)
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_NEAR = 16
_END = re.compile(r"(?:[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？]+[」』”）]*)")


def sentences(text: str) -> Iterator[str]:
    """The sentences of one paragraph, whole; the last one may lack its full stop (see :func:`is_whole`)."""
    line = clean(text)
    start = 0
    for end in _END.finditer(line):
        before = line[max(start, end.start() - _NEAR) : end.start()].rsplit(" ", 1)[-1].lower().lstrip("\"'“‘(")
        after = line[end.end() : end.end() + 2].lstrip()
        if end.group().startswith(".") and after:
            abbreviated = before in _ABBREVIATIONS or (len(before) == 1 and before.isalpha())
            figure = before[-1:].isdigit() and after[0].isdigit()
            if abbreviated or figure or after[0].islower():
                continue
        if sentence := line[start : end.end()].strip():
            yield sentence
        start = end.end()
    if rest := line[start:].strip():
        yield rest


def is_whole(sentence: str) -> bool:
    """Whether a sentence ends as sentences do: not in mid-air, not with an ellipsis."""
    bare = sentence.rstrip("\"'”’)]」』）")
    return bare.endswith((".", "!", "?", "。", "！", "？")) and not bare.endswith(("..", "…"))
