"""One issue: its running order beside the mail that it makes, what preflight says, how its sending goes, who did what."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session

from digest.domain.newsroom import NewsletterSpec
from digest.errors import DigestError
from digest.store import audit_log, issues, newsroom, subscribers
from digest.store.tables import Issue
from digest.web.desk import words
from digest.web.desk.home import shelf
from digest.web.desk.lens import VIEWS, Lens, lens_of
from digest.web.desk.running_order import RunningOrder, running_order
from digest.web.desk.visit import Desk, go
from digest.web.desk.words import Unsaved
from digest.workflows import edit, writing
from digest.workflows import forecast as forecasts
from digest.workflows import preview as previews
from digest.workflows.document import document_of
from digest.workflows.progress import Pulse
from digest.workflows.sign_in import EditorView

COUNTED_UNASKED = 50_000
"""Readers up to which the forecast is made whenever the page is looked at; beyond, when somebody asks for it."""

NEIGHBOURS = 8
"""Issues of the same newsletter listed in the navigation."""


def add_to(routes: APIRouter, desk: Desk) -> None:
    """Adds ``/desk/issues/{id}`` and the two parts of it that load by themselves."""
    ctx = desk.ctx
    pulse = Pulse(ctx)

    @routes.get("/issues/{issue_id}")
    def show(
        request: Request,
        issue_id: int,
        lens: Annotated[Lens, Depends(lens_of)],
        editor: Annotated[EditorView, Depends(desk.looking())],
        ask: str = "",
    ) -> Response:
        """The whole page. ``ask=checks`` runs preflight in place, ``ask=approve`` also asks whether to go on."""
        return page(request, issue_id, lens, editor, ask, checked(issue_id) if ask in ("checks", "approve") else None)

    @routes.post("/issues/{issue_id}/links")
    def links(
        request: Request,
        issue_id: int,
        lens: Annotated[Lens, Depends(lens_of)],
        editor: Annotated[EditorView, Depends(desk.acting("edit"))],
    ) -> Response:
        """Preflight with every link looked up: other people's servers are asked, so it happens at a button's press."""
        try:
            found = previews.inspection(ctx, issue_id, look_up=True)
        except DigestError as error:
            return page(request, issue_id, lens, editor, "checks", str(error))
        return page(request, issue_id, lens, editor, "checks", found.findings, looked_up=found.links)

    @routes.get("/issues/{issue_id}/links")
    def links_again(issue_id: int, _editor: Annotated[EditorView, Depends(desk.looking())]) -> Response:
        """Whoever opens that address anew gets the issue: what a lookup said is said once."""
        return go(f"/desk/issues/{issue_id}?ask=checks#checks")

    @routes.get("/issues/{issue_id}/checks")
    def checks(request: Request, issue_id: int, editor: Annotated[EditorView, Depends(desk.looking())]) -> Response:
        """What preflight says, as a part of the page."""
        return desk.show(request, "_checks.html", editor=editor, findings=checked(issue_id))

    @routes.get("/issues/{issue_id}/forecast")
    def forecast(request: Request, issue_id: int, editor: Annotated[EditorView, Depends(desk.looking())]) -> Response:
        """What sending it would do now, as a part of the page."""
        with ctx.db.read() as session:
            issue = issues.get(session, issue_id)
            spec = issues.spec_of(issue) if issue.spec else _spec_in_force(session, issue)
        return desk.show(request, "_forecast.html", editor=editor, forecast=foreseen(issue_id), spec=spec)

    @routes.get("/issues/{issue_id}/progress")
    def progress(request: Request, issue_id: int, _editor: Annotated[EditorView, Depends(desk.looking())]) -> Response:
        """How the sending goes, as a part of the page that asks again while it goes on."""
        return desk.show(request, "_progress.html", progress=pulse.read(issue_id))

    words.add_to(
        routes,
        desk,
        lambda request, issue_id, lens, editor, unsaved: page(
            request, issue_id, lens, editor, "", None, unsaved=unsaved
        ),
    )

    def page(
        request: Request, issue_id: int, lens: Lens, editor: EditorView, ask: str,
        findings: tuple[object, ...] | str | None, looked_up: int = 0, unsaved: Unsaved | None = None,
    ) -> Response:  # fmt: skip
        """The whole page of an issue."""
        with ctx.db.read() as session:
            issue = issues.get(session, issue_id)
            spec = issues.spec_of(issue) if issue.spec else _spec_in_force(session, issue)
            topics = newsroom.topics(session)
            undoable = edit.last_edit(session, issue_id)
            values: dict[str, Any] = {
                "issue": issue,
                "spec": spec,
                "shelf": shelf(session, spec, ctx.clock(), NEIGHBOURS),
                "order": _order(desk, session, issue),
                "pages": writing.pages_of(issue, spec) if issue.spec else {},
                "sections": edit.section_titles(issue),
                "offered": [topic for topic in topics if not spec.topics or topic.slug in spec.topics],
                "log": audit_log.about(session, audit_log.issue_subject(issue_id)),
                "undoable": undoable,
                "counting_takes": subscribers.has_many_readers(session, issue.newsletter_id, COUNTED_UNASKED),
            }
        progress = pulse.read(issue_id)
        values |= {"progress": progress, "counts": progress.counts}
        title = f"No. {issue.number} of {spec.name}"
        return desk.show(
            request, "issue.html", editor=editor, lens=lens, views=VIEWS, ask=ask, findings=findings, title=title,
            looked_up=looked_up, unsaved=unsaved, forecast=foreseen(issue_id) if ask in ("forecast", "approve") else None,
            can_edit=editor.may("edit") and issue.state in edit.EDITABLE, **values,
        )  # fmt: skip

    def foreseen(issue_id: int) -> forecasts.Forecast | str:
        """The forecast, or why there is none to be had."""
        try:
            return forecasts.forecast(ctx, issue_id)
        except DigestError as error:
            return str(error)

    def checked(issue_id: int) -> tuple[object, ...] | str:
        """Findings, or why there are none to be had."""
        try:
            return tuple(previews.findings(ctx, issue_id))
        except DigestError as error:
            return str(error)


def _order(desk: Desk, session: Session, issue: Issue) -> RunningOrder | None:
    """The running order; None as long as there is no draft."""
    if not issue.spec or issue.id is None:
        return None
    names = {topic.slug: topic.name for topic in newsroom.topics(session)}
    document = document_of(session, issue.id, desk.ctx)
    return running_order(
        document, writing.blocks_of(issue, issues.spec_of(issue), empty=True), issues.placements(session, issue.id), names,
        window=issue.window_end - issue.window_start, weights=issues.spec_of(issue).ranking,
    )  # fmt: skip


def _spec_in_force(session: Session, issue: Issue) -> NewsletterSpec:
    slug = next(row.slug for found, row in issues.recent(session, limit=1000) if found.id == issue.id)
    return issues.newsletter(session, slug)[1]
