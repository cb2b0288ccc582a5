"""Edits of the running order: one form per row, one word for what to do."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import Response

from digest.errors import DigestError, UsageError
from digest.web.desk.lens import Lens, lens_of
from digest.web.desk.visit import Desk, go
from digest.workflows import edit
from digest.workflows.sign_in import EditorView

_SIMPLE = {
    "pin": (edit.pin, "Pinned: it stands before all others."),
    "unpin": (edit.unpin, "Unpinned: it is back at its place."),
    "drop": (edit.drop, "Left out of this issue."),
    "restore": (edit.restore, "Taken back into this issue."),
}


def add_to(routes: APIRouter, desk: Desk) -> None:
    """Adds ``/desk/issues/{id}/stories/{story}`` and ``/desk/issues/{id}/undo``."""
    ctx = desk.ctx

    @routes.post("/issues/{issue_id}/stories/{story_id}")
    def change(
        issue_id: int,
        story_id: int,
        lens: Annotated[Lens, Depends(lens_of)],
        editor: Annotated[EditorView, Depends(desk.acting("edit"))],
        do: Annotated[str, Form()] = "",
        to: Annotated[str, Form()] = "",
        headline: Annotated[str | None, Form()] = None,
        dek: Annotated[str | None, Form()] = None,
    ) -> Response:
        """Pin, unpin, drop, restore, move (``up``, ``down``, or ``move`` with ``to``) or retitle one story."""

        def act() -> str:
            if do in _SIMPLE:
                step, words = _SIMPLE[do]
                step(ctx, issue_id, story_id, editor.address)
                return words
            if do in ("up", "down", "move"):
                edit.move(ctx, issue_id, story_id, to if do == "move" else do, editor.address)
                return "Moved."
            if do == "retitle":
                # A form can't send "nothing": an emptied field is empty here, and gives the drafted words back.
                edit.retitle(ctx, issue_id, story_id, editor.address, headline=headline or "", dek=dek or "")
                return "The new words are in the mail."
            raise UsageError(f"there is no step {do!r}")

        back = f"/desk/issues/{issue_id}{lens.query}"
        try:
            return go(back, good=act())
        except DigestError as error:
            return go(back, bad=sentence(error))

    @routes.post("/issues/{issue_id}/undo")
    def undo(
        issue_id: int,
        lens: Annotated[Lens, Depends(lens_of)],
        editor: Annotated[EditorView, Depends(desk.acting("edit"))],
    ) -> Response:
        """Take back the newest edit."""
        back = f"/desk/issues/{issue_id}{lens.query}"
        try:
            return go(back, good=f"Undone: {edit.undo(ctx, issue_id, editor.address)}.")
        except DigestError as error:
            return go(back, bad=sentence(error))


def sentence(error: DigestError) -> str:
    """An error's message as a sentence of its own."""
    words = str(error).rstrip(".")
    return f"{words[:1].upper()}{words[1:]}."
