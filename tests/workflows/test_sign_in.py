"""Sign-in links and sessions: once, in time, and for editors alone."""

from pathlib import Path

import pytest
from sqlmodel import select

from digest.errors import InvalidToken, NotFound, UsageError
from digest.store.database import Database
from digest.store.tables import Notice, SignIn
from digest.workflows import sign_in as door
from digest.workflows.context import Context
from tests.conftest import Clock
from tests.web.house import make_context

ED = "ed@example.com"


def house(db: Database, clock: Clock, var: Path) -> Context:
    ctx = make_context(db, clock, var)
    door.ensure_editor(ctx, ED, "editor")
    return ctx


@pytest.fixture
def ctx(sqlite_db: Database, clock: Clock, tmp_path: Path) -> Context:
    return house(sqlite_db, clock, tmp_path)


@pytest.fixture
def both(db: Database, clock: Clock, tmp_path: Path) -> Context:
    """The same house, once on SQLite and once on PostgreSQL."""
    return house(db, clock, tmp_path)


def notices(ctx: Context) -> list[Notice]:
    with ctx.db.read() as session:
        return list(session.exec(select(Notice)))


def test_a_link_opens_a_session_of_its_editor(both: Context) -> None:
    editor = door.editor_of(both, door.sign_in(both, door.make_link(both, "ED@Example.com ")))
    assert editor is not None
    assert (editor.address, editor.role) == (ED, "editor")


def test_a_link_works_once(both: Context) -> None:
    token = door.make_link(both, ED)
    door.sign_in(both, token)
    assert not door.link_is_good(both, token)
    with pytest.raises(InvalidToken):
        door.sign_in(both, token)


def test_looking_at_a_link_does_not_use_it_up(ctx: Context) -> None:
    token = door.make_link(ctx, ED)
    assert door.link_is_good(ctx, token)
    assert door.link_is_good(ctx, token)
    door.sign_in(ctx, token)


@pytest.mark.parametrize(("minutes", "good"), [(29, True), (30, False)])
def test_a_link_runs_out_after_thirty_minutes(ctx: Context, clock: Clock, minutes: int, good: bool) -> None:
    token = door.make_link(ctx, ED)
    clock.advance(minutes=minutes)
    assert door.link_is_good(ctx, token) is good


@pytest.mark.parametrize(("days", "open_"), [(13, True), (14, False)])
def test_a_session_ends_after_fourteen_days(ctx: Context, clock: Clock, days: int, open_: bool) -> None:
    session = door.sign_in(ctx, door.make_link(ctx, ED))
    clock.advance(days=days)
    assert (door.editor_of(ctx, session) is not None) is open_


def test_a_link_is_no_session_and_a_session_no_link(ctx: Context) -> None:
    link = door.make_link(ctx, ED)
    assert door.editor_of(ctx, link) is None
    session = door.sign_in(ctx, link)
    with pytest.raises(InvalidToken):
        door.sign_in(ctx, session)


def test_signing_out_ends_the_session(both: Context) -> None:
    session = door.sign_in(both, door.make_link(both, ED))
    door.sign_out(both, session)
    door.sign_out(both, session)
    assert door.editor_of(both, session) is None


@pytest.mark.parametrize("token", ["", "x", "…", "\udcff", "a" * 10_000])
def test_nonsense_opens_nothing(ctx: Context, token: str) -> None:
    assert door.editor_of(ctx, token) is None
    with pytest.raises(InvalidToken):
        door.sign_in(ctx, token)


def test_only_hashes_are_kept(ctx: Context) -> None:
    link = door.make_link(ctx, ED)
    session_token = door.sign_in(ctx, link)
    with ctx.db.read() as session:
        kept = [row.token_hash for row in session.exec(select(SignIn))]
    assert len(kept) == 2
    assert all(link not in value and session_token not in value for value in kept)


def test_asking_queues_a_mail_for_an_editor_and_nothing_for_others(both: Context) -> None:
    door.ask_for_link(both, "stranger@example.com")
    assert notices(both) == []
    door.ask_for_link(both, "Ed@example.com")
    (notice,) = notices(both)
    assert (notice.kind, notice.address) == ("sign-in-link", ED)
    assert door.link_is_good(both, notice.payload["url"].rpartition("/")[2])


def test_nobody_is_flooded_with_links(ctx: Context, clock: Clock) -> None:
    for _ in range(door.MAX_LIVE_LINKS + 3):
        door.ask_for_link(ctx, ED)
    assert len(notices(ctx)) == door.MAX_LIVE_LINKS
    clock.advance(minutes=31)
    door.ask_for_link(ctx, ED)
    assert len(notices(ctx)) == door.MAX_LIVE_LINKS + 1


def test_a_stranger_gets_no_link(ctx: Context) -> None:
    with pytest.raises(NotFound, match="stranger"):
        door.make_link(ctx, "stranger@example.com")


def test_a_changed_role_ends_old_sessions(both: Context) -> None:
    session = door.sign_in(both, door.make_link(both, ED))
    door.ensure_editor(both, ED, "editor")
    assert door.editor_of(both, session) is not None
    door.ensure_editor(both, ED, "viewer")
    assert door.editor_of(both, session) is None


@pytest.mark.parametrize(("address", "role"), [("nobody", "editor"), (ED, "king")])
def test_a_wrong_address_or_role_is_refused(ctx: Context, address: str, role: door.Role) -> None:
    with pytest.raises(UsageError):
        door.ensure_editor(ctx, address, role)


@pytest.mark.parametrize(
    ("role", "rights"),
    [("viewer", "look"), ("editor", "look edit"), ("publisher", "look edit publish"), ("admin", "look edit publish"), ("", "")],
)  # fmt: skip
def test_roles_have_their_rights_and_no_more(role: str, rights: str) -> None:
    view = door.EditorView(1, ED, role)
    assert [right for right in ("look", "edit", "publish") if view.may(right)] == rights.split()  # type: ignore[arg-type]
