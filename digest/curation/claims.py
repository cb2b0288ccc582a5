"""Is a summary borne out by the text that it summarises? Asked of every sentence that a language model wrote.

A sentence stands if one passage of the text, a sentence or two that stand together, says what it says: its figures and
names all stand there, in the same order, figures among the same words, nearly all of its other words do, and neither
says "not" without the other.
Whatever cannot be shown to be borne out is not: a true sentence refused costs nothing, as the extractive summary takes
its place; a false one accepted costs the reader's trust. What it cannot see is a sentence that says something false in
the passage's own words and order.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from digest.curation.furniture import is_furniture, paragraphs
from digest.curation.summarise import LONGEST, SHORTEST
from digest.curation.text import STOPWORDS, clean, is_whole, sentences, stem, words

BORNE_OUT = 0.8
"""Share of a sentence's words (figures and names aside: of those, all) that must stand in the passage."""

MOST_SENTENCES = 2

NEAR = 5
"""Words around a figure, one of which must stand around it in the passage as well."""

_NOT = frozenset("not no never none nor neither without cannot nobody nothing refuse deny reject fail".split())  # noqa: SIM905
_UNFIT = re.compile(
    r"https?:|www\.|[<>{}\[\]|*#`_]|\b(?:as an ai|i am|i'm|here is|here's|in summary|this article)\b", re.IGNORECASE
)
_FIGURE = re.compile(r"\d")
_NAME = re.compile(r"[^\W\d_][\w'’.-]*")


def unsupported(blurb: str, title: str, texts: Iterable[str]) -> str:
    """What is wrong with a summary, in words for the log; "" if every sentence of it is borne out.

    Args:
        blurb: the summary.
        title: of the article; counts as a part of the text, and must not merely be repeated.
        texts: what may be said: summary and full text of the article and of its copies.
    """
    line = clean(blurb)
    said = list(sentences(line))
    if not SHORTEST <= len(line) <= LONGEST:
        return f"it has {len(line)} characters, not {SHORTEST} to {LONGEST}"
    if len(said) > MOST_SENTENCES or not all(map(is_whole, said)):
        return "it is not one or two whole sentences"
    if found := _UNFIT.search(line):
        return f"“{found[0]}” is no part of a summary"
    if is_furniture(line) or words(line) == words(title):
        return "it says no more than the title"
    passages = _passages(title, texts)
    return next((why for sentence in said if (why := _doubt(sentence, passages))), "")


def _passages(title: str, texts: Iterable[str]) -> list[list[str]]:
    """The words of every sentence, and of every two in a row; the title stands with each."""
    known = words(title)
    found = [known]
    for text in texts:
        spoken = [words(sentence) for line in paragraphs(text) for sentence in sentences(line)]
        found += spoken
        found += [first + second for first, second in pairwise(spoken)]
    return found + [passage + known for passage in found[1:]]


def _doubt(sentence: str, passages: Sequence[list[str]]) -> str:
    """Why no passage bears a sentence out; "" if one does."""
    spoken = words(sentence)
    hard = _hard(sentence, spoken)
    soft = [stem(word) for word in spoken if word not in STOPWORDS and word not in hard]
    best, why = -1.0, "the text says nothing of the kind"
    for passage in passages:
        there = {stem(word) for word in passage}
        share = sum(_stands(word, there) for word in soft) / len(soft) if soft else 1.0
        missing = next((word for word in hard if word not in passage and stem(word) not in there), "")
        if missing:
            doubt = f"“{missing}” does not stand where the text speaks of that"
        elif share < BORNE_OUT:
            doubt = "it says more than the text"
        elif _denies(spoken) != _denies(passage) and not _both_ways(spoken, passage):
            doubt = "it says the opposite of the text, or leaves out a “not”"
        elif not _in_order(hard, passage):
            doubt = "its names and figures stand in another order"
        elif strayed := next(
            (word for word in hard if _FIGURE.search(word) and not _at_home(word, spoken, passage)), ""
        ):
            doubt = f"“{strayed}” belongs to something else"
        else:
            return ""
        if share > best:
            best, why = share, doubt
    return f"{why}: “{sentence}”"


def _hard(sentence: str, spoken: Sequence[str]) -> list[str]:
    """Figures and names: what must stand in the passage as it is. The first word's capital says nothing."""
    capitals = {part for name in _NAME.findall(sentence)[1:] if name[0].isupper() for part in words(name)}
    return [word for word in spoken if _FIGURE.search(word) or (word in capitals and word not in STOPWORDS)]


def _stands(word: str, there: set[str]) -> bool:
    """Whether a word stands in a passage, in this form or in another of the same word."""
    if word in there:
        return True
    if len(word) < 5 or not word.isalpha():
        return False
    beginning = word[: max(4, len(word) - 3)]
    return any(other.startswith(beginning) and abs(len(other) - len(word)) <= 3 for other in there)


def _denies(spoken: Iterable[str]) -> bool:
    return any(stem(word) in _NOT or word.endswith("n't") for word in spoken)


def _both_ways(spoken: Sequence[str], passage: Sequence[str]) -> bool:
    """Whether only the passage denies something, and does so in words that the sentence leaves out altogether."""
    if _denies(spoken):
        return False
    denied = {stem(after) for word, after in pairwise(passage) if stem(word) in _NOT or word.endswith("n't")}
    return not denied & {stem(word) for word in spoken}


def _in_order(hard: Sequence[str], passage: Sequence[str]) -> bool:
    """Whether names and figures come in the order in which some run of the passage has them."""
    rest = iter(passage)
    return all(any(word == other or stem(word) == stem(other) for other in rest) for word in hard)


def _at_home(figure: str, spoken: Sequence[str], passage: Sequence[str]) -> bool:
    """Whether a figure stands among words in the passage among which it stands in the sentence."""

    def around(text: Sequence[str], at: int, reach: int) -> set[str]:
        return {stem(word) for word in text[max(0, at - reach) : at + reach + 1] if word not in STOPWORDS} - {figure}

    near = around(spoken, spoken.index(figure), 2)
    return not near or any(near & around(passage, at, NEAR) for at, word in enumerate(passage) if word == figure)
