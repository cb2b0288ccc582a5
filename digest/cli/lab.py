"""``digest lab …``: the production code of curation on files, without a database."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.cli import lab_rank
from digest.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Run the production code of curation on a file of articles.")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="lab")


lab_rank.add_to(app)


@app.callback()
def _lab() -> None:
    """Run the production code of curation on a file of articles."""


@app.command()
def group(
    source: Annotated[Path, typer.Argument(metavar="IN.jsonl", help="Rows: id, title, summary, url, source, ts.")],
    out: Annotated[Path, typer.Option(metavar="OUT.csv", help="Rows: id, cluster.")],
    semantic: Annotated[
        bool, typer.Option(help="Let a sentence model read the articles too (extra `semantic`).")
    ] = False,
) -> None:
    """Group articles into stories."""
    from digest.curation.lab import group_rows
    from digest.semantic.model import open_model
    from digest.settings import Settings

    model = open_model(Settings().sentence_model) if semantic else None
    _write_clusters(out, group_rows(_rows(source), model.vectors if model else None))


@app.command()
def dedupe(
    source: Annotated[Path, typer.Argument(metavar="IN.jsonl", help="Rows: id, title, summary, url, source, ts.")],
    out: Annotated[Path, typer.Option(metavar="OUT.csv", help="Rows: id, cluster.")],
) -> None:
    """Find copies of one text among articles."""
    from digest.curation.lab import dedupe_rows

    _write_clusters(out, dedupe_rows(_rows(source)))


def _write_clusters(out: Path, clusters: Iterable[tuple[str, str]]) -> None:
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "cluster"])
        writer.writerows(clusters)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UsageError(f"{path}:{number}: not JSON: {error.msg}") from None
        if not isinstance(row, dict) or "id" not in row or "title" not in row:
            raise UsageError(f"{path}:{number}: a row needs at least id and title")
        yield row
