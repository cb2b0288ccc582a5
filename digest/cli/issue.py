"""``digest issue …``."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from digest.cli import issue_ledger, issue_proof
from digest.cli.common import IssueId, Json, actor, bar, emit, open_service, table
from digest.domain.issue import IssueDocument, PlacedItem
from digest.errors import UsageError
from digest.store import issues
from digest.store.tables import Issue, Newsletter
from digest.workflows import approve as approval
from digest.workflows import deliver as delivery
from digest.workflows import preview
from digest.workflows.document import document_of
from digest.workflows.progress import in_words

app = typer.Typer(no_args_is_help=True, help="List, show, render, check, approve, hold, send and audit issues.")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    issue_proof.register(app)
    issue_ledger.register(app)
    root.add_typer(app, name="issue")


@app.command("list")
def list_command(
    newsletter: Annotated[str, typer.Option(help="Only this newsletter's.")] = "", as_json: Json = False
) -> None:
    """The newest issues."""
    with open_service() as (ctx, _settings), ctx.db.read() as session:
        rows = [_summary(issue, letter) for issue, letter in issues.recent(session, newsletter or None)]
    head = ["id", "newsletter", "number", "state", "window_start", "window_end", "reason"]
    emit(as_json, {"issues": rows}, table([[str(row[name]) for name in head] for row in rows], head))


def _summary(issue: Issue, letter: Newsletter) -> dict[str, Any]:
    return {
        "id": issue.id, "newsletter": letter.slug, "number": issue.number, "state": issue.state,
        "window_start": issue.window_start.isoformat(), "window_end": issue.window_end.isoformat(),
        "due_at": issue.due_at.isoformat(), "reason": issue.reason,
    }  # fmt: skip


@app.command()
def show(issue_id: IssueId, as_json: Json = False) -> None:
    """An issue's sections with their stories and why each stands where it does."""
    with open_service() as (ctx, _settings), ctx.db.read() as session:
        document = document_of(session, issue_id, ctx)
        issue = issues.get(session, issue_id)
        head = {"id": issue_id, "newsletter": document.newsletter, "number": document.number, "state": issue.state,
                "reason": issue.reason}  # fmt: skip
    sections = [
        _section(block.section.key, block.title, block.section.items) for block in document.blocks if block.section
    ]
    emit(as_json, {**head, "sections": sections}, _words(document, issue.state, sections))


def _section(key: str, title: str, items: tuple[PlacedItem, ...]) -> dict[str, Any]:
    return {"key": key, "title": title, "stories": [_story(placed) for placed in items]}


def _story(placed: PlacedItem) -> dict[str, Any]:
    item = placed.item
    return {
        "id": item.story_id, "headline": item.headline, "url": item.url, "source": item.source, "form": placed.form,
        "rank": item.rank, "topics": list(item.topics), "articles": list(item.articles), "sources": item.sources,
        "score": {"total": item.score.total, "parts": {part.name: part.value for part in item.score.parts}},
        "why": item.why,
    }  # fmt: skip


def _words(document: IssueDocument, state: str, sections: list[dict[str, Any]]) -> str:
    lines = [f"{document.name} No. {document.number}, {document.day:%A %d %B %Y} ({state})"]
    for section in sections:
        lines.append(f"\n{section['title'] or section['key'].capitalize()}")
        for story in section["stories"]:
            others = f" +{story['sources'] - 1}" if story["sources"] > 1 else ""
            lines.append(f"  {story['rank']:>3}. {story['headline']} ({story['source']}{others})")
            parts = " ".join(f"{name} {value:+.2f}" for name, value in story["score"]["parts"].items())
            lines.append(f"       {story['score']['total']:.2f} = {parts}")
    return "\n".join(lines)


@app.command()
def render(
    issue_id: IssueId,
    topics: Annotated[str, typer.Option(metavar="A,B", help="As a reader who chose these topics.")] = "",
    weekly: Annotated[bool, typer.Option("--weekly", help="As a reader who gets one mail a week.")] = False,
    subscriber: Annotated[str, typer.Option(metavar="ADDRESS", help="As this subscriber gets it.")] = "",
    form: Annotated[Literal["html", "text", "eml"], typer.Option("--format", help="What to print.")] = "html",
    out: Annotated[Path | None, typer.Option(help="Write here instead of standard output.")] = None,
) -> None:
    """An issue as somebody would get it: always the bytes that would be sent."""
    if (topics or weekly) and subscriber:
        raise UsageError("give --subscriber, or --topics and --weekly, not both")
    chosen = frozenset(topic.strip() for topic in topics.split(",") if topic.strip()) if topics else None
    with open_service() as (ctx, _settings):
        shown = preview.preview(ctx, issue_id, topics=chosen, weekly=weekly, subscriber=subscriber or None, form=form)
    data = shown.encode() if isinstance(shown, str) else shown
    if out is not None:
        out.write_bytes(data)
    else:
        sys.stdout.buffer.write(data)


@app.command()
def approve(issue_id: IssueId, as_json: Json = False) -> None:
    """Freeze an issue's bytes and let it out at its hour. Errors of preflight block it."""
    with open_service() as (ctx, _settings):
        warnings = approval.approve(ctx, issue_id, actor())
    lines = [f"issue {issue_id} is approved"] + [f"warning {row.id}: {row.message} ({row.where})" for row in warnings]
    emit(as_json, {"issue": issue_id, "state": "approved", "warnings": len(warnings)}, "\n".join(lines))


@app.command()
def hold(
    issue_id: IssueId,
    why: Annotated[str, typer.Option(help="The reason, shown at the desk.")] = "",
    as_json: Json = False,
) -> None:
    """Keep an issue back until it is approved again; what was sent stays sent."""
    with open_service() as (ctx, _settings):
        approval.hold(ctx, issue_id, actor(), why)
    emit(as_json, {"issue": issue_id, "state": "held"}, f"issue {issue_id} is held")


@app.command()
def pause(
    issue_id: IssueId,
    why: Annotated[str, typer.Option(help="The reason, shown at the desk.")] = "",
    as_json: Json = False,
) -> None:
    """Stop an approved issue on its way, within seconds on all workers; it stays stopped until it is resumed."""
    with open_service() as (ctx, _settings):
        approval.pause(ctx, issue_id, actor(), why)
    emit(as_json, {"issue": issue_id, "state": "held"}, f"issue {issue_id} is paused; `digest issue resume {issue_id}`")


@app.command()
def resume(issue_id: IssueId, as_json: Json = False) -> None:
    """Let a paused issue go on where it stopped."""
    with open_service() as (ctx, _settings):
        approval.resume(ctx, issue_id, actor())
    emit(as_json, {"issue": issue_id, "state": "approved"}, f"issue {issue_id} goes on")


@app.command()
def cancel(
    issue_id: IssueId, why: Annotated[str, typer.Option(help="The reason.")] = "", as_json: Json = False
) -> None:
    """End an issue for good. What has left stays sent; whoever still waits gets nothing of it."""
    with open_service() as (ctx, _settings):
        approval.cancel(ctx, issue_id, actor(), why)
    emit(as_json, {"issue": issue_id, "state": "cancelled"}, f"issue {issue_id} is cancelled")


@app.command()
def send(
    issue_id: IssueId,
    test: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Send one copy here, marked [Test], outside the ledger.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Send an approved issue to everyone who is due, now. Repeating it sends nothing twice."""
    with open_service(forks=True) as (ctx, _settings):
        if test:
            delivery.send_test(ctx, issue_id, test)
            emit(as_json, {"issue": issue_id, "test": test}, f"a test copy of issue {issue_id} went to {test}")
            return
        with bar("sending", quiet=as_json) as progress:

            def show(done: int, total: int) -> None:
                speed = progress.tasks[0].speed
                words = (
                    f"sending, {speed:,.0f} a second, {in_words((total - done) / speed)} left" if speed else "sending"
                )
                progress.update(progress.task_ids[0], completed=done, total=total, description=words)

            report = delivery.deliver(ctx, issue_id, progress=show, at_once=True)
        numbers = delivery.audit(ctx, issue_id)
    emit(as_json, {"issue": issue_id, **numbers, "problem": report.problem}, report.words)
    raise typer.Exit(1 if report.problem else 0)
