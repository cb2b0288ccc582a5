"""Stories get their identity here, and keep it while their coverage grows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import bindparam, select
from sqlmodel import Session, SQLModel

from digest.domain.content import Story

_CHUNK = 400
"""Rows that one statement speaks of: its parameters stay below the limits of every database."""

_WRITTEN = 5000
"""Rows that are handed to the driver together, each with a statement of its own."""

_TABLE, _ARTICLE = SQLModel.metadata.tables["story"], SQLModel.metadata.tables["article"]
_FACTS = (_TABLE.c.headline, _TABLE.c.last_article_at, _TABLE.c.last_sent_at)
_Facts = tuple[str, datetime, datetime | None]
_Known = Mapping[int | None, _Facts]
_T = TypeVar("_T")


def save_stories(session: Session, stories: Sequence[Story], now: datetime) -> tuple[Story, ...]:
    """Give every story its identity, note it on its articles, and fill in when it was last sent.

    A story whose ``story_id`` the database knows keeps it; any other gets a new row. A story at least half of whose
    articles stood in stories that were sent counts as sent too: what is split off or merged is no news again.

    The statements are set-based: their number grows with the stories by chunks of hundreds.

    Args:
        stories: as ``curation.group`` made them; no two share a ``story_id``.
        now: aware UTC time at which new stories begin.

    Returns:
        The stories in the given order, with ``story_id`` and ``last_sent_at``.
    """
    known = _rows(session, stories)
    stories = [replace(story, last_sent_at=_last_sent(story, known)) for story in stories]
    fresh = iter(_insert(session, [story for story in stories if story.story_id not in known], now))
    saved = tuple(story if story.story_id in known else replace(story, story_id=next(fresh)) for story in stories)
    _note_on_articles(session, saved)
    _refresh(session, [story for story in saved if story.story_id in known], known)
    session.expire_all()
    return saved


def _rows(session: Session, stories: Iterable[Story]) -> dict[int | None, _Facts]:
    """What the rows say of all stories that these stories or any of their articles belong to."""
    ids = {article.story_id for story in stories for article in story.articles} | {story.story_id for story in stories}
    rows: dict[int | None, _Facts] = {}
    for chunk in _chunks(sorted(ident for ident in ids if ident is not None)):
        found = session.execute(select(_TABLE.c.id, *_FACTS).where(_TABLE.c.id.in_(chunk)))
        rows.update((ident, (headline, newest, sent)) for ident, headline, newest, sent in found)
    return rows


def _last_sent(story: Story, known: _Known) -> datetime | None:
    own = known.get(story.story_id)
    if own is not None and own[2] is not None:
        return own[2]
    sent = [row[2] for article in story.articles if (row := known.get(article.story_id)) and row[2]]
    return max(sent) if sent and 2 * len(sent) >= len(story.articles) else None


def _facts(story: Story) -> _Facts:
    """What the row of a story says about it, in the order of ``_FACTS``."""
    return (story.lead.title, max(article.published_at for article in story.articles), story.last_sent_at)


def _insert(session: Session, stories: Sequence[Story], now: datetime) -> list[int]:
    """New rows for ``stories``; their ids in the same order."""
    ids: dict[_Facts, list[int]] = defaultdict(list)
    # Rows come back in any order. Those with the same facts are as good as each other.
    statement = _TABLE.insert().returning(_TABLE.c.id, *_FACTS)
    for chunk in _chunks(stories):
        values = [
            {column.name: value for column, value in zip(_FACTS, _facts(story), strict=True)} | {"created_at": now}
            for story in chunk
        ]
        for ident, headline, newest, sent in session.execute(statement, values):
            ids[headline, newest, sent].append(ident)
    found = {facts: iter(sorted(same)) for facts, same in ids.items()}
    return [next(found[_facts(story)]) for story in stories]


def _note_on_articles(session: Session, stories: Iterable[Story]) -> None:
    moved = {a.id: story.story_id for story in stories for a in story.articles if a.story_id != story.story_id}
    _update(session, _ARTICLE, ((ident, (moved[ident],)) for ident in sorted(moved)), (_ARTICLE.c.story_id,))


def _refresh(session: Session, stories: Iterable[Story], known: _Known) -> None:
    """Bring headline and times of rows up to date, where they changed."""
    changed: dict[int, _Facts] = {}
    for story in stories:
        headline, newest, sent = _facts(story)
        facts = (headline, max(newest, known[story.story_id][1]), sent)
        if story.story_id is not None and facts != known[story.story_id]:
            changed[story.story_id] = facts
    _update(session, _TABLE, ((ident, changed[ident]) for ident in sorted(changed)), _FACTS)


def _update(session: Session, table: Any, rows: Iterable[tuple[int, tuple[Any, ...]]], columns: Sequence[Any]) -> None:
    """Write these columns of rows, by id. The session's own copies are expired at the end, all at once."""
    statement = table.update().where(table.c.id == bindparam("row_id"))
    statement = statement.values({column.name: bindparam(f"new_{column.name}") for column in columns})
    names = [f"new_{column.name}" for column in columns]
    for chunk in _chunks(rows, _WRITTEN):
        values = [{"row_id": ident} | dict(zip(names, new, strict=True)) for ident, new in chunk]
        session.connection().execute(statement, values)


def _chunks(items: Iterable[_T], size: int = _CHUNK) -> Iterable[list[_T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
