"""What editors write at the desk: kept with the issue, beside the draft, undone and taken back."""

from pathlib import Path

import pytest

from digest.domain.issue import Question
from digest.errors import NotFound, StateConflict, UsageError
from digest.newsroom.mailbag import markdown, questions
from digest.store import audit_log, issues
from digest.store.database import Database
from digest.workflows import edit, writing
from digest.workflows.approve import approve
from digest.workflows.context import Context
from digest.workflows.document import document_of
from digest.workflows.preview import preview
from digest.workflows.writing import Page
from tests.conftest import Clock
from tests.web.desk_house import EDITOR, draft_issue, issue_of
from tests.web.house import make_context

LETTER, MAILBAG, PROMO = "letter:3", "mailbag:4", "promo:8"
"""Keys in the layout of the house's draft."""


@pytest.fixture
def ctx(db: Database, clock: Clock, tmp_path: Path) -> Context:
    return make_context(db, clock, tmp_path)


@pytest.fixture
def plain(sqlite_db: Database, clock: Clock, tmp_path: Path) -> Context:
    return make_context(sqlite_db, clock, tmp_path)


def page(ctx: Context, issue_id: int, key: str = LETTER) -> Page:
    issue = issue_of(ctx, issue_id)
    return writing.pages_of(issue, issues.spec_of(issue))[key]


def blocks(ctx: Context, issue_id: int) -> list[str]:
    with ctx.db.read() as session:
        return [block.key for block in document_of(session, issue_id, ctx).blocks]


def test_a_letter_stands_in_the_mail_at_its_place_in_the_layout(ctx: Context) -> None:
    issue_id = draft_issue(ctx, written=True)
    before = blocks(ctx, issue_id)
    assert LETTER not in before
    writing.write(ctx, issue_id, LETTER, "Good morning", "Ports are *quiet*.\r\n\r\nSo are we.", EDITOR)
    after = blocks(ctx, issue_id)
    assert [key for key in after if key != LETTER] == before
    assert after[after.index(LETTER) - 1 : after.index(LETTER) + 2] == ["epigraph", LETTER, "lead"]
    html = str(preview(ctx, issue_id))
    assert "Good morning" in html
    assert "<em>quiet</em>" in html
    assert page(ctx, issue_id).by == "desk"


def test_what_was_written_ahead_is_the_fallback(ctx: Context) -> None:
    issue_id = draft_issue(ctx, written=True)
    assert page(ctx, issue_id, PROMO).body == "Read our book."
    writing.write(ctx, issue_id, PROMO, "", "Read our *new* book.", EDITOR)
    assert "<em>new</em>" in str(preview(ctx, issue_id))
    writing.write(ctx, issue_id, PROMO, "", "", EDITOR)
    assert PROMO not in blocks(ctx, issue_id)
    writing.take_back(ctx, issue_id, PROMO, EDITOR)
    assert PROMO in blocks(ctx, issue_id)
    assert (page(ctx, issue_id, PROMO).by, page(ctx, issue_id, PROMO).body) == ("draft", "Read our book.")


def test_writing_is_written_down_undone_and_counts_as_an_edit(ctx: Context) -> None:
    issue_id = draft_issue(ctx, written=True)
    writing.write(ctx, issue_id, LETTER, "One", "The first.", EDITOR)
    writing.write(ctx, issue_id, LETTER, "Two", "The second.", EDITOR)
    with ctx.db.read() as session:
        entry = audit_log.about(session, audit_log.issue_subject(issue_id))[0]
    assert (entry.actor, entry.action) == (EDITOR, "write")
    assert (entry.before or {})["words"] == {LETTER: {"title": "One", "body": "The first."}}
    assert (entry.after or {})["words"] == {LETTER: {"title": "Two", "body": "The second."}}
    assert issue_of(ctx, issue_id).revision == 2
    assert edit.undo(ctx, issue_id, EDITOR) == "write"
    assert page(ctx, issue_id).body == "The first."
    edit.undo(ctx, issue_id, EDITOR)
    assert page(ctx, issue_id).by == ""


def test_words_that_change_nothing_leave_no_trace(plain: Context) -> None:
    issue_id = draft_issue(plain, written=True)
    writing.write(plain, issue_id, PROMO, "", " Read our book.\r\n", EDITOR)
    writing.write(plain, issue_id, LETTER, "", "  ", EDITOR)
    writing.take_back(plain, issue_id, LETTER, EDITOR)
    assert issue_of(plain, issue_id).revision == 0


def test_writing_voids_an_approval(ctx: Context) -> None:
    issue_id = draft_issue(ctx, written=True)
    approve(ctx, issue_id, EDITOR)
    writing.write(ctx, issue_id, LETTER, "", "Late news.", EDITOR)
    issue = issue_of(ctx, issue_id)
    assert (issue.state, issue.approved_by) == ("draft", "")
    approve(ctx, issue_id, EDITOR)
    assert "Late news." in str(preview(ctx, issue_id))


def test_nobody_writes_over_what_another_wrote_meanwhile(plain: Context) -> None:
    issue_id = draft_issue(plain, written=True)
    seen = page(plain, issue_id).fingerprint
    writing.write(plain, issue_id, LETTER, "", "Ann's words.", EDITOR, seen=seen)
    with pytest.raises(StateConflict, match="somebody else wrote"):
        writing.write(plain, issue_id, LETTER, "", "Ben's words.", EDITOR, seen=seen)
    assert page(plain, issue_id).body == "Ann's words."


@pytest.mark.parametrize(
    ("key", "title", "body", "words"),
    [
        (LETTER, "t" * 201, "b", "the title has 201 characters"),
        (LETTER, "t", "b" * 20_001, "the body has 20,001 characters"),
        (MAILBAG, "", "No heading asks here.", "a mailbag needs"),
    ],
)
def test_what_cannot_be_printed_is_refused_and_changes_nothing(
    plain: Context, key: str, title: str, body: str, words: str
) -> None:
    issue_id = draft_issue(plain, written=True)
    with pytest.raises(UsageError, match=words):
        writing.write(plain, issue_id, key, title, body, EDITOR)
    assert issue_of(plain, issue_id).revision == 0


@pytest.mark.parametrize("key", ["lead", "letter:99", "sponsor:1", ""])
def test_only_blocks_of_the_layout_that_are_written_can_be_written(plain: Context, key: str) -> None:
    with pytest.raises(NotFound, match="no block"):
        writing.write(plain, draft_issue(plain, written=True), key, "", "Words.", EDITOR)


def test_an_issue_past_editing_stays_as_it_is(plain: Context) -> None:
    issue_id = draft_issue(plain, written=True)
    with plain.db.write() as session:
        issues.move(session, issue_id, ["draft"], "sent")
    with pytest.raises(StateConflict, match="sent"):
        writing.write(plain, issue_id, LETTER, "", "Too late.", EDITOR)


def test_a_mailbag_is_written_as_questions_and_read_back_as_written(plain: Context) -> None:
    asked = (Question("Why?", "Because.\n\nTruly.", "Ada"), Question("When?", "Now.", ""))
    assert questions(markdown(asked)) == asked
    issue_id = draft_issue(plain, written=True)
    writing.write(plain, issue_id, MAILBAG, "", markdown(asked), EDITOR)
    assert page(plain, issue_id, MAILBAG).body == markdown(asked)
    html = str(preview(plain, issue_id))
    assert "Why?" in html
    assert "Truly." in html
