"""Which issue is planned when: once for each slot, and never in the way of the next one."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from digest.domain.audience import Signer
from digest.domain.newsroom import BlockSpec, NewsletterSpec, Newsroom
from digest.errors import NotFound, UsageError
from digest.feeds.fetch import Fetcher
from digest.senders.open import open_sender
from digest.store.database import Database
from digest.store.newsroom import write_newsroom
from digest.store.tables import Article, Feed, Issue
from digest.workflows.approve import cancel, resume
from digest.workflows.autopilot import advance, plan_due
from digest.workflows.context import Context
from digest.workflows.draft import draft, plan_issue
from tests.conftest import Clock
from tests.workflows.world import FakeSender, context, publish, reader

SPEC = NewsletterSpec(
    slug="daily", name="The Daily", tagline="News.", host="Ann", from_address="daily@example.org",
    postal_address="1 Main St", hour="06:00", zone="UTC", draft_lead=60, blocks=(BlockSpec("lead"), BlockSpec("footer")),
)  # fmt: skip


@pytest.fixture
def ctx(db: Database, tmp_path: Path, clock: Clock) -> Context:
    with db.write() as session:
        write_newsroom(session, Newsroom(newsletters=(SPEC,)), clock())
        session.add(Feed(url="https://a.example.org/rss", name="A"))
    return Context(
        db=db, sender=open_sender(f"file://{tmp_path}/outbox"), fetcher=Fetcher(), signer=Signer(b"k" * 32), clock=clock,
        public_url="https://news.example.org", var=tmp_path, templates=tmp_path,
    )  # fmt: skip


def publish_article(ctx: Context, number: int) -> None:
    now = ctx.clock() - timedelta(minutes=5)
    with ctx.db.write() as session:
        feed = session.exec(select(Feed)).one()
        session.add(
            Article(
                url=f"https://a.example.org/{number}", title=f"Thing {number} happens", source="A", published_at=now,
                first_seen_at=now, feed_id=feed.id or 0,
            )
        )  # fmt: skip


def issue(ctx: Context, issue_id: int | None) -> Issue:
    with ctx.db.read() as session:
        return session.get_one(Issue, issue_id)


def test_a_newsletter_begins_with_its_first_news_and_not_before(ctx: Context, clock: Clock) -> None:
    assert plan_issue(ctx, "daily") is None
    with pytest.raises(NotFound, match="no article"):
        draft(ctx, "daily")
    publish_article(ctx, 1)
    first = plan_issue(ctx, "daily")
    assert issue(ctx, first).slot == "first"
    assert plan_issue(ctx, "daily") == first


def test_the_next_slot_is_planned_when_its_draft_is_due_and_its_window_adjoins(ctx: Context, clock: Clock) -> None:
    publish_article(ctx, 1)  # it is Thursday, 11:00
    first = plan_issue(ctx, "daily")
    clock.advance(hours=17)  # 04:00: a draft is made at 05:00
    assert plan_issue(ctx, "daily") == first
    clock.advance(hours=1)
    second = issue(ctx, plan_issue(ctx, "daily"))
    assert second.slot == "2026-03-13"
    assert second.window_start == issue(ctx, first).window_end
    assert (second.due_at - second.window_end) == timedelta(hours=1)


def test_cancelling_the_first_issue_does_not_silence_the_newsletter(ctx: Context, clock: Clock) -> None:
    publish_article(ctx, 1)
    first = plan_issue(ctx, "daily")
    cancel(ctx, first or 0, "ann")
    assert plan_issue(ctx, "daily") is None
    clock.advance(hours=18)
    assert issue(ctx, plan_issue(ctx, "daily")).slot == "2026-03-13"


def test_an_issue_drafted_by_hand_does_not_stand_in_for_the_next_slot(ctx: Context, clock: Clock) -> None:
    publish_article(ctx, 1)
    plan_issue(ctx, "daily")
    clock.advance(hours=17, minutes=30)
    by_hand = plan_issue(ctx, "daily", clock() + timedelta(hours=1))
    clock.advance(minutes=31)
    due = issue(ctx, plan_issue(ctx, "daily"))
    assert due.slot == "2026-03-13"
    assert due.id != by_hand


def test_a_time_too_far_ahead_is_refused(ctx: Context, clock: Clock) -> None:
    with pytest.raises(UsageError, match="too far ahead"):
        plan_issue(ctx, "daily", clock() + timedelta(days=2))


def test_many_schedulers_at_once_plan_each_slot_once(ctx: Context, clock: Clock) -> None:
    """Two newsletters, a week of slots, six schedulers that tick at the same moment."""
    other = replace(SPEC, slug="asia", hour="17:30", zone="Asia/Hong_Kong", cadence="weekdays")
    with ctx.db.write() as session:
        write_newsroom(session, Newsroom(newsletters=(SPEC, other)), clock())
    publish_article(ctx, 1)
    plan_due(ctx)
    together = threading.Barrier(6, timeout=20)

    def tick(_scheduler: int) -> list[int]:
        together.wait()
        return plan_due(ctx)

    with ThreadPoolExecutor(6) as pool:
        for _day in range(7):
            clock.advance(hours=24)
            assert len({tuple(planned) for planned in pool.map(tick, range(6))}) == 1
    with ctx.db.read() as session:
        slots = [(row.newsletter_id, row.slot) for row in session.exec(select(Issue)) if row.slot != "first"]
        windows: dict[int, list[Issue]] = {}
        for row in session.exec(select(Issue).order_by(col(Issue.window_end))):
            windows.setdefault(row.newsletter_id, []).append(row)
    assert sorted(slots) == [
        *((1, f"2026-03-{day}") for day in range(13, 20)), *((2, f"2026-03-{day}") for day in (13, 16, 17, 18, 19)),
    ]  # fmt: skip
    for rows in windows.values():
        for before, after in itertools.pairwise(rows):
            assert after.window_start == before.window_end


def test_after_days_of_downtime_the_newest_slot_is_made_with_a_window_that_adjoins(ctx: Context, clock: Clock) -> None:
    publish_article(ctx, 1)
    first = issue(ctx, plan_issue(ctx, "daily"))
    clock.advance(days=9)
    late = issue(ctx, plan_issue(ctx, "daily"))
    assert late.slot == "2026-03-21"
    assert late.window_start == first.window_end


@pytest.mark.parametrize(("late", "state"), [(5, "sent"), (7, "held")])
def test_an_approved_issue_is_sent_within_its_grace_and_held_after_it_until_somebody_lets_it_go(
    db: Database, tmp_path: Path, clock: Clock, late: int, state: str
) -> None:
    """The service was down at its hour."""
    sender = FakeSender()
    ctx = context(db, tmp_path / "var", sender, clock)
    number = publish(ctx)
    reader(ctx, "a@x.example")
    clock.advance(hours=late)
    advance(ctx)
    assert issue(ctx, number).state == state
    if state == "held":
        assert "over 6 hours ago" in issue(ctx, number).reason
        assert sender.taken == []
        clock.advance(hours=10)
        resume(ctx, number, "ann")
        advance(ctx)
        assert issue(ctx, number).state == "sent"
    assert len(sender.taken) == 1
