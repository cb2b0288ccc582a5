"""Rows given to the driver as it takes them: the database holds the very same as when SQLAlchemy writes them."""

from datetime import datetime, timedelta, timezone

from sqlalchemy import text

from digest.domain.content import Entry, Image
from digest.domain.incoming import incoming
from digest.store import articles
from digest.store.bulk import insert_returning_ids
from digest.store.database import Database
from digest.store.tables import Article, Feed
from tests.conftest import NOW

ELSEWHERE = datetime(2026, 3, 1, 7, 30, 5, 42, tzinfo=timezone(timedelta(hours=5, minutes=30)))
KEPT = "CAST(tags AS TEXT), CAST(image AS TEXT), CAST(published_at AS TEXT), CAST(first_seen_at AS TEXT), feed_id"


def test_a_row_is_the_same_in_the_database_whoever_wrote_it(db: Database) -> None:
    picture = Image("https://a.example/i.jpg", "Ärger „hier“", "C", 3, 4)
    for number, image in enumerate((picture, None)):
        entry = Entry(f"g{number}", "", "T", published_at=ELSEWHERE, tags=("Häfen", 'a "b"'), image=image)
        told = {name: getattr(image, name) for name in Image.__slots__} if image else None
        with db.write() as session:
            if not number:
                session.add(Feed(id=1, url="https://a.example/feed", name="A"))
                session.flush()
            usual = Article(
                url=f"https://a.example/orm/{number}", title="T", published_at=ELSEWHERE, first_seen_at=NOW, feed_id=1
            )
            usual.tags, usual.image = list(entry.tags), told
            session.add(usual)
            session.flush()
            articles.upsert(session, 1, "A", [incoming(entry, f"https://a.example/bulk/{number}", ELSEWHERE)], NOW)
    with db.read() as session:
        found = [tuple(row) for row in session.connection().execute(text(f"SELECT {KEPT} FROM article ORDER BY id"))]
    assert len(found) == 4
    assert found[0] == found[1]
    assert found[2] == found[3]


def test_only_rows_that_were_not_there_get_ids(db: Database) -> None:
    columns = ("url", "name", "kind", "weight", "full_text", "interval", "rules", "etag", "last_modified", "claimed_by",
               "last_error", "failures", "entries_last", "moved_to", "moving_to", "moving_seen", "rhythm", "retired_why")  # fmt: skip

    def row(url: str) -> tuple[object, ...]:
        return (url, "N", "feed", 1.0, False, 15, "{}", "", "", "", "", 0, 0, "", "", 0, 0, "")

    with db.write() as session:
        first = insert_returning_ids(session, Feed, columns, [row("a"), row("b")])
        again = insert_returning_ids(session, Feed, columns, [row("b"), row("c")])
        nothing = insert_returning_ids(session, Feed, columns, [])
    assert (set(first), set(again), nothing) == ({"a", "b"}, {"c"}, {})
    with db.read() as session:
        kept = {row[1]: row[0] for row in session.connection().execute(text("SELECT id, url FROM feed"))}
    assert kept == first | again
