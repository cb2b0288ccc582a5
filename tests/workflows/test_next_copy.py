"""What a reader would get with choices that aren't saved: the mail that is sent later, and nothing that editors keep back."""

import email
import email.policy
import re
from pathlib import Path

import pytest

from digest.errors import InvalidToken, NotFound, RenderError
from digest.store import issues
from digest.store.database import Database
from digest.workflows import edit, subscribe
from digest.workflows.approve import approve, hold
from digest.workflows.context import Context
from digest.workflows.deliver import deliver
from digest.workflows.next_copy import NextCopies
from digest.workflows.subscribe import Choices
from tests.conftest import Clock
from tests.web.desk_house import EDITOR, HEADLINES, draft_issue, story_of
from tests.web.house import KeepingSender, make_context, publish

COURT, BITCOIN = HEADLINES[1][0], HEADLINES[2][0]


@pytest.fixture
def ctx(db: Database, clock: Clock, tmp_path: Path) -> Context:
    return make_context(db, clock, tmp_path)


@pytest.fixture
def plain(sqlite_db: Database, clock: Clock, tmp_path: Path) -> Context:
    return make_context(sqlite_db, clock, tmp_path)


def reader(ctx: Context, *topics: str, address: str = "rosa@example.org") -> str:
    """Somebody who chose these topics; the token that opens their choices."""
    number = subscribe.add_subscriber(ctx, address, newsletter=["ledger"], topics=list(topics), confirmed=True)[0]
    return ctx.signer.sign("preferences", number)


def choosing(*topics: str, frequency: str = "every-issue") -> Choices:
    return Choices(topics=frozenset(topics), frequency=frequency)


def body(mail: bytes) -> str:
    part = email.message_from_bytes(mail, policy=email.policy.default).get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_the_copy_is_the_mail_that_is_sent_but_for_what_is_the_readers_own(ctx: Context, clock: Clock) -> None:
    issue_id = draft_issue(ctx)
    token = reader(ctx, "policy")
    approve(ctx, issue_id, EDITOR)
    found = NextCopies(ctx).of(token, choosing("markets"))
    assert found is not None
    assert (found.standing, found.number, found.reason) == ("approved", 12, "")
    assert BITCOIN in found.html
    assert COURT not in found.html

    subscribe.save_preferences(ctx, token, choosing("markets"))
    clock.advance(hours=3)
    deliver(ctx, issue_id)
    assert isinstance(ctx.sender, KeepingSender)
    [sent] = ctx.sender.messages

    def impersonal(html: str) -> str:
        own = r"https://news\.example\.com/(?:unsubscribe|preferences)/[\w-]{32}"
        return re.sub(own, "LINK", html.replace("rosa@example.org", "you")).strip()

    assert impersonal(found.html) == impersonal(body(sent.data))


def test_the_copy_names_no_address_and_ends_nothing(plain: Context) -> None:
    approve(plain, draft_issue(plain), EDITOR)
    found = NextCopies(plain).of(reader(plain), Choices())
    assert found is not None
    assert "rosa@example.org" not in found.html
    assert "/unsubscribe/" not in found.html


def test_what_is_kept_stands_where_nothing_else_is_said(plain: Context) -> None:
    approve(plain, draft_issue(plain), EDITOR)
    found = NextCopies(plain).of(reader(plain, "policy"), Choices())
    assert found is not None
    assert [title for title, _ in found.sections] == ["Policy"]
    assert found.stories == 1 + sum(count for _, count in found.sections)


def test_choices_that_bring_no_mail_are_told_why(plain: Context) -> None:
    approve(plain, draft_issue(plain), EDITOR)
    found = NextCopies(plain).of(reader(plain), choosing(frequency="weekly"))
    assert found is not None
    assert found.html == ""
    assert found.reason.startswith("not on this day")


def test_a_draft_that_goes_out_by_itself_is_shown_as_it_stands(ctx: Context) -> None:
    issue_id = draft_issue(ctx, approval="auto")
    copies, token = NextCopies(ctx), reader(ctx)
    found = copies.of(token, Choices())
    assert found is not None
    assert found.standing == "draft"
    assert COURT in found.html
    edit.drop(ctx, issue_id, story_of(ctx, issue_id, COURT), EDITOR)
    found = copies.of(token, Choices())
    assert found is not None
    assert COURT not in found.html


@pytest.mark.parametrize("kept_back", ["waits for an editor", "held", "made by hand"])
def test_what_editors_have_not_let_go_is_not_shown(plain: Context, clock: Clock, kept_back: str) -> None:
    out = publish(plain, headline="Yesterday's news")
    clock.advance(days=1)
    issue_id = draft_issue(plain, approval="editor" if kept_back == "waits for an editor" else "auto")
    if kept_back == "held":
        hold(plain, issue_id, EDITOR, "a doubt")
    if kept_back == "made by hand":
        with plain.db.write() as session:
            issues.get(session, issue_id).slot = f"{issues.BY_HAND}noon"
    found = NextCopies(plain).of(reader(plain), Choices())
    assert found is not None
    assert found.standing == "out"
    assert "Yesterday" in found.html
    assert COURT not in found.html
    with plain.db.read() as session:
        assert found.number == issues.get(session, out).number


def test_before_any_issue_there_is_no_copy(plain: Context) -> None:
    assert NextCopies(plain).of(reader(plain), Choices()) is None


def test_a_topic_that_there_is_not_is_named(plain: Context) -> None:
    with pytest.raises(subscribe.WrongField, match="'gardening'"):
        NextCopies(plain).of(reader(plain), choosing("gardening"))


def test_no_other_link_opens_a_copy(plain: Context) -> None:
    approve(plain, draft_issue(plain), EDITOR)
    for token in (plain.signer.sign("unsubscribe", 1), plain.signer.sign("preferences", 99), "x" * 32):
        with pytest.raises(InvalidToken):
            NextCopies(plain).of(token, Choices())


@pytest.mark.parametrize(
    ("step", "error"), [("printed", NotFound("gone meanwhile")), ("html_of", RenderError("a token without a value"))]
)
def test_an_issue_that_can_not_be_shown_gives_way_to_the_one_before(
    plain: Context, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception
) -> None:
    approve(plain, draft_issue(plain), EDITOR)
    token = reader(plain)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(f"digest.workflows.next_copy.{step}", fail)
    assert NextCopies(plain).of(token, Choices()) is None
