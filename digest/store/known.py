"""Whether what feeds show are articles that we have: by address, by the feed's own id, by title and date."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import select as select_columns
from sqlmodel import Session, col

from digest.domain.incoming import Incoming
from digest.store import addresses
from digest.store.lookup import among
from digest.store.tables import Article, ArticleFeed

BATCH = 500
"""Values in one IN list."""

_MIDNIGHT = " 00:00:00.000000"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown:
    """What one feed shows.

    Attributes:
        source: the outlet's name as readers know it.
        first_read: the feed was never read before, so that nothing of it can be known by its id.
    """

    feed_id: int
    source: str
    incoming: Sequence[Incoming]
    first_read: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """The parts of a row that decide what a feed's item may still add to it."""

    id: int
    title: str
    published_at: datetime
    has_text: bool
    has_summary: bool
    has_image: bool
    has_author: bool


_KNOWN = (
    col(Article.id),
    col(Article.title),
    col(Article.published_at),
    col(Article.text) != "",
    col(Article.summary) != "",
    col(Article.image),
    col(Article.author) != "",
)


def _known(row: Any) -> Known:
    ident, title, published_at, has_text, has_summary, image, has_author = row
    return Known(ident, title, published_at, has_text, has_summary, image is not None, has_author)


def known_items(session: Session, shown: Sequence[Shown]) -> dict[str, Known]:
    """The articles that we have among what feeds show, by the URL of the item."""
    known = by_url(session, [item.url for each in shown for item in each.incoming])
    known |= _by_guid(session, shown, known)
    return known | _by_title_and_date(session, shown, known)


def place(url: str) -> str:
    """A URL without its scheme: http and https of one address are one article."""
    return url.partition("://")[2]


def by_url(session: Session, urls: Sequence[str]) -> dict[str, Known]:
    """Articles by their URL, by another address under which they are known, or by the same one with https for http."""
    found: dict[str, Known] = {}
    if not urls:
        return found
    for row in session.execute(select_columns(col(Article.url), *_KNOWN).where(among(session, col(Article.url), urls))):
        found[row[0]] = _known(row[1:])
    found |= _by_other_address(session, [url for url in urls if url not in found])
    plain = {f"https://{place(url)}": url for url in urls if url not in found and url.startswith("http:")}
    if plain:
        secure = select_columns(col(Article.url), *_KNOWN).where(among(session, col(Article.url), plain))
        for row in session.execute(secure):
            found[plain[row[0]]] = _known(row[1:])
    return found


def _by_other_address(session: Session, urls: Sequence[str]) -> dict[str, Known]:
    """Articles whose pages name an address of their own, by the ones under which feeds know them."""
    ids = addresses.known_as(session, urls)
    if not ids:
        return {}
    query = select_columns(*_KNOWN).where(among(session, col(Article.id), set(ids.values())))
    rows = {row[0]: _known(row) for row in session.execute(query)}
    return {url: rows[ident] for url, ident in ids.items() if ident in rows}


def _by_guid(session: Session, shown: Sequence[Shown], known: Collection[str]) -> dict[str, Known]:
    """Known articles that a feed shows again under another URL, by that URL."""
    with_guid = {
        (each.feed_id, item.guid): item
        for each in shown
        if not each.first_read
        for item in each.incoming
        if item.guid and item.url not in known
    }
    feed_ids = sorted({feed_id for feed_id, _ in with_guid})
    found: dict[str, Known] = {}
    if not with_guid:
        return found
    query = (
        select_columns(col(ArticleFeed.feed_id), col(ArticleFeed.guid), *_KNOWN)
        .join(Article, col(Article.id) == col(ArticleFeed.article_id))
        .where(
            among(session, col(ArticleFeed.feed_id), feed_ids),
            among(session, col(ArticleFeed.guid), {guid for _, guid in with_guid}),
        )
        .order_by(col(Article.id))
    )
    for row in session.execute(query):
        item, article = with_guid.get((row[0], row[1])), _known(row[2:])
        if item and _same(item, article):
            found[item.url] = article
    return found


def _same(item: Incoming, known: Known) -> bool:
    """Whether an item with a known id and a new URL is the known article.

    Some feeds use one id for all they ever show: then neither words nor date agree with the article that had it, or
    the titles count on ("Briefing of 12 March", "Briefing of 13 March").
    """
    if _moment(item) == known.published_at:
        return True
    ours, theirs = (set(re.findall(r"\w+", title.casefold())) for title in (known.title, item.title))
    if _numbers(ours) != _numbers(theirs) and _numbers(ours) and _numbers(theirs):
        return False
    return not ours or not theirs or len(ours & theirs) / len(ours | theirs) > 0.2


def _numbers(words: set[str]) -> set[str]:
    return {word for word in words if word.isdecimal()}


def _by_title_and_date(session: Session, shown: Sequence[Shown], known: Collection[str]) -> dict[str, Known]:
    """Known articles that a feed shows again under another URL and another id (or none), by that URL.

    The same feed, the same second and the same title: nothing but its address has changed. A date without an hour,
    and a title of one or two words ("Press release"), are too common to say so.
    """
    wanted = {
        (each.feed_id, published, _title(item.title)): item.url
        for each in shown
        if not each.first_read
        for item in each.incoming
        if item.url not in known
        and not item.published.endswith(_MIDNIGHT)
        and len(item.title.split()) > 2
        and (published := _moment(item))
    }
    feed_ids = sorted({feed_id for feed_id, _, _ in wanted})
    found: dict[str, Known] = {}
    for some in _batches(sorted({published for _, published, _ in wanted})):
        query = select_columns(col(Article.feed_id), *_KNOWN).where(
            col(Article.published_at).in_(some), col(Article.feed_id).in_(feed_ids)
        )
        for row in session.execute(query):
            article = _known(row[1:])
            if url := wanted.get((row[0], article.published_at, _title(article.title))):
                found[url] = article
    return found


def _moment(item: Incoming) -> datetime | None:
    return datetime.fromisoformat(item.published).replace(tzinfo=UTC) if item.published else None


def _title(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.casefold()))


def _batches(things: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), BATCH):
        yield things[start : start + BATCH]
