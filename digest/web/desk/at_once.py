"""Two buttons for what the clock does by itself: fetch the feeds, draft an issue."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import Response

from digest.errors import DigestError
from digest.web.desk.edits import sentence
from digest.web.desk.visit import Desk, go
from digest.workflows import at_once
from digest.workflows.sign_in import EditorView


def add_to(routes: APIRouter, desk: Desk) -> None:
    """Adds ``/desk/fetch`` and ``/desk/draft``."""

    @routes.post("/fetch")
    def fetch(editor: Annotated[EditorView, Depends(desk.acting("edit"))]) -> Response:
        """Have all feeds asked with the next tick."""
        count = at_once.fetch_now(desk.ctx, editor.address)
        if not count:
            return go("/desk/feeds", bad="There is no feed to ask: add one with digest feeds add.")
        words = "1 feed is" if count == 1 else f"{count} feeds are"
        return go("/desk/feeds", good=f"{words} asked within a minute. Reload to see what came.")

    @routes.post("/draft")
    def draft(
        editor: Annotated[EditorView, Depends(desk.acting("edit"))], newsletter: Annotated[str, Form()] = ""
    ) -> Response:
        """Draft an issue of what came in since the last one."""
        try:
            report = at_once.draft_now(desk.ctx, newsletter, editor.address)
        except DigestError as error:
            return go("/desk", bad=sentence(error))
        if report.state == "empty":
            return go(
                "/desk", bad="There is nothing to say yet: too little news since the last number. No issue was made."
            )
        return go(f"/desk/issues/{report.issue}", good=f"Drafted with {report.stories} stories. It waits for approval.")
