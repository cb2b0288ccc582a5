"""Writing an issue's letter, mailbag, promotion and corrections: one form for each block, in its place in the running order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from digest.errors import DigestError, UsageError
from digest.web.desk.edits import sentence
from digest.web.desk.lens import Lens, lens_of
from digest.web.desk.visit import Desk, as_in_mail, go
from digest.workflows import writing
from digest.workflows.sign_in import EditorView

_DONE = {
    "save": "The words are in the mail.",
    "leave-out": "Left out of this issue.",
    "take-back": "The drafted words are back.",
}


@dataclass(frozen=True)
class Unsaved:
    """Words that are in a form and not in the issue.

    Attributes:
        seen: fingerprint of the words that the editor began with.
        problem: why they were not saved; "" if only a look was asked for.
    """

    key: str
    title: str
    body: str
    seen: str
    problem: str = ""


def add_to(routes: APIRouter, desk: Desk, page: Callable[[Request, int, Lens, EditorView, Unsaved], Response]) -> None:
    """Adds ``/desk/issues/{id}/words``.

    Args:
        page: the issue's page, with words that are not saved.
    """
    ctx = desk.ctx

    @routes.post("/issues/{issue_id}/words")
    def write(
        request: Request,
        issue_id: int,
        lens: Annotated[Lens, Depends(lens_of)],
        editor: Annotated[EditorView, Depends(desk.acting("edit"))],
        do: Annotated[str, Form()] = "",
        block: Annotated[str, Form()] = "",
        title: Annotated[str, Form()] = "",
        body: Annotated[str, Form()] = "",
        seen: Annotated[str, Form()] = "",
    ) -> Response:
        """``save`` the words, ``leave-out`` the block, ``take-back`` what was written, or only ``preview`` it."""
        if do == "preview":
            return page(request, issue_id, lens, editor, Unsaved(block, title, body, seen))
        try:
            if do == "save":
                writing.write(ctx, issue_id, block, title, body, editor.address, seen=seen)
            elif do == "leave-out":
                writing.write(ctx, issue_id, block, "", "", editor.address, seen=seen)
            elif do == "take-back":
                writing.take_back(ctx, issue_id, block, editor.address)
            else:
                raise UsageError(f"there is no step {do!r}")
        except DigestError as error:
            # Nobody loses what they wrote: it stays in the form, under the reason.
            return page(request, issue_id, lens, editor, Unsaved(block, title, body, seen, sentence(error)))
        return go(f"/desk/issues/{issue_id}{lens.query}", good=_DONE[do])

    @routes.get("/issues/{issue_id}/words")
    def words_again(issue_id: int, _editor: Annotated[EditorView, Depends(desk.looking())]) -> Response:
        """Whoever opens that address anew gets the issue."""
        return go(f"/desk/issues/{issue_id}")

    @routes.post("/issues/{issue_id}/words/look")
    def look(
        issue_id: int, _editor: Annotated[EditorView, Depends(desk.acting("edit"))], body: Annotated[str, Form()] = ""
    ) -> Response:
        """What a body looks like, as a part of the page."""
        return HTMLResponse(f'<div class="look">{as_in_mail(body)}</div>')
