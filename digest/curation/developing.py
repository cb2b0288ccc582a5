"""What is new in a developing story: the sentences that earlier articles did not have."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from digest.curation.furniture import paragraphs, without_trailer
from digest.curation.text import clean, is_whole, sentences, terms
from digest.domain.content import Candidate, Story

TOLD = 0.6
"""Share of a sentence's terms that one earlier sentence has, from which it was told already."""

LEAST_TERMS = 4
"""A sentence with fewer terms says nothing that would be missed."""

READ = 20_000
"""Characters of an article that are read."""


def developments(story: Story, since: datetime, *, most: int = 3) -> tuple[str, ...]:
    """Whole sentences of the articles published at or after ``since`` that no earlier article of the story had.

    Copies say nothing new. The sentences come in the order of their articles, and none repeats another.
    """
    articles = sorted(story.articles, key=lambda article: (article.published_at, article.id))
    told = [
        frozenset(terms(line))
        for article in articles
        if article.published_at < since
        for line in (article.title, *_told_by(article))
    ]
    found: list[str] = []
    for article in articles:
        if article.published_at < since or article.id in story.copies:
            continue
        for sentence in _told_by(article):
            if len(found) == most:
                return tuple(found)
            said = frozenset(terms(sentence))
            if is_whole(sentence) and len(said) >= LEAST_TERMS and not _was_told(said, told):
                found.append(clean(sentence))
                told.append(said)
    return tuple(found)


def _told_by(article: Candidate) -> Iterator[str]:
    """The sentences of an article's own text."""
    for line in paragraphs(without_trailer((article.text or article.summary)[:READ])):
        yield from sentences(line)


def _was_told(said: frozenset[str], told: Sequence[frozenset[str]]) -> bool:
    return any(len(said & earlier) >= TOLD * len(said) for earlier in told)
