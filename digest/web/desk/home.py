"""The desk's first page: what is in the making, what went out, and whether the sources are well."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from digest.domain.newsroom import NewsletterSpec
from digest.store import deliveries, issues, newsroom, placements
from digest.store.tables import Feed, Issue
from digest.web.desk.visit import Desk
from digest.workflows.draft import cadence_of
from digest.workflows.sign_in import EditorView

MAX_ISSUES = 12
"""Issues listed per newsletter."""


@dataclass(frozen=True)
class Line:
    """One issue in a list."""

    issue: Issue
    day: date
    headline: str
    stories: int
    counts: dict[str, int]


@dataclass(frozen=True)
class Shelf:
    """One newsletter and its newest issues, newest first."""

    spec: NewsletterSpec
    next_slot: datetime
    lines: tuple[Line, ...]


def add_to(routes: APIRouter, desk: Desk) -> None:
    """Adds ``/desk``."""

    @routes.get("")
    def home(request: Request, editor: Annotated[EditorView, Depends(desk.looking())]) -> Response:
        """Issues by newsletter, and the health of the feeds."""
        now = desk.ctx.clock()
        with desk.ctx.db.read() as session:
            shelves = [shelf(session, spec, now) for spec in newsroom.newsletters(session)]
            feeds = list(session.exec(select(Feed).order_by(col(Feed.failures).desc(), col(Feed.name))))
        alive = [feed for feed in feeds if feed.retired_at is None]
        ended = [feed for feed in feeds if feed.retired_at is not None]
        return desk.show(request, "home.html", editor=editor, shelves=shelves, feeds=alive, ended=ended)


def shelf(session: Session, spec: NewsletterSpec, now: datetime, limit: int = MAX_ISSUES) -> Shelf:
    """A newsletter's newest issues with what a list says about them."""
    rows = [issue for issue, _ in issues.recent(session, spec.slug, limit=limit)]
    ids = [issue.id for issue in rows if issue.id is not None]
    stories, tops = placements.story_counts(session, ids), placements.top_headlines(session, ids)
    lines = tuple(
        Line(
            issue,
            issue.due_at.astimezone(ZoneInfo(spec.zone)).date(),
            tops.get(issue.id or 0, ""),
            stories.get(issue.id or 0, 0),
            deliveries.counts(session, issue.id or 0),
        )
        for issue in rows
    )
    return Shelf(spec, cadence_of(spec).next_slot(now)[1], lines)
