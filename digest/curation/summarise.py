"""The blurb under a headline: the dek where it is good, else the best one or two sentences of the text.

Extractive: every sentence stands in the source as it stands here. Never cut in mid-sentence, never furniture.
"""

from collections.abc import Sequence

from digest.curation.furniture import is_furniture, paragraphs, without_trailer
from digest.curation.text import STOPWORDS, is_whole, sentences, terms, words
from digest.domain.content import Candidate

SHORTEST, LONGEST = 40, 320
"""Characters of a blurb."""

LONGEST_LINE = 200
"""Characters of a dek without a full stop; a longer one was cut."""

_CONSIDERED = 12
"""Sentences from the start of a text that may become the blurb: news says first what matters."""


def summarise(candidate: Candidate) -> str:
    """One or two whole sentences that say what the article says beyond its title; "" if there are none."""
    said = _sentences(paragraphs(without_trailer(candidate.summary)))
    dek = " ".join(said)
    kept = [sentence for sentence in said if _is_fit(sentence, candidate.title)]
    lines = paragraphs(candidate.text)[:_CONSIDERED]
    if SHORTEST <= len(dek) <= LONGEST and said and said == kept:
        return dek
    if len(said) == 1 and _is_line(dek, lines) and _says_more(dek, candidate.title):
        return dek
    if from_dek := fitting(kept):
        return from_dek
    found = [sentence for sentence in _sentences(lines) if _is_fit(sentence, candidate.title)]
    return _best(found[:_CONSIDERED], candidate.title) or _short_dek(dek, candidate.title)


def _sentences(lines: Sequence[str]) -> list[str]:
    return [sentence for line in lines for sentence in sentences(line)]


def _is_line(dek: str, lines: Sequence[str]) -> bool:
    """Whether a dek without a full stop is a line as editors write them, and not a sentence that was cut off."""
    last = (words(dek) or [""])[-1]
    cut = last in STOPWORDS or any(dek in line and not line.endswith(dek) for line in lines)
    return SHORTEST <= len(dek) <= LONGEST_LINE and not cut and not dek.endswith(("...", "…", ":", ",", "-", "–"))


def _is_fit(sentence: str, title: str) -> bool:
    """Whether a sentence may be shown: whole, and worth showing."""
    return is_whole(sentence) and _says_more(sentence, title)


def _says_more(text: str, title: str) -> bool:
    """Whether a text is no furniture and more than the title over again."""
    said = words(text)
    return bool(said) and said != words(title) and not is_furniture(text)


def fitting(found: Sequence[str]) -> str:
    """The first one or two sentences, if they make a blurb of readable length; else ""."""
    blurb = ""
    for sentence in found[:2]:
        longer = f"{blurb} {sentence}".strip()
        if len(longer) > LONGEST:
            break
        blurb = longer
    return blurb if len(blurb) >= SHORTEST else ""


def _best(found: Sequence[str], title: str) -> str:
    """The sentence that speaks most of what the title speaks of, early ones first, with its successor if it fits."""
    about = set(terms(title))
    ranked = sorted(
        (-len(about & set(terms(sentence))) + 0.5 * position, position)
        for position, sentence in enumerate(found)
        if SHORTEST <= len(sentence) <= LONGEST
    )
    return fitting(found[ranked[0][1] :]) if ranked else ""


def _short_dek(dek: str, title: str) -> str:
    """A very short dek is better than none, as long as it is whole and says something."""
    return dek if len(dek) < SHORTEST and _is_fit(dek, title) else ""
