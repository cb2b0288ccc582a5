"""An approved issue can be printed again, and what somebody was sent can be shown again, to the byte."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from sqlmodel import select, update

from digest.domain.audience import Signer
from digest.domain.issue import IssueDocument
from digest.errors import StateConflict
from digest.render import manifest
from digest.senders.open import open_sender
from digest.store.database import Database
from digest.store.tables import FragmentRow, Issue, ManifestRow, Newsletter, Topic
from digest.workflows import edit
from digest.workflows.approve import approve
from digest.workflows.context import Context
from digest.workflows.deliver import deliver
from digest.workflows.messages import shown_again
from digest.workflows.replay import manifest_of, rebuild
from tests.conftest import Clock
from tests.render import documents
from tests.workflows.world import TEMPLATES, FakeSender, context, publish, reader

OTHER_KEY = b"n" * 32


@pytest.fixture
def approved(db: Database, tmp_path: Path, clock: Clock) -> tuple[Context, int]:
    """A service on templates of its own, and an issue that went through approval."""
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    ctx = replace(context(db, tmp_path, FakeSender(), clock), templates=tmp_path / "templates")
    issue_id = publish(ctx)
    edit.pin(ctx, issue_id, 2, "ann")
    approve(ctx, issue_id, "ann")
    return ctx, issue_id


def test_an_approved_issue_is_printed_again_byte_for_byte(approved: tuple[Context, int]) -> None:
    ctx, issue_id = approved
    result = rebuild(ctx, issue_id)
    assert (result.same, result.difference, result.reasons) == (True, "", ())
    with ctx.db.read() as session:
        assert result.fragments == len(session.exec(select(FragmentRow)).all()) > 10
        kept = manifest_of(session, issue_id)
    assert kept is not None
    assert (kept.printed_at, kept.weights["coverage"]) == (ctx.clock(), 1.0)
    assert kept.document.blocks[1].section is not None
    assert kept.libraries.keys() > {"mjml-python", "premailer", "jinja2", "python"}
    assert kept.templates.keys() >= {"blocks/section.mjml", "layout.mjml", "style.css"}
    assert not [name for name in kept.templates if "notice" in name or name.startswith("confirm")]


def test_the_first_difference_is_named_with_its_byte_and_the_template_that_made_it(
    approved: tuple[Context, int],
) -> None:
    ctx, issue_id = approved
    template = ctx.templates / "email" / "blocks" / "section.mjml"
    source = template.read_text()
    # Any word that every section's items show.
    template.write_text(source.replace("{{ item.dek }}</p>", "{{ item.dek }} More to come.</p>"))
    assert template.read_text() != source
    result = rebuild(ctx, issue_id)
    assert (result.same, result.part, result.reasons) == (
        False,
        "html",
        ("the template blocks/section.mjml was changed",),
    )
    assert result.fragment.startswith("section:policy/item:")
    assert "More to come." in result.difference
    assert f"byte {result.byte} of the html of {result.fragment}" in result.difference


def test_a_block_that_is_not_printed_any_more_is_named(approved: tuple[Context, int]) -> None:
    ctx, issue_id = approved
    footer = ctx.templates / "email" / "blocks" / "footer.txt"
    footer.write_text("{{ mark(block.key) }}\nnothing of note\n{{ words.nobody_knows }}")
    result = rebuild(ctx, issue_id)
    assert not result.same
    assert "can't be printed any more" in result.difference
    assert result.reasons == ("the template blocks/footer.txt was changed",)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "libraries",
            lambda: {**manifest.libraries(), "premailer": "9.9"},
            "the library premailer was {old} and is 9.9",
        ),
        ("program", lambda: {"render/new.py": "x"}, "the program's file render/new.py is new"),
    ],
)
def test_what_changed_without_changing_a_byte_is_said_too(
    approved: tuple[Context, int],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: Callable[[], dict[str, str]],
    reason: str,
) -> None:
    ctx, issue_id = approved
    old, changed = manifest.libraries()["premailer"], value()
    monkeypatch.setattr(manifest, name, lambda: changed)
    result = rebuild(ctx, issue_id)
    assert result.same
    assert reason.format(old=old) in result.reasons


def test_bytes_that_somebody_changed_in_the_database_are_named(approved: tuple[Context, int]) -> None:
    ctx, issue_id = approved
    with ctx.db.write() as session:
        session.execute(update(FragmentRow).where(FragmentRow.key == "masthead").values(html=b"<p>=\r\n"))  # type: ignore[arg-type]
    result = rebuild(ctx, issue_id)
    assert (result.same, result.fragment) == (False, "masthead")
    assert "database" in result.difference


def test_an_edit_voids_the_manifest_with_the_approval(approved: tuple[Context, int]) -> None:
    ctx, issue_id = approved
    edit.drop(ctx, issue_id, 3, "ann")
    with ctx.db.read() as session:
        assert session.get(ManifestRow, issue_id) is None
    with pytest.raises(StateConflict, match="approve it first"):
        rebuild(ctx, issue_id)


def test_an_issue_without_a_manifest_says_why_it_cannot_be_printed_again(approved: tuple[Context, int]) -> None:
    ctx, issue_id = approved
    with ctx.db.write() as session:
        session.execute(update(ManifestRow).values(data={"of": "another age"}))
    with pytest.raises(StateConflict, match="another shape"):
        rebuild(ctx, issue_id)


def test_what_everybody_got_is_shown_to_the_byte_whatever_changed_since(
    approved: tuple[Context, int], tmp_path: Path
) -> None:
    ctx, issue_id = approved
    ctx = replace(ctx, sender=open_sender(f"file://{tmp_path / 'outbox'}"))
    people = {"ada@r.example": ("policy",), "bob@r.example": ("markets",), "eve@r.example": ()}
    for address, topics in people.items():
        reader(ctx, address, *topics)
    deliver(ctx, issue_id)
    ctx.sender.close()
    outbox = {file.read_bytes() for file in (tmp_path / "outbox" / "new").iterdir()}
    assert len(outbox) == 3

    # The service moves house, its key is replaced, the newsletter gets other words and loses a topic.
    with ctx.db.write() as session:
        newsletter = session.exec(select(Newsletter)).one()
        newsletter.spec = {**newsletter.spec, "name": "The Other Ledger", "tagline": "New words."}
        for issue in session.exec(select(Issue)):
            issue.spec = {**issue.spec, "name": "The Other Ledger"}
        for topic in session.exec(select(Topic)):
            topic.retired_at = ctx.clock()
    later = replace(ctx, public_url="https://elsewhere.example", signer=Signer(OTHER_KEY, (ctx.signer.key,)))
    assert {shown_again(later, issue_id, address) for address in people} == outbox

    lost = replace(ctx, signer=Signer(OTHER_KEY))
    with pytest.raises(StateConflict, match="DIGEST_RETIRED_KEYS"):
        shown_again(lost, issue_id, "ada@r.example")


@pytest.mark.parametrize("locale", ["en-US", "ar"])
def test_a_document_comes_back_from_the_manifest_as_it_was(locale: str) -> None:
    document = documents.document(locale=locale)
    adapter = TypeAdapter(IssueDocument)
    again = adapter.validate_python(adapter.dump_python(document, mode="json"))
    assert again == document
    assert documents.renderer().render(again) == documents.renderer().render(document)
