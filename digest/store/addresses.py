"""The addresses of one article: where feeds link to it, and the one that its own page names."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from digest.store.lookup import among
from digest.store.tables import Article, ArticleAddress, ArticleFeed

ALIKE = 0.5
"""Share of words that two titles have in common from which on they may name one article."""


def known_as(session: Session, urls: Sequence[str]) -> dict[str, int]:
    """Ids of the articles that have these addresses besides their own."""
    if not urls:
        return {}
    query = select(ArticleAddress.url, ArticleAddress.article_id)
    return dict(session.exec(query.where(among(session, col(ArticleAddress.url), urls))).all())


def settle(session: Session, article_id: int, named: str) -> int:
    """An article's page names ``named`` as its address: make that the article's own, and remember the other one.

    If another article has that address and a like title, the two are one: the newer row goes into the older one, with
    all its feeds. If the titles differ, the page is wrong about itself, and nothing changes.

    Returns:
        id of the row that the article now is.
    """
    article = session.get(Article, article_id)
    if article is None or not named or named == article.url:
        return article_id
    other_id = session.exec(select(Article.id).where(Article.url == named)).first() or known_as(session, [named]).get(named)  # fmt: skip
    if other_id is None or other_id == article_id:
        # The address that it gets may be one under which it was known, and no longer is another one.
        session.execute(delete(ArticleAddress).where(col(ArticleAddress.url) == named))
        _remember(session, article.url, article_id)
        article.url = named
        session.add(article)
        return article_id
    other = session.get(Article, other_id)
    if other is None or not alike(article.title, other.title) or article.story_id is not None:
        return article_id
    _join(session, article, other)
    return other_id


def alike(one: str, other: str) -> bool:
    """Whether two titles may be those of one article."""
    ours, theirs = (set(re.findall(r"\w+", title.casefold())) for title in (one, other))
    return bool(ours and theirs) and len(ours & theirs) / len(ours | theirs) >= ALIKE


def redate(session: Session, article_id: int, published_at: datetime) -> None:
    """Give an article the date that its page names; only ever an older one."""
    older = col(Article.published_at) > published_at
    session.execute(update(Article).where(col(Article.id) == article_id, older).values(published_at=published_at))


def _join(session: Session, article: Article, other: Article) -> None:
    """Make ``article``, which nothing speaks of yet, a part of ``other``."""
    assert article.id is not None
    assert other.id is not None
    other.text, other.summary = other.text or article.text, other.summary or article.summary
    other.author, other.image = other.author or article.author, other.image or article.image
    other.published_at = min(other.published_at, article.published_at)
    session.add(other)
    carried = set(session.exec(select(ArticleFeed.feed_id).where(ArticleFeed.article_id == other.id)))
    ours = col(ArticleFeed.article_id) == article.id
    session.execute(delete(ArticleFeed).where(ours, col(ArticleFeed.feed_id).in_(carried)))
    session.execute(update(ArticleFeed).where(ours).values(article_id=other.id))
    session.execute(
        update(ArticleAddress).where(col(ArticleAddress.article_id) == article.id).values(article_id=other.id)
    )
    url = article.url
    session.delete(article)
    session.flush()
    _remember(session, url, other.id)


def _remember(session: Session, url: str, article_id: int) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    table = ArticleAddress.__table__  # type: ignore[attr-defined]
    row = dialect.insert(table).values(url=url, article_id=article_id)
    session.execute(row.on_conflict_do_update(index_elements=["url"], set_={"article_id": article_id}))
