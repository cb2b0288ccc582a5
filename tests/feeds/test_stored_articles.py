"""Articles in the database: nothing twice, nothing lost, no date believed that lies."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from digest.domain.calendar import Window
from digest.domain.content import Entry, Image
from digest.domain.incoming import incoming
from digest.store import articles
from digest.store.articles import Stored
from digest.store.database import Database
from digest.store.tables import Article, ArticleFeed, Feed
from tests.conftest import NOW

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def two_feeds(db: Database) -> None:
    with db.write() as session:
        session.add(Feed(id=1, url="https://a.example/feed", name="A", weight=1.5))
        session.add(Feed(id=2, url="https://b.example/feed", name="B"))


def entry(number: int = 1, **more: object) -> Entry:
    usual = Entry(
        f"id-{number}", f"https://a.example/{number}", f"Headline about thing {number}", published_at=NOW - HOUR
    )
    return replace(usual, **more)  # type: ignore[arg-type]


def store(db: Database, *entries: Entry, feed: int = 1, now=NOW) -> Stored:
    with db.write() as session:
        return articles.upsert(
            session,
            feed,
            "AB"[feed - 1],
            [incoming(each, each.url, each.published_at or each.updated_at) for each in entries],
            now,
        )


def rows(db: Database) -> list[Article]:
    with db.read() as session:
        return list(session.exec(select(Article).order_by(Article.id)))


def candidates(db: Database, start=NOW - 24 * HOUR, end=NOW + HOUR, **options):
    with db.read() as session:
        return articles.candidates(session, Window(start, end), **options)


def test_an_entry_becomes_an_article_and_an_article_a_candidate(db: Database) -> None:
    given = entry(
        summary="S",
        content="C",
        author="Ada",
        tags=("Ports",),
        image=Image("https://a.example/i.jpg", "Alt", "Credit"),
        language="en",
    )
    with db.write() as session:
        articles.upsert(session, 1, "A", [incoming(given, given.url, given.published_at, "Reuters")], NOW)
    (found,) = candidates(db)
    assert (found.title, found.url, found.source, found.source_weight) == (given.title, given.url, "A", 1.5)
    assert (found.summary, found.text, found.author, found.reporter) == ("S", "C", "Ada", "Reuters")
    assert (found.tags, found.image, found.language) == (("Ports",), given.image, "en")
    assert (found.published_at, found.story_id) == (NOW - HOUR, None)


@pytest.mark.parametrize(("read", "text"), [(None, "Ünïcode text"), (7, "Ünïcode"), (0, ""), (99, "Ünïcode text")])
def test_of_a_text_so_many_characters_are_read(db: Database, read: int | None, text: str) -> None:
    store(db, entry(content="Ünïcode text"))
    assert [found.text for found in candidates(db, text=read)] == [text]


def test_the_same_feed_again_stores_nothing_new(db: Database) -> None:
    first, second = store(db, entry(1), entry(2)), store(db, entry(1), entry(2))
    assert (len(first.new), first.seen, len(second.new), second.seen) == (2, 2, 0, 2)
    assert len(rows(db)) == 2


@pytest.mark.parametrize(
    "again",
    [
        entry(url="https://a.example/new-address"),
        entry(url="https://a.example/new-address", published_at=NOW),
        entry(url="https://a.example/new-address", title="Headline about that thing, updated", published_at=NOW),
        entry(guid="new-id"),
        entry(guid="new-id", published_at=NOW),
        entry(guid=""),
    ],
)
def test_an_article_that_is_issued_again_is_the_same_and_keeps_address_and_date(db: Database, again: Entry) -> None:
    store(db, entry())
    assert store(db, again, now=NOW + HOUR).new == {}
    (row,) = rows(db)
    assert (row.url, row.published_at) == ("https://a.example/1", NOW - HOUR)


def test_an_id_that_several_items_share_loses_none_of_them(db: Database) -> None:
    store(db, entry(1, guid="same"), entry(2, guid="same"), entry(3, guid="same"))
    assert len(rows(db)) == 3
    # One id for all that a feed ever shows, one item at a time.
    for number in (4, 5):
        other = ("Whales sing", "Bridges rust")[number - 4]
        store(db, entry(number, guid="always", title=other, published_at=NOW - number * HOUR), now=NOW + HOUR)
    assert len(rows(db)) == 5


def test_two_feeds_may_use_the_same_id_for_different_things(db: Database) -> None:
    store(db, entry(1, guid="7"))
    store(db, entry(2, guid="7"), feed=2)
    assert len(rows(db)) == 2


def test_an_article_of_two_feeds_is_one_row_that_knows_both_and_takes_what_it_lacks(db: Database) -> None:
    store(db, entry(title="First title"))
    image = Image("https://a.example/i.jpg")
    store(db, entry(guid="b-1", title="Other", summary="S", content="Full text", author="Ada", image=image), feed=2)
    (row,) = rows(db)
    assert (row.title, row.source, row.summary, row.text, row.author) == ("First title", "A", "S", "Full text", "Ada")
    assert row.image is not None
    with db.read() as session:
        links = session.exec(select(ArticleFeed.feed_id, ArticleFeed.guid).order_by(ArticleFeed.feed_id)).all()
    assert [tuple(link) for link in links] == [(1, "id-1"), (2, "b-1")]
    store(db, entry(summary="Later summary", content="Later text"))
    assert (rows(db)[0].summary, rows(db)[0].text) == ("S", "Full text")


@pytest.mark.parametrize(
    ("published", "updated", "stored"),
    [
        (NOW - HOUR, None, NOW - HOUR),
        (NOW + 5 * HOUR, None, NOW),
        (None, None, NOW),
        (None, NOW - 2 * HOUR, NOW - 2 * HOUR),
        (NOW - 40 * 24 * HOUR, NOW, NOW - 40 * 24 * HOUR),  # old news that is touched up stays old
    ],
)
def test_dates_that_lie_make_no_news(db: Database, published, updated, stored) -> None:
    store(db, entry(published_at=published, updated_at=updated))
    assert rows(db)[0].published_at == stored


def test_candidates_come_from_a_half_open_window_in_order(db: Database) -> None:
    times = [NOW - 24 * HOUR, NOW - 24 * HOUR - timedelta(seconds=1), NOW - HOUR, NOW - 5 * HOUR, NOW]
    store(db, *(entry(number, published_at=time) for number, time in enumerate(times)), now=NOW)
    assert [found.url[-1] for found in candidates(db, NOW - 24 * HOUR, NOW)] == ["0", "3", "2"]
    assert candidates(db, NOW - 24 * HOUR, NOW, feeds=[2]) == []


def test_an_article_that_reached_us_late_gets_into_the_next_window(db: Database) -> None:
    store(db, entry(1, published_at=NOW - 30 * HOUR), now=NOW - 26 * HOUR)  # the feed is known
    store(db, entry(2, published_at=NOW - 25 * HOUR), now=NOW - HOUR)  # shown a day late
    store(db, entry(3, published_at=NOW - 40 * HOUR), now=NOW - HOUR)  # too late
    store(db, entry(4, published_at=NOW - 25 * HOUR), feed=2, now=NOW - HOUR)  # a feed's first visit
    assert [found.url[-1] for found in candidates(db, NOW - 24 * HOUR, NOW)] == ["2"]


def test_many_articles_are_stored_at_once(db: Database) -> None:
    assert len(store(db, *(entry(number) for number in range(1_200))).new) == 1_200
    assert store(db, *(entry(number) for number in range(1_300))).seen == 1_300
    assert len(rows(db)) == 1_300


def test_full_text_is_kept_and_fills_only_what_was_missing(db: Database) -> None:
    ident = store(db, entry(author="Ada")).new["https://a.example/1"]
    with db.write() as session:
        articles.add_text(
            session, ident, text="Full.", author="Jon", image=Image("https://a.example/i.jpg"), reporter="Reuters"
        )
        articles.add_text(session, 999, text="nobody")
    (row,) = rows(db)
    assert (row.text, row.author, row.reporter) == ("Full.", "Ada", "Reuters")
    assert row.image is not None
    assert row.image["url"] == "https://a.example/i.jpg"
