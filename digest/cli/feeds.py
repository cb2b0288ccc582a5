"""``digest feeds …``."""

from typing import Annotated, Any

import typer

from digest.cli.common import Json, emit, open_service, table
from digest.cli.feed_failure import failure_command
from digest.domain.newsroom import FeedSpec
from digest.store import feed_health
from digest.workflows.newsroom import add_feed

app = typer.Typer(no_args_is_help=True, help="Add and list feeds.")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    app.command("failure")(failure_command)
    root.add_typer(app, name="feeds")


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Address of an RSS, Atom or JSON feed.")],
    name: Annotated[str, typer.Option(help="The outlet's name as readers know it; default: as the feed says.")] = "",
    weight: Annotated[float, typer.Option(min=0.1, max=10, help="Trust; 1 is normal.")] = 1.0,
    as_json: Json = False,
) -> None:
    """Add a feed; it is fetched once to see that it is one."""
    with open_service() as (ctx, _settings):
        spec = FeedSpec(url=url, name=name, weight=weight)
        added, entries = add_feed(ctx, spec)
    emit(as_json, {"url": added.url, "name": added.name, "entries": entries}, f"added {added.name}: {entries} entries")


@app.command("list")
def list_command(as_json: Json = False) -> None:
    """All feeds with their health."""
    with open_service() as (ctx, _settings), ctx.db.read() as session:
        rows: list[dict[str, Any]] = [each.as_dict() for each in feed_health.health(session, ctx.clock())]
    head = ["name", "state", "failures", "last_success", "last_error"]
    emit(as_json, {"feeds": rows}, table([[str(row[name] or "") for name in head] for row in rows], head))
