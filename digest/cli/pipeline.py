"""``digest gather`` and ``digest draft``."""

from typing import Annotated

import typer

from digest import bootstrap
from digest.cli.common import Json, bar, emit, moment, open_service
from digest.workflows.draft import draft
from digest.workflows.gather import FeedOutcome, GatherReport, gather


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.command("gather")(gather_command)
    root.command("draft")(draft_command)


def gather_command(
    due: Annotated[bool, typer.Option("--due", help="Only feeds whose time has come.")] = False, as_json: Json = False
) -> None:
    """Fetch all feeds and keep what is new. One bad feed never stops a run: it is named in the result."""
    with open_service(forks=True) as (ctx, settings), bootstrap.news_at_hand(ctx, settings):
        bootstrap.first_newsroom(ctx, settings)
        with bar("gathering feeds", quiet=as_json) as progress:

            def show(outcome: FeedOutcome, done: int, total: int) -> None:
                progress.update(
                    progress.task_ids[0], completed=done, total=total, description=f"gathered {outcome.name}"
                )

            report = gather(ctx, due_only=due, progress=show)
    emit(as_json, report.as_dict(), gathered(report))


def gathered(report: GatherReport, *, each: bool = True) -> str:
    """The report of a run in words.

    Args:
        each: what every feed did; else only what went wrong.
    """
    numbers = report.as_dict()
    if not numbers["feeds"]:
        return "every feed was looked at a short while ago"
    lines = [
        f"{numbers['feeds']} feeds: {numbers['ok']} read, {numbers['not_modified']} unchanged, {numbers['failed']} failed; "
        f"{numbers['articles_new']} new articles of {numbers['articles_seen']} seen, in {numbers['seconds']} s"
    ]
    if report.pages or report.pages_failed:
        lines[0] += f"; {report.pages} article pages read, {report.pages_failed} without a text"
    if each:
        width = min(max((len(outcome.name) for outcome in report.outcomes), default=0), 32)
        read = [outcome for outcome in report.outcomes if outcome.state == "ok"]
        lines += [f"    {outcome.name:<{width}}  {_brought(outcome)}" for outcome in read]
        if unchanged := [outcome.name for outcome in report.outcomes if outcome.state == "not_modified"]:
            lines.append(f"    unchanged: {', '.join(unchanged)}")
        if busy := [outcome.name or outcome.url for outcome in report.outcomes if outcome.state == "busy"]:
            lines.append(f"    gathered by another process: {', '.join(busy)}")
    lines += [f"  ! {outcome.name or outcome.url}: {outcome.error}" for outcome in report.outcomes if outcome.error]
    if any(outcome.state == "failed" for outcome in report.outcomes):
        lines.append("  what a feed sent: digest feeds failure NAME")
    return "\n".join(lines)


def _brought(outcome: FeedOutcome) -> str:
    what = {"quotes": "prices", "events": "events"}.get(outcome.kind, "articles")
    words = f"{outcome.new} new of {outcome.seen} {what}" if outcome.seen else f"no {what}"
    return f"{words}; {outcome.note}" if outcome.note else words


def draft_command(
    newsletter: Annotated[str, typer.Argument(help="The newsletter's short name.")],
    at: Annotated[str, typer.Option(metavar="ISO-TIME", help="End of the window; default: the slot that is due.")] = "",
    as_json: Json = False,
) -> None:
    """Make the draft of a newsletter's issue. A draft that exists already is left as editors shaped it."""
    with open_service() as (ctx, settings), bootstrap.news_at_hand(ctx, settings):
        bootstrap.first_newsroom(ctx, settings)
        with bar("drafting", quiet=as_json) as progress:
            report = draft(
                ctx,
                newsletter,
                moment(at) if at else None,
                progress=lambda words: progress.update(progress.task_ids[0], description=words),
            )
    words = f"issue {report.issue} is {report.state}: {report.stories} stories in {report.sections} sections"
    emit(as_json, report.as_dict(), words)
