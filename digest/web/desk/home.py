"""The desk's first page: what somebody must do today, then what is in the making and what went out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session

from digest.domain.newsroom import NewsletterSpec
from digest.store import deliveries, feed_health, issues, newsroom, placements
from digest.store.feed_health import FeedHealth
from digest.store.tables import Issue
from digest.web.desk.visit import Desk, ago, when
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
class Task:
    """Something that waits for an editor: what, why, and where to do it. ``urgent`` if mail waits for it."""

    words: str
    why: str
    href: str
    urgent: bool = False


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
        """What to do today, and issues by newsletter."""
        now = desk.ctx.clock()
        with desk.ctx.db.read() as session:
            shelves = [shelf(session, spec, now) for spec in newsroom.newsletters(session)]
            feeds = feed_health.health(session, now)
        tasks = [task for each in shelves for task in _issue_tasks(each, now)] + _feed_tasks(feeds)
        tasks.sort(key=lambda task: not task.urgent)
        return desk.show(request, "home.html", editor=editor, shelves=shelves, tasks=tasks, feeds=len(feeds))


def _issue_tasks(shelf: Shelf, now: datetime) -> list[Task]:
    """What the issues of one newsletter ask of an editor, those that are due first."""
    found = []
    for line in sorted(shelf.lines, key=lambda line: line.issue.due_at):
        issue, name = line.issue, f"No. {line.issue.number} of {shelf.spec.name}"
        href, due = f"/desk/issues/{issue.id}", f"{ago(issue.due_at, now)}, {when(issue.due_at, shelf.spec.zone)}"
        by_itself = shelf.spec.approval != "editor" and not issue.slot.startswith(issues.BY_HAND)
        if issue.state == "draft":
            stories = f"{line.stories} {'story' if line.stories == 1 else 'stories'}"
            if by_itself and issue.due_at > now:
                found.append(Task(f"Look at {name}", f"{stories}; it is sent by itself {due}", href))
            else:
                hour = f"its hour is {due}" if issue.due_at > now else f"its hour was {due}"
                found.append(Task(f"Approve {name}", f"{stories}; {hour}", href, urgent=True))
        elif issue.state == "held":
            found.append(Task(f"Decide on {name}", f"held: {issue.reason or 'no reason given'}", href, urgent=True))
        unknown, failed = line.counts["unknown"], line.counts["failed"]
        if unknown:
            found.append(Task(f"Settle {unknown} of {name}", "handed over, and no answer came", href, urgent=True))
        if failed and issue.state == "sending":
            found.append(Task(f"See why {failed} of {name} failed", "the other copies go on", href))
    return found


def _feed_tasks(feeds: Sequence[FeedHealth]) -> list[Task]:
    failing = [feed for feed in feeds if feed.state == "failing"]
    silent = [feed for feed in feeds if feed.state == "silent"]
    found = []
    if failing:
        noun = "source fails" if len(failing) == 1 else "sources fail"
        why = f"{failing[0].name}: {failing[0].last_error[:120]}" + (" and others" if len(failing) > 1 else "")
        found.append(Task(f"{len(failing)} {noun}", why, "/desk/feeds?state=failing"))
    if silent:
        noun = "source is" if len(silent) == 1 else "sources are"
        names = ", ".join(feed.name for feed in silent[:3])
        found.append(Task(f"{len(silent)} {noun} silent", f"{names}: nothing new for long", "/desk/feeds?state=silent"))
    return found


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
            deliveries.tally(session, issue.id or 0),
        )
        for issue in rows
    )
    return Shelf(spec, cadence_of(spec).next_slot(now)[1], lines)
