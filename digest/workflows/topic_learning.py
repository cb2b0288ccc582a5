"""Editors correct topics; topics are learned from what they said."""

from functools import lru_cache

from sqlmodel import Session

from digest.curation.learned import Correction, Verdict, learn
from digest.domain.content import Candidate, TopicProfile
from digest.store import topic_corrections
from digest.store.newsroom import topics as all_topics
from digest.workflows.context import Context


def correct(ctx: Context, topic: str, article_id: int, *, belongs: bool, editor: str) -> None:
    """Note that an article belongs to a topic, or that it does not.

    Raises:
        NotFound: no such topic or article.
    """
    with ctx.db.write() as session:
        topic_corrections.save(session, topic, article_id, belongs=belongs, editor=editor, now=ctx.clock())


def corrections(session: Session) -> tuple[Correction, ...]:
    """What editors said, as values."""
    return tuple(
        Correction(
            Candidate(
                id=article.id or 0, title=article.title, url=article.url, source=article.source,
                published_at=article.published_at, summary=article.summary, text=article.text,
                tags=tuple(article.tags),
            ),
            row.topic,
            row.belongs,
        )
        for row, article in topic_corrections.all_of(session)
    )  # fmt: skip


def learned(session: Session) -> dict[str, Verdict]:
    """For every corrected topic, whether rules or classifier decide, as things stand; learned anew only after a change."""
    return dict(_learned(corrections(session), all_topics(session)))


def verdicts(ctx: Context) -> dict[str, Verdict]:
    """As :func:`learned`, for callers without a session."""
    with ctx.db.read() as session:
        return learned(session)


@lru_cache(maxsize=2)
def _learned(said: tuple[Correction, ...], topics: tuple[TopicProfile, ...]) -> dict[str, Verdict]:
    # Learning takes seconds and depends on nothing else, so that a worker need not do it again for each draft.
    return learn(said, topics)
