"""``digest issue …`` that prove an issue: what preflight says of it, and whether its bytes can be made again."""

from dataclasses import asdict
from typing import Annotated

import typer

from digest.cli.common import IssueId, Json, emit, open_service
from digest.workflows import preview
from digest.workflows.budget import budget_of
from digest.workflows.replay import rebuild as print_again


def register(app: typer.Typer) -> None:
    """Add the commands to ``digest issue``."""
    for command in (preflight, budget, rebuild):
        app.command()(command)


def preflight(
    issue_id: IssueId,
    links: Annotated[
        bool, typer.Option("--links", help="Fetch every link, and name those that do not answer.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check an issue before it goes out. Exit code 1 if there are errors."""
    with open_service() as (ctx, _settings):
        found = preview.inspection(ctx, issue_id, look_up=links)
    rows = [{"id": row.id, "level": row.level, "where": row.where, "message": row.message} for row in found.findings]
    lines = [f"{row.level:<8}{row.id}: {row.message} ({row.where})" for row in found.findings] or ["nothing to mend"]
    if found.cuts:
        lines.append(f"{found.cuts} different mails, {found.smallest:,} to {found.largest:,} bytes of HTML")
    if links:
        lines.append(f"{found.links} links looked up")
    document = {
        "issue": issue_id, "errors": len(found.errors), "findings": rows, "links": found.links,
        "cuts": {"distinct": found.cuts, "smallest": found.smallest, "largest": found.largest},
    }  # fmt: skip
    emit(as_json, document, "\n".join(lines))
    raise typer.Exit(1 if found.errors else 0)


def budget(issue_id: IssueId, as_json: Json = False) -> None:
    """How large an issue's largest mail is, and which stories were made smaller so that Gmail shows it whole."""
    with open_service() as (ctx, _settings):
        found = budget_of(ctx, issue_id)
    words = f"{found.largest:,} of {found.limit:,} bytes in the largest mail"
    words += " as approved" if found.frozen else " as it stands"
    steps = [asdict(step) for step in found.steps]
    row = {"issue": issue_id, "limit": found.limit, "largest": found.largest, "frozen": found.frozen, "steps": steps}
    lines = [words, *(f"  {number:>3}. {step}" for number, step in enumerate(found.steps, start=1))]
    emit(as_json, row, "\n".join(lines))


def rebuild(issue_id: IssueId, as_json: Json = False) -> None:
    """Print an approved issue again from its manifest. Exit code 1 if a byte differs; the first one is named."""
    with open_service() as (ctx, _settings):
        result = print_again(ctx, issue_id)
    if result.same:
        words = f"the same bytes: {result.fragments} fragments"
    else:
        words = f"{result.fragments} fragments are the same, then: {result.difference}"
    lines = [words, *(f"  {reason}" for reason in result.reasons)]
    row = {
        "issue": issue_id, "same": result.same, "fragments": result.fragments, "difference": result.difference,
        "fragment": result.fragment, "part": result.part, "byte": result.byte, "reasons": list(result.reasons),
    }  # fmt: skip
    emit(as_json, row, "\n".join(lines))
    raise typer.Exit(0 if result.same else 1)
