"""``digest newsroom …``."""

from pathlib import Path
from typing import Annotated

import typer

from digest import bootstrap
from digest.cli import topics
from digest.cli.common import Json, emit, open_service, settings
from digest.newsroom import read
from digest.workflows import newsroom as workflow

app = typer.Typer(no_args_is_help=True, help="Check, plan, apply and export the newsroom's files.")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="newsroom")


app.add_typer(topics.app, name="topics")


@app.command()
def check(as_json: Json = False) -> None:
    """Read the files (DIGEST_NEWSROOM) and name every problem by file, line and key."""
    loaded = settings()
    newsroom, problems = read.check(loaded.newsroom_path, bootstrap.newsroom_variables(loaded))
    found = [{"file": row.file, "line": row.line, "key": row.key, "problem": row.problem} for row in problems]
    counts = (("feed", newsroom.feeds), ("topic", newsroom.topics), ("newsletter", newsroom.newsletters))
    words = ", ".join(f"{len(rows)} {noun}{'' if len(rows) == 1 else 's'}" for noun, rows in counts)
    lines = [str(problem) for problem in problems] or [f"{loaded.newsroom_path}: {words}; all well"]
    emit(as_json, {"ok": not problems, "problems": found}, "\n".join(lines))
    raise typer.Exit(2 if problems else 0)


@app.command()
def plan(as_json: Json = False) -> None:
    """What apply would change."""
    with open_service() as (ctx, loaded):
        changes = workflow.plan(ctx, bootstrap.newsroom_files(loaded))
    emit(as_json, {"changes": [str(change) for change in changes]}, "\n".join(map(str, changes)) or "nothing to change")


@app.command()
def apply(as_json: Json = False) -> None:
    """Make the tables say what the files say: all of it, or nothing."""
    with open_service() as (ctx, loaded):
        changes = workflow.apply(ctx, bootstrap.newsroom_files(loaded))
    emit(as_json, {"changes": [str(change) for change in changes]}, "\n".join(map(str, changes)) or "nothing to change")


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="Folder to write to.")], as_json: Json = False) -> None:
    """Write what is in force as TOML files."""
    with open_service() as (ctx, _loaded):
        files = [str(path) for path in workflow.export(ctx, folder)]
    emit(as_json, {"files": files}, "\n".join(files))
