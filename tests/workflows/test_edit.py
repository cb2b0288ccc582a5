"""Edits of the running order: what they do, that they are written down, and that they are refused in time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from digest.errors import NotFound, StateConflict, UsageError
from digest.store import audit_log, issues
from digest.store.database import Database
from digest.store.tables import LedgerRow, Placement, Subscriber, Subscription
from digest.workflows import edit
from digest.workflows.context import Context
from digest.workflows.document import document_of
from tests.conftest import Clock
from tests.web.desk_house import HEADLINES, draft_issue, issue_of, rows_of, story_of
from tests.web.house import make_context

ACTOR = "ed@example.com"
POLICY = [row[0] for row in HEADLINES if row[2][0] == "policy"]


@pytest.fixture
def ctx(db: Database, clock: Clock, tmp_path: Path) -> Context:
    """A house, once on SQLite and once on PostgreSQL."""
    return make_context(db, clock, tmp_path)


@pytest.fixture
def issue_id(ctx: Context) -> int:
    return draft_issue(ctx)


@pytest.fixture
def plain(sqlite_db: Database, clock: Clock, tmp_path: Path) -> Context:
    """A house on SQLite, for what doesn't depend on the database."""
    return make_context(sqlite_db, clock, tmp_path)


def section(ctx: Context, issue_id: int, key: str) -> list[str]:
    """Headlines of a block as readers would see them."""
    with ctx.db.read() as session:
        document = document_of(session, issue_id, ctx)
    found = next(block.section for block in document.blocks if block.key == key)
    return [placed.item.headline for placed in found.items] if found else []


def test_a_pinned_story_leads_and_stands_first_in_its_section(ctx: Context, issue_id: int) -> None:
    edit.pin(ctx, issue_id, story_of(ctx, issue_id, POLICY[3]), ACTOR)
    assert section(ctx, issue_id, "lead")[0] == POLICY[3]
    assert section(ctx, issue_id, "section:policy") == [POLICY[3], *POLICY[:3], POLICY[4]]


def test_an_unpinned_story_goes_back_to_its_place(plain: Context) -> None:
    issue_id = draft_issue(plain)
    story = story_of(plain, issue_id, POLICY[3])
    edit.pin(plain, issue_id, story, ACTOR)
    edit.unpin(plain, issue_id, story, ACTOR)
    assert section(plain, issue_id, "section:policy") == POLICY


def test_a_dropped_story_is_gone_everywhere_until_it_is_restored(ctx: Context, issue_id: int) -> None:
    story = story_of(ctx, issue_id, POLICY[0])
    edit.drop(ctx, issue_id, story, ACTOR)
    assert POLICY[0] not in section(ctx, issue_id, "lead") + section(ctx, issue_id, "section:policy")
    edit.restore(ctx, issue_id, story, ACTOR)
    assert section(ctx, issue_id, "section:policy") == POLICY


def test_a_new_headline_stands_in_lead_and_section(ctx: Context, issue_id: int) -> None:
    edit.retitle(ctx, issue_id, story_of(ctx, issue_id, POLICY[0]), ACTOR, headline="  Senate\nsays yes ")
    assert section(ctx, issue_id, "lead")[0] == section(ctx, issue_id, "section:policy")[0] == "Senate says yes"


def test_an_empty_headline_gives_the_drafted_one_back(plain: Context) -> None:
    issue_id = draft_issue(plain)
    story = story_of(plain, issue_id, POLICY[0])
    edit.retitle(plain, issue_id, story, ACTOR, headline="Other words", dek="Other dek.")
    edit.retitle(plain, issue_id, story, ACTOR, headline="")
    row = rows_of(plain, issue_id, "section:policy")[0]
    assert (row.headline, row.dek) == (None, "Other dek.")


def test_a_headline_that_is_too_long_is_refused_and_changes_nothing(plain: Context) -> None:
    issue_id = draft_issue(plain)
    with pytest.raises(UsageError, match="201 characters"):
        edit.retitle(plain, issue_id, story_of(plain, issue_id, POLICY[0]), ACTOR, headline="x" * 201)
    assert issue_of(plain, issue_id).revision == 0


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        (["up"], [0, 2, 1, 3, 4]),
        (["down"], [0, 1, 3, 2, 4]),
        (["up", "up"], [2, 0, 1, 3, 4]),
        (["up", "down"], [0, 1, 2, 3, 4]),
    ],
)
def test_the_third_story_moves(plain: Context, moves: list[str], expected: list[int]) -> None:
    issue_id = draft_issue(plain)
    for step in moves:
        edit.move(plain, issue_id, story_of(plain, issue_id, POLICY[2]), step, ACTOR)
    assert section(plain, issue_id, "section:policy") == [POLICY[index] for index in expected]


def test_a_story_moves_past_a_dropped_one_in_one_step(plain: Context) -> None:
    issue_id = draft_issue(plain)
    edit.drop(plain, issue_id, story_of(plain, issue_id, POLICY[1]), ACTOR)
    edit.move(plain, issue_id, story_of(plain, issue_id, POLICY[2]), "up", ACTOR)
    assert section(plain, issue_id, "section:policy") == [POLICY[2], POLICY[0], *POLICY[3:]]


def test_the_first_story_can_not_move_up(plain: Context) -> None:
    issue_id = draft_issue(plain)
    with pytest.raises(StateConflict, match="already stands first"):
        edit.move(plain, issue_id, story_of(plain, issue_id, POLICY[0]), "up", ACTOR)


def test_a_story_moves_to_the_end_of_another_section(ctx: Context, issue_id: int) -> None:
    edit.move(ctx, issue_id, story_of(ctx, issue_id, POLICY[1]), "section:markets", ACTOR)
    assert section(ctx, issue_id, "section:markets")[-1] == POLICY[1]
    assert POLICY[1] not in section(ctx, issue_id, "section:policy")


def test_a_section_that_the_issue_lacks_is_named(plain: Context) -> None:
    issue_id = draft_issue(plain)
    with pytest.raises(NotFound, match="section:sports"):
        edit.move(plain, issue_id, story_of(plain, issue_id, POLICY[1]), "section:sports", ACTOR)


def test_every_edit_is_written_down_with_before_and_after(ctx: Context, issue_id: int, clock: Clock) -> None:
    story = story_of(ctx, issue_id, POLICY[1])
    revision = edit.retitle(ctx, issue_id, story, ACTOR, headline="Better words")
    with ctx.db.read() as session:
        (entry,) = audit_log.about(session, f"issue:{issue_id}")
    assert (entry.at, entry.actor, entry.action) == (clock(), ACTOR, "retitle")
    assert entry.before
    assert entry.after
    assert [row["headline"] for row in entry.before["placements"]] == [None]
    assert [row["headline"] for row in entry.after["placements"]] == ["Better words"]
    assert revision == issue_of(ctx, issue_id).revision == 1


def test_an_edit_that_changes_nothing_leaves_no_trace(ctx: Context, issue_id: int) -> None:
    assert edit.unpin(ctx, issue_id, story_of(ctx, issue_id, POLICY[1]), ACTOR) == 0
    with ctx.db.read() as session:
        assert audit_log.about(session, f"issue:{issue_id}") == []


def test_undo_takes_edits_back_one_by_one(ctx: Context, issue_id: int) -> None:
    first, second = story_of(ctx, issue_id, POLICY[1]), story_of(ctx, issue_id, POLICY[2])
    edit.pin(ctx, issue_id, first, ACTOR)
    edit.drop(ctx, issue_id, second, ACTOR)
    assert edit.undo(ctx, issue_id, ACTOR) == "drop"
    assert section(ctx, issue_id, "section:policy") == [POLICY[1], POLICY[0], *POLICY[2:]]
    edit.move(ctx, issue_id, second, "section:markets", ACTOR)
    assert [edit.undo(ctx, issue_id, ACTOR), edit.undo(ctx, issue_id, ACTOR)] == ["move", "pin"]
    assert section(ctx, issue_id, "section:policy") == POLICY
    with pytest.raises(StateConflict, match="no edit to undo"):
        edit.undo(ctx, issue_id, ACTOR)
    assert issue_of(ctx, issue_id).revision == 6


def test_an_edit_voids_an_approval(ctx: Context, issue_id: int, clock: Clock) -> None:
    with ctx.db.write() as session:
        issues.move(session, issue_id, ["draft"], "approved", approved_by=ACTOR, approved_at=clock())
        issues.save_fragments(session, issue_id, ())
    edit.pin(ctx, issue_id, story_of(ctx, issue_id, POLICY[1]), ACTOR)
    issue = issue_of(ctx, issue_id)
    assert (issue.state, issue.approved_by, issue.approved_at) == ("draft", "", None)


@pytest.mark.parametrize("state", ["sending", "sent", "cancelled", "empty"])
def test_an_issue_past_editing_is_left_alone(plain: Context, state: str) -> None:
    issue_id = draft_issue(plain)
    with plain.db.write() as session:
        issues.move(session, issue_id, ["draft"], state)
    with pytest.raises(StateConflict, match=state):
        edit.drop(plain, issue_id, story_of(plain, issue_id, POLICY[1]), ACTOR)
    assert not any(row.dropped for row in rows_of(plain, issue_id, "section:policy"))


def test_a_held_issue_of_which_copies_have_left_is_left_alone(ctx: Context, issue_id: int, clock: Clock) -> None:
    with ctx.db.write() as session:
        issues.move(session, issue_id, ["draft"], "held")
        reader = Subscriber(address="r@example.com", address_key="r@example.com", created_at=clock())
        session.add(reader)
        session.flush()
        newsletter, _ = issues.newsletter(session, "ledger")
        signed = Subscription(subscriber_id=reader.id, newsletter_id=newsletter.id, created_at=clock())
        session.add(signed)
        session.flush()
        session.add(LedgerRow(issue_id=issue_id, subscriber_id=reader.id, subscription_id=signed.id, state="sent"))
    with pytest.raises(StateConflict, match="copies of this issue have left"):
        edit.drop(ctx, issue_id, story_of(ctx, issue_id, POLICY[1]), ACTOR)


@pytest.mark.parametrize("step", [edit.pin, edit.unpin, edit.drop, edit.restore])
def test_a_story_of_another_issue_is_not_found(plain: Context, step: Callable[[Context, int, int, str], int]) -> None:
    issue_id = draft_issue(plain)
    with pytest.raises(NotFound):
        step(plain, issue_id, 10_000, ACTOR)


def test_an_issue_that_is_not_there_is_not_found(plain: Context) -> None:
    with pytest.raises(NotFound):
        edit.pin(plain, 404, 1, ACTOR)


def test_the_headline_shown_is_the_editors_if_there_is_one() -> None:
    row = Placement(issue_id=1, story_id=1, section="lead", position=0, form="lead", item={"headline": "Drafted"})
    assert edit.shown_headline(row) == "Drafted"
    row.headline = "Edited"
    assert edit.shown_headline(row) == "Edited"
