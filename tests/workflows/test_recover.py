"""What dead processes held is given back, whatever moment they died at."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from digest.engine.presence import SUFFIX
from digest.store import feeds, issues
from digest.store.database import Database
from digest.store.tables import Feed, Issue, Newsletter
from digest.workflows.context import Context
from digest.workflows.recover import recover
from tests.conftest import NOW, Clock
from tests.workflows.world import FakeSender, context

DEAD = "worker that was killed"


@pytest.fixture
def ctx(db: Database, tmp_path: Path, clock: Clock) -> Context:
    """With two feeds, an issue to draft, and the traces of a process that was killed."""
    made = context(db, tmp_path / "var", FakeSender(), clock)
    made.presence.mkdir(parents=True)
    (made.presence / (DEAD + SUFFIX)).touch()
    with db.write() as session:
        session.add_all(Feed(url=f"https://{name}.example/feed", name=name) for name in "ab")
        newsletter = Newsletter(slug="n", name="N", spec={})
        session.add(newsletter)
        session.flush()
        assert newsletter.id is not None
        window = {"window_start": NOW - timedelta(days=1), "window_end": NOW, "due_at": NOW}
        session.add(
            Issue(
                newsletter_id=newsletter.id,
                cadence="daily",
                slot="2026-03-12",
                number=1,
                state="planned",
                created_at=NOW,
                **window,
            )
        )
    return made


def claim(session: Session) -> None:
    assert len(feeds.claim_some(session, [1, 2], NOW, timedelta(minutes=1), worker=DEAD)) == 2
    assert issues.claim(session, 1, "planned", NOW, DEAD)


def held(db: Database) -> list[str]:
    with db.read() as session:
        return [
            name for name in [*session.exec(select(Feed.claimed_by)), *session.exec(select(Issue.claimed_by))] if name
        ]


def test_the_feeds_and_issues_of_a_dead_process_are_free_at_once(ctx: Context) -> None:
    with ctx.db.write() as session:
        claim(session)
    assert held(ctx.db) == [DEAD] * 3
    assert recover(ctx) == [DEAD]
    assert held(ctx.db) == []
    assert recover(ctx) == []


def test_a_claim_that_is_committed_after_its_processs_death_is_given_back_as_well(ctx: Context) -> None:
    found: list[str] = []
    other = threading.Thread(target=lambda: found.extend(recover(ctx)))
    with ctx.db.write() as session:
        claim(session)
        other.start()
        while other.is_alive() and not waits_for_us(ctx.db):
            pass
    other.join()
    assert found == [DEAD]
    assert held(ctx.db) == []


def test_two_threads_of_a_process_claim_side_by_side(ctx: Context) -> None:
    if not ctx.db.is_postgresql:
        pytest.skip("on SQLite writers wait for each other")
    with ctx.db.write() as one, ctx.db.write() as other:
        other.execute(text("SET LOCAL lock_timeout = '5s'"))
        assert feeds.claim(one, 1, NOW, timedelta(minutes=1), worker=DEAD)
        assert feeds.claim(other, 2, NOW, timedelta(minutes=1), worker=DEAD)


def waits_for_us(db: Database) -> bool:
    """Whether somebody waits for what this transaction has; on SQLite, where writers do so anyway, it can't be seen."""
    if not db.is_postgresql:
        return True
    with db.read() as session:
        asked = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(session.execute(asked).scalar_one())
