"""``digest subscribers …``."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.cli.common import Json, bar, emit, open_service, table
from digest.domain.calendar import Frequency
from digest.errors import UsageError
from digest.store.subscribers import listed
from digest.workflows import subscribe

app = typer.Typer(no_args_is_help=True, help="Add, list, import and export subscribers.")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="subscribers")


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="Their e-mail address.")],
    name: Annotated[str, typer.Option(help="Their name.")] = "",
    topics: Annotated[
        str, typer.Option(metavar="A,B", help="Topics; none means everything; A:weekly, A:weekdays, A:daily: as often.")
    ] = "",
    newsletter: Annotated[list[str] | None, typer.Option(help="Newsletter; may be repeated.")] = None,
    frequency: Annotated[Frequency, typer.Option(help="How often.")] = "every-issue",
    hour: Annotated[str, typer.Option(metavar="HH:MM", help="Deliver at this hour of theirs.")] = "",
    zone: Annotated[str, typer.Option(metavar="AREA/CITY", help="Their time zone.")] = "",
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="You vouch for their consent; else they are asked by mail.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add somebody, or change what they chose."""
    chosen = [topic.strip() for topic in topics.split(",") if topic.strip()]
    with open_service() as (ctx, _settings):
        ids = subscribe.add_subscriber(
            ctx, address, name, newsletter=newsletter or (), topics=chosen, frequency=frequency, hour=hour, zone=zone,
            confirmed=confirmed,
        )  # fmt: skip
    state = "active" if confirmed else "pending"
    document = {"address": address, "subscriptions": list(ids), "state": state}
    emit(as_json, document, f"{address}: {len(ids)} subscription{'s' if len(ids) != 1 else ''}, {state}")


@app.command("list")
def list_command(
    newsletter: Annotated[str, typer.Option(help="Only this newsletter's.")] = "", as_json: Json = False
) -> None:
    """Every subscription."""
    with open_service() as (ctx, _settings), ctx.db.read() as session:
        rows: list[dict[str, Any]] = [
            {
                "address": each.subscriber.address, "name": each.subscriber.name, "newsletter": each.newsletter,
                "state": each.subscription.state, "frequency": each.subscription.frequency, "topics": sorted(each.choice.topics),
                "topic_frequencies": each.choice.own,
                "weekly_topics": [topic for topic, often in each.choice.own.items() if often == "weekly"], "hour": each.subscription.hour, "zone": each.subscriber.zone,
                "paused_until": each.subscription.paused_until,
            }
            for each in listed(session, newsletter or None)
        ]  # fmt: skip
    head = ["address", "newsletter", "state", "frequency", "topics"]
    cells = [[_topics(row) if name == "topics" else str(row[name]) for name in head] for row in rows]
    emit(as_json, {"subscribers": rows}, table(cells, head))


def _topics(row: dict[str, Any]) -> str:
    own = row["topic_frequencies"]
    return ", ".join(f"{topic} ({own[topic]})" if topic in own else topic for topic in row["topics"])


@app.command("import")
def import_command(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv", help="Columns: address, name, newsletter, topics, frequency, hour, zone, paused_until."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Add everybody in a file. Who left or is suppressed stays away; wrong rows are named by line."""
    with open_service() as (ctx, _settings), bar("importing", quiet=as_json) as progress:
        try:
            with file.open(encoding="utf-8", newline="") as lines:
                report = subscribe.import_csv(
                    ctx,
                    lines,
                    dry_run=dry_run,
                    progress=lambda done: progress.update(progress.task_ids[0], completed=done),
                )
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file}: {error}") from None
    verb = "would be added" if dry_run else "added"
    said = [f"{report.rows} rows: {report.added} {verb}, {report.known} known already, {len(report.problems)} left out"]
    said += [f"  line {problem.line}: {problem.problem}" for problem in report.problems]
    emit(as_json, report.as_dict(), "\n".join(said))


@app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Where to write; - is standard output.")],
    newsletter: Annotated[str, typer.Option(help="Only this newsletter's.")] = "",
    as_json: Json = False,
) -> None:
    """Write everybody to a file that spreadsheets open safely."""
    rows = -1  # the header is no row
    with open_service() as (ctx, _settings):
        lines = subscribe.export_csv(ctx, newsletter or None)
        if str(file) == "-":
            sys.stdout.writelines(lines)
            return
        with file.open("w", encoding="utf-8", newline="") as out:
            for line in lines:
                out.write(line)
                rows += 1
    emit(as_json, {"file": str(file), "rows": rows}, f"{rows} rows written to {file}")
