"""Articles: what was gathered, one row per canonical URL, and the candidates among them for an issue."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sql
from sqlalchemy import and_, bindparam, func, or_
from sqlmodel import Session, col, select, update

from digest.domain.calendar import Window
from digest.domain.content import Candidate, Image
from digest.domain.incoming import Incoming, as_text, image_json
from digest.store.bulk import insert_or_ignore, insert_returning_ids, zone
from digest.store.known import Known, Shown, by_url, known_items, place
from digest.store.tables import Article, ArticleAddress, ArticleFeed, Feed

__all__ = ["Incoming", "Shown", "Stored", "add_text", "candidates", "of_story", "picture_of", "upsert", "upsert_all"]

LATE = timedelta(hours=12)
"""An article that its feed showed this much later than it is dated still gets into an issue: the next one."""

_AT_ONCE = 2000
"""Rows that are fetched together: the driver's copies of them are never many."""

_PLAIN = (
    "id", "title", "url", "published_at", "summary", "author", "reporter", "tags", "image", "language", "story_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a feed's entries.

    Attributes:
        new: ids of articles that no feed had brought before, by URL.
        seen: number of articles that the feed shows, new or known.
    """

    new: dict[str, int]
    seen: int


def upsert(session: Session, feed_id: int, source: str, incoming: Sequence[Incoming], now: datetime) -> Stored:
    """Keep what a feed shows, as :func:`upsert_all` does."""
    return upsert_all(session, [Shown(feed_id, source, incoming)], now)[feed_id]


def upsert_all(session: Session, shown: Sequence[Shown], now: datetime) -> dict[int, Stored]:
    """Keep what feeds show: one row per article across all feeds, and every feed that carried it.

    An article is known by its URL (http or https), by an id under which the same feed brought it before, or by title
    and date together in the same feed. A known article keeps
    its URL and its date, whatever the feed says now, so a re-issued item never becomes news again; text, summary,
    picture and byline are filled in where they were missing.

    Dates: a missing one is ``now``; one in the future is ``now``.

    Returns:
        what became of the entries, by feed id.
    """
    stored: dict[int, Stored] = {}
    left = [replace(each, incoming=_without_repetitions(each.incoming)) for each in shown]
    while left:
        together, left = _apart(left)
        stored |= _upsert(session, together, now)
    return stored


def _apart(shown: Sequence[Shown]) -> tuple[list[Shown], list[Shown]]:
    """Feeds of which no two show the same article, and the rest: the second one then meets an article that is known."""
    together: list[Shown] = []
    rest: list[Shown] = []
    taken: set[str] = set()
    for each in shown:
        places = {place(item.url) for item in each.incoming}
        if taken.isdisjoint(places):
            together.append(each)
            taken |= places
        else:
            rest.append(each)
    return together, rest


def _upsert(session: Session, shown: Sequence[Shown], now: datetime) -> dict[int, Stored]:
    """Keep what feeds show that have no URL in common, in a few statements for all of them."""
    known = known_items(session, shown)
    fresh = [(each, item) for each in shown for item in each.incoming if item.url not in known]
    new = _insert(session, fresh, now)
    if len(new) < len(fresh):  # another process brought the same article at the same moment
        known |= by_url(session, [item.url for _, item in fresh if item.url not in new])
    _complete(session, [(known[item.url], item) for each in shown for item in each.incoming if item.url in known])
    ids = new | {url: article.id for url, article in known.items()}
    links = {each.feed_id: {ids[item.url]: item.guid for item in each.incoming if item.url in ids} for each in shown}
    _link(session, links, now)
    return {
        each.feed_id: Stored(
            {item.url: new[item.url] for item in each.incoming if item.url in new}, len(links[each.feed_id])
        )
        for each in shown
    }


def add_text(
    session: Session,
    article_id: int,
    *,
    text: str,
    author: str = "",
    image: Image | None = None,
    reporter: str = "",
    summary: str = "",
    tags: Sequence[str] = (),
) -> None:
    """Keep the full text of an article; the rest only where it was missing, and of a picture what else is said of it."""
    article = session.get(Article, article_id)
    if article is None:
        return
    article.text = text or article.text
    article.summary = article.summary or summary
    article.tags = article.tags or list(tags)
    article.author = article.author or author
    article.reporter = article.reporter or reporter
    if image is not None and (article.image is None or article.image["url"] == image.url):
        article.image = json.loads(image_json(image))
    session.add(article)


def candidates(
    session: Session, window: Window, *, feeds: Collection[int] | None = None, text: int | None = None
) -> list[Candidate]:
    """The articles for an issue, sorted by (published_at, id): the one seam where rows become candidates.

    These are the articles published within ``window``, and those that were dated shortly before it but reached us
    only within it, from a feed that we already read at the time: no earlier issue can have had them.

    Args:
        feeds: ids of the feeds to take articles from; None takes all.
        text: so many characters of each text are read; None reads them whole.
    """
    published, seen = col(Article.published_at), col(Article.first_seen_at)
    read_before = (
        select(ArticleFeed.article_id)
        .where(ArticleFeed.feed_id == Article.feed_id, col(ArticleFeed.seen_at) < window.start)
        .exists()
    )
    late = and_(
        published >= window.start - LATE,
        published < window.start,
        seen >= window.start,
        seen < window.end,
        read_before,
    )
    query = _columns(text).where(or_(and_(published >= window.start, published < window.end), late))
    if feeds is not None:
        query = query.where(col(Article.feed_id).in_(feeds))
    return _found(session, query)


def of_story(session: Session, story_id: int) -> list[Candidate]:
    """The articles that stand in a story, however old, sorted by (published_at, id)."""
    return _found(session, _columns().where(col(Article.story_id) == story_id))


def _columns(text: int | None = None) -> Any:
    """What a candidate is made of, in its order: columns, as rows of the ORM would cost ten times the time."""
    whole = col(Article.text)
    named = [col(getattr(Article, name)) for name in _PLAIN]
    return (
        sql.select(*named, whole if text is None else func.substr(whole, 1, text), col(Feed.name), col(Feed.weight))
        .join(Feed, col(Feed.id) == col(Article.feed_id))
        .order_by(col(Article.published_at), col(Article.id))
    )


def _found(session: Session, query: Any) -> list[Candidate]:
    """The candidates of a query for :func:`_columns`; a hundred thousand of them share the words that they have in common."""
    shared: dict[str, str] = {}
    return [
        Candidate(
            id=ident,
            title=title,
            url=url,
            source=shared.setdefault(source, source),
            published_at=published_at,
            summary=summary,
            text=text,
            author=shared.setdefault(author, author),
            reporter=shared.setdefault(reporter, reporter),
            tags=tuple([shared.setdefault(tag, tag) for tag in tags]),
            image=Image(**image) if image else None,
            language=shared.setdefault(language, language),
            source_weight=weight,
            story_id=story_id,
        )
        for (
            ident, title, url, published_at, summary, author, reporter, tags, image, language, story_id,
            text, source, weight,
        ) in session.execute(query.execution_options(yield_per=_AT_ONCE))
    ]  # fmt: skip


def _without_repetitions(incoming: Sequence[Incoming]) -> list[Incoming]:
    """One item per URL, and no id that several items of the feed share (it identifies nothing)."""
    by_url: dict[str, Incoming] = {}
    for item in incoming:
        by_url.setdefault(place(item.url), item)
    uses = Counter(item.guid for item in by_url.values())
    if len(uses) == len(by_url):
        return list(by_url.values())
    return [item if uses[item.guid] == 1 else item._replace(guid="") for item in by_url.values()]


def _insert(session: Session, items: Sequence[tuple[Shown, Incoming]], now: datetime) -> dict[str, int]:
    """Insert articles; the ids of those that were not there, by URL."""
    # In the order of URLs: two processes with the same articles then wait for each other, never in a circle.
    ordered = sorted(items, key=lambda pair: pair[1].url)
    if not ordered:
        return {}
    moment, utc = as_text(now), zone(session)
    rows = [
        # A missing date is now, and so is one in the future.
        (*item[:9], f"{min(item.published or moment, moment)}{utc}", moment + utc, shown.source, shown.feed_id)
        for shown, item in ordered
    ]
    new = insert_returning_ids(session, Article, _COLUMNS, rows)
    # Most sites answer under both schemes, and their feeds take now one, now the other.
    twins = [(f"https://{place(url)}", ident) for url, ident in new.items() if url.startswith("http:")]
    insert_or_ignore(session, ArticleAddress, ("url", "article_id"), twins)
    return new


_COLUMNS = (
    "url", "title", "summary", "text", "author", "reporter", "tags", "image", "language",  # as in Incoming
    "published_at", "first_seen_at", "source", "feed_id",
)  # fmt: skip


def picture_of(session: Session, article_ids: Sequence[int]) -> Image | None:
    """The picture of the first of these articles that has one."""
    query = select(Article.id, Article.image).where(col(Article.id).in_(list(article_ids)))
    found = {ident: image for ident, image in session.exec(query) if image}
    image = next((found[ident] for ident in article_ids if ident in found), None)
    return Image(**image) if image else None


def _complete(session: Session, pairs: Sequence[tuple[Known, Incoming]]) -> None:
    """Fill in what known articles lack and this feed has."""
    wanting = [
        {
            "known_id": known.id,
            "text": item.text if not known.has_text else None,
            "summary": item.summary if not known.has_summary else None,
            "author": item.author if not known.has_author else None,
            "image": json.loads(item.image) if not known.has_image else None,
        }
        for known, item in pairs
    ]
    for column in ("text", "summary", "author", "image"):
        rows = [{"known_id": row["known_id"], column: row[column]} for row in wanting if row[column]]
        if rows:
            statement = update(Article).where(col(Article.id) == bindparam("known_id"))
            session.connection().execute(statement.values({column: bindparam(column)}), rows)


def _link(session: Session, links: Mapping[int, Mapping[int, str]], now: datetime) -> None:
    """Remember which articles the feeds carried, under which ids."""
    at = as_text(now) + zone(session)
    rows = [
        (feed_id, ident, guid, at)
        for feed_id, carried in sorted(links.items())
        for ident, guid in sorted(carried.items())
    ]
    insert_or_ignore(session, ArticleFeed, ("feed_id", "article_id", "guid", "seen_at"), rows)
