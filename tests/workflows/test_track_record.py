"""What editors pinned and left out teaches the ranking which outlets they trust."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from digest.curation.rank import rank
from digest.store.database import Database
from digest.store.tables import Issue, Placement
from digest.workflows import edit
from digest.workflows.context import Context
from digest.workflows.track_record import track_record
from tests.conftest import NOW, Clock
from tests.curation.make import story
from tests.workflows.world import FakeSender, context, publish

OUTLETS = {1: "The Docket", 2: "Daily Copy"}


@pytest.fixture
def ctx(db: Database, tmp_path: Path) -> Context:
    return context(db, tmp_path, FakeSender(), Clock())


def past_issue(ctx: Context, number: int) -> int:
    """An issue of yesterday whose stories 1 and 2 come from outlets of their own."""
    issue_id = publish(ctx, number)
    with ctx.db.write() as session:
        session.get_one(Issue, issue_id).window_end = NOW - timedelta(days=1, hours=number)
        for row in session.exec(select(Placement).where(Placement.issue_id == issue_id, col(Placement.story_id) < 3)):
            row.item = {**row.item, "source": OUTLETS[row.story_id]}
            session.add(row)
    return issue_id


def record(ctx: Context) -> dict[str, float]:
    with ctx.db.read() as session:
        newsletter = session.exec(select(Issue.newsletter_id)).first()
        return dict(track_record(session, newsletter or 0, NOW))


def test_an_issue_that_nobody_touched_teaches_nothing(ctx: Context) -> None:
    past_issue(ctx, 1)
    assert record(ctx) == {}


def test_pinning_raises_an_outlet_and_leaving_out_lowers_it_more_so_the_oftener(ctx: Context) -> None:
    for number in (1, 2, 3):
        issue_id = past_issue(ctx, number)
        edit.pin(ctx, issue_id, 1, "ana@example.org")
        edit.drop(ctx, issue_id, 2, "ana@example.org")
        if number == 1:
            once = record(ctx)
    often = record(ctx)
    assert 0 < once["the docket"] < often["the docket"]
    assert 0 > once["daily copy"] > often["daily copy"]
    assert abs(often.get("the wire", 0.0)) < 0.3


def test_another_newsletter_and_what_is_long_past_are_not_asked(ctx: Context) -> None:
    issue_id = past_issue(ctx, 1)
    edit.drop(ctx, issue_id, 2, "ana@example.org")
    with ctx.db.read() as session:
        assert track_record(session, 99, NOW) == {}
        assert track_record(session, 1, NOW + timedelta(days=91)) == {}


def test_the_track_record_is_a_part_of_the_score(ctx: Context) -> None:
    issue_id = past_issue(ctx, 1)
    edit.pin(ctx, issue_id, 1, "ana@example.org")
    stories = [story(number, source=source, topics=()) for number, source in OUTLETS.items()]
    first, second = rank(stories, NOW, priors=record(ctx))
    assert (first.lead.source, second.lead.source) == ("The Docket", "Daily Copy")
    assert [part.name for part in first.score.parts if part.value > 0] == ["coverage", "track record"]
