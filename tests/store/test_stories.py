from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from digest.domain.content import Candidate, Story
from digest.store.database import Database
from digest.store.stories import save_stories
from digest.store.tables import Article, Feed
from digest.store.tables import Story as StoryRow

NOW = datetime(2026, 3, 12, 11, 0, tzinfo=UTC)


def keep_articles(db: Database, count: int) -> list[Candidate]:
    """So many articles in the database, an hour apart, and the candidates that stand for them."""
    with db.write() as session:
        feed = Feed(url="https://a.example/feed", name="A")
        session.add(feed)
        session.flush()
        assert feed.id is not None
        rows = [
            Article(
                url=f"https://a.example/{i}", title=f"Title {i}", source="A", feed_id=feed.id,
                published_at=NOW - timedelta(hours=i), first_seen_at=NOW,
            )
            for i in range(count)
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return [Candidate(row.id or 0, row.title, row.url, row.source, row.published_at) for row in rows]


def save(db: Database, *stories: Story) -> tuple[Story, ...]:
    with db.write() as session:
        return save_stories(session, stories, NOW)


def mark_sent(db: Database, story_id: int | None, when: datetime) -> None:
    with db.write() as session:
        row = session.get_one(StoryRow, story_id)
        row.last_sent_at = when


def known(candidates: list[Candidate], story: Story) -> list[Candidate]:
    return [replace(candidate, story_id=story.story_id) for candidate in candidates]


def test_a_new_story_gets_an_identity_that_its_articles_bear(db: Database) -> None:
    a, b, c = keep_articles(db, 3)
    one, two = save(db, Story(a, (b,)), Story(c))
    assert one.story_id != two.story_id
    assert (one.lead, two.lead) == (a, c)
    with db.read() as session:
        assert [row.story_id for row in session.exec(select(Article).order_by(col(Article.id)))] == [
            one.story_id, one.story_id, two.story_id,
        ]  # fmt: skip
        row = session.get_one(StoryRow, one.story_id)
        assert (row.headline, row.created_at, row.last_article_at, row.last_sent_at) == ("Title 0", NOW, NOW, None)


def test_a_story_that_grows_keeps_its_identity(db: Database) -> None:
    late, a, b = keep_articles(db, 3)
    (before,) = save(db, Story(a, (b,)))
    a, b = known([a, b], before)
    (after,) = save(db, Story(late, (a, b), story_id=before.story_id))
    assert after.story_id == before.story_id
    with db.read() as session:
        row = session.get_one(StoryRow, after.story_id)
        assert (row.headline, row.last_article_at) == ("Title 0", NOW)
        assert {article.story_id for article in session.exec(select(Article))} == {after.story_id}


def test_an_identity_that_the_database_does_not_know_is_replaced(db: Database) -> None:
    (a,) = keep_articles(db, 1)
    (story,) = save(db, Story(a, story_id=999))
    assert story.story_id != 999


def test_when_a_story_was_sent_is_filled_in(db: Database) -> None:
    a, b = keep_articles(db, 2)
    one, two = save(db, Story(a), Story(b))
    sent = NOW - timedelta(hours=5)
    mark_sent(db, one.story_id, sent)
    again = save(db, *(Story(*known([c], s), story_id=s.story_id) for c, s in ((a, one), (b, two))))
    assert [story.last_sent_at for story in again] == [sent, None]


def test_what_is_split_from_a_sent_story_counts_as_sent(db: Database) -> None:
    a, b, c = keep_articles(db, 3)
    (one,) = save(db, Story(a, (b, c)))
    sent = NOW - timedelta(hours=5)
    mark_sent(db, one.story_id, sent)
    a, b, c = known([a, b, c], one)
    kept, split = save(db, Story(a, (b,), story_id=one.story_id), Story(c))
    assert split.story_id != kept.story_id
    assert split.last_sent_at == sent
    with db.read() as session:
        assert session.get_one(StoryRow, split.story_id).last_sent_at == sent


def test_a_story_that_takes_in_a_little_of_a_sent_one_is_still_news(db: Database) -> None:
    articles = keep_articles(db, 5)
    old, new = save(db, Story(articles[0]), Story(articles[1], tuple(articles[2:])))
    mark_sent(db, old.story_id, NOW)
    merged = Story(
        *known(articles[1:2], new), (*known(articles[2:], new), *known(articles[:1], old)), story_id=new.story_id
    )
    assert save(db, merged)[0].last_sent_at is None


def test_saving_twice_changes_nothing(db: Database) -> None:
    a, b = keep_articles(db, 2)
    first = save(db, Story(a), Story(b))
    again = save(db, *(replace(s, lead=replace(s.lead, story_id=s.story_id)) for s in first))
    assert [s.story_id for s in again] == [s.story_id for s in first]
    with db.read() as session:
        assert len(session.exec(select(StoryRow)).all()) == 2


@pytest.mark.parametrize("count", [900])
def test_many_stories_take_few_statements(db: Database, count: int) -> None:
    articles = keep_articles(db, count)
    statements: list[str] = []

    @event.listens_for(db.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    saved = save(db, *(Story(article) for article in articles))
    assert len({story.story_id for story in saved}) == count
    assert len(statements) < 25
    with db.read() as session:
        headlines = {row.id: row.headline for row in session.exec(select(StoryRow))}
    assert all(headlines[story.story_id] == story.lead.title for story in saved)


def test_nothing_is_saved_as_nothing(db: Database) -> None:
    assert save(db) == ()
