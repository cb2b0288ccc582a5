"""Letting an issue out, keeping it back, ending it, and trying it on one address."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import Response

from digest.errors import DigestError, StateConflict
from digest.store import issues
from digest.web.desk.edits import sentence
from digest.web.desk.lens import Lens, lens_of
from digest.web.desk.visit import Desk, go
from digest.workflows import approve as approval
from digest.workflows import deliver as sending
from digest.workflows import preview as previews
from digest.workflows.sign_in import EditorView


def add_to(routes: APIRouter, desk: Desk) -> None:
    """Adds ``approve``, ``hold``, ``pause``, ``resume``, ``cancel`` and ``test`` under ``/desk/issues/{id}/``."""
    ctx = desk.ctx
    publishing = Annotated[EditorView, Depends(desk.acting("publish"))]
    editing = Annotated[EditorView, Depends(desk.acting("edit"))]

    def name_of(issue_id: int) -> str:
        with ctx.db.read() as session:
            issue = issues.get(session, issue_id)
            return f"No. {issue.number}"

    def leaves(issue_id: int) -> str:
        with ctx.db.read() as session:
            return "now" if issues.get(session, issue_id).due_at <= ctx.clock() else "at its hour"

    @routes.post("/issues/{issue_id}/approve")
    def approve(
        issue_id: int,
        lens: Annotated[Lens, Depends(lens_of)],
        editor: publishing,
        revision: Annotated[int, Form()] = -1,
        seen: Annotated[str, Form()] = "",
    ) -> Response:
        """Approve what the editor has seen: not a later revision, and not warnings that were never shown."""
        back = f"/desk/issues/{issue_id}{lens.query}"
        asking = f"{back}{'&' if lens.query else '?'}ask=approve"
        try:
            with ctx.db.read() as session:
                if issues.get(session, issue_id).revision != revision:
                    raise StateConflict("the issue was changed since you opened this page: look at it again")
            if not seen and previews.findings(ctx, issue_id):
                return go(asking)
            approval.approve(ctx, issue_id, editor.address, revision)
        except DigestError as error:
            return go(back, bad=sentence(error))
        return go(
            back, good=f"{name_of(issue_id)} is approved. It leaves {leaves(issue_id)}; any edit voids the approval."
        )

    @routes.post("/issues/{issue_id}/hold")
    def hold(
        issue_id: int,
        lens: Annotated[Lens, Depends(lens_of)],
        editor: editing,
        why: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        back = f"/desk/issues/{issue_id}{lens.query}"
        try:
            approval.hold(ctx, issue_id, editor.address, why.strip())
        except DigestError as error:
            return go(back, bad=sentence(error))
        return go(back, good=f"{name_of(issue_id)} is held: nothing of it leaves until it is approved again.")

    @routes.post("/issues/{issue_id}/pause")
    def pause(issue_id: int, lens: Annotated[Lens, Depends(lens_of)], editor: publishing) -> Response:
        back = f"/desk/issues/{issue_id}{lens.query}"
        try:
            approval.pause(ctx, issue_id, editor.address)
        except DigestError as error:
            return go(back, bad=sentence(error))
        return go(back, good=f"{name_of(issue_id)} is paused: the mails in hand end, nothing more leaves.")

    @routes.post("/issues/{issue_id}/resume")
    def resume(issue_id: int, lens: Annotated[Lens, Depends(lens_of)], editor: publishing) -> Response:
        back = f"/desk/issues/{issue_id}{lens.query}"
        try:
            approval.resume(ctx, issue_id, editor.address)
        except DigestError as error:
            return go(back, bad=sentence(error))
        return go(back, good=f"{name_of(issue_id)} goes on where it stopped.")

    @routes.post("/issues/{issue_id}/cancel")
    def cancel(
        issue_id: int,
        lens: Annotated[Lens, Depends(lens_of)],
        editor: publishing,
        why: Annotated[str, Form(max_length=500)] = "",
        sure: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        """End an issue for good; without the tick beside the button nothing happens."""
        back = f"/desk/issues/{issue_id}{lens.query}"
        if not sure:
            return go(back, bad=f"{name_of(issue_id)} goes on: tick the box beside the button to cancel it.")
        try:
            approval.cancel(ctx, issue_id, editor.address, why.strip())
        except DigestError as error:
            return go(back, bad=sentence(error))
        return go(back, good=f"{name_of(issue_id)} is cancelled. Nothing more of it is sent.")

    @routes.post("/issues/{issue_id}/test")
    def test(
        issue_id: int,
        lens: Annotated[Lens, Depends(lens_of)],
        editor: editing,
        address: Annotated[str, Form(max_length=320)] = "",
    ) -> Response:
        """One copy, marked as a test, to one address; outside the ledger."""
        back = f"/desk/issues/{issue_id}{lens.query}"
        to = address.strip() or editor.address
        try:
            sending.send_test(ctx, issue_id, to)
        except DigestError as error:
            return go(back, bad=sentence(error))
        return go(back, good=f"A test copy is on its way to {to}.")
