"""What is new in a window: running stories carry only what their readers have not seen."""

from collections.abc import Iterable
from dataclasses import replace

from digest.curation.developing import developments
from digest.domain.calendar import Window
from digest.domain.content import Story


def fresh(stories: Iterable[Story], window: Window) -> tuple[Story, ...]:
    """The stories that have an article in ``window``.

    A story that an earlier issue carried keeps only its articles of the window: the rest was told.
    The article that leads it is then the earliest of those with the longest text, and its ``news`` are filled in.
    """
    kept = (_fresh(story, window) for story in stories)
    return tuple(story for story in kept if story is not None)


def _fresh(story: Story, window: Window) -> Story | None:
    new = [article for article in story.articles if article.published_at in window]
    if not new:
        return None
    if story.last_sent_at is None:
        return story
    new.sort(
        key=lambda article: (
            article.id in story.copies,
            -len(article.text or article.summary),
            article.published_at,
            article.id,
        )
    )
    lead, *others = new
    others.sort(key=lambda article: (article.published_at, article.id))
    independent = {article.source for article in new if article.id not in story.copies}
    # Of the lead alone: it is what the blurb stands under and what readers open.
    told = tuple(article for article in story.articles if article.published_at < window.start)
    news = developments(replace(story, lead=lead, others=told), window.start)
    return replace(story, lead=lead, others=tuple(others), sources=max(1, len(independent)), news=news)
