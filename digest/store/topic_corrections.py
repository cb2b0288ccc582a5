"""Editors' corrections of topics: what topics are learned from."""

from datetime import datetime

from sqlmodel import Session, col, select

from digest.errors import NotFound
from digest.store.tables import Article, Topic, TopicCorrection


def save(session: Session, topic: str, article_id: int, *, belongs: bool, editor: str, now: datetime) -> None:
    """Keep an editor's word; a later one on the same article and topic replaces it.

    Raises:
        NotFound: no such topic or article.
    """
    if session.get(Topic, topic) is None:
        raise NotFound(f"there is no topic {topic!r}")
    if session.get(Article, article_id) is None:
        raise NotFound(f"there is no article {article_id}")
    row = session.get(TopicCorrection, (topic, article_id))
    row = row or TopicCorrection(topic=topic, article_id=article_id, belongs=belongs, editor=editor, at=now)
    row.belongs, row.editor, row.at = belongs, editor, now
    session.add(row)


def all_of(session: Session) -> list[tuple[TopicCorrection, Article]]:
    """All corrections with their articles, by topic and article."""
    query = select(TopicCorrection, Article).join(Article, col(Article.id) == col(TopicCorrection.article_id))
    return list(session.exec(query.order_by(col(TopicCorrection.topic), col(TopicCorrection.article_id))).all())
