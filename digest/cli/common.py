"""What commands share: the service, output for people or programs, logs on standard error."""

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from digest import bootstrap
from digest.cli.logs import configure_logs
from digest.engine.nursery import Nursery, Work, may_fork
from digest.errors import UsageError
from digest.settings import Settings, load
from digest.workflows.context import Context

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]

IssueId = Annotated[int, typer.Argument(metavar="ID", help="The issue's number in `digest issue list`.")]

console = Console(stderr=True, highlight=False)
"""For progress and remarks; results go to standard output."""


def settings() -> Settings:
    """The settings in force, with logs set up as they say."""
    loaded = load()
    configure_logs(loaded)
    return loaded


@contextmanager
def open_service(*, forks: bool = False) -> Iterator[tuple[Context, Settings]]:
    """The service as commands use it; a missing database is made on the way.

    Args:
        forks: the command may hand out large issues or gather many feeds, and let other processes help.
    """
    loaded = settings()
    with ExitStack() as stack:
        start = stack.enter_context(Nursery(_works())).start if forks and may_fork() else None
        bootstrap.migrated(loaded)
        yield stack.enter_context(bootstrap.service(loaded, start=start)), loaded


def _works() -> dict[str, Work]:
    from digest.cli import helper  # here, as most commands need none of it
    from digest.feeds import reader

    return {bootstrap.HELPER: helper.run, bootstrap.READER: reader.run}


def emit(as_json: bool, document: Any, words: str = "") -> None:
    """The result: one JSON document for programs, or words for people."""
    text = json.dumps(document, ensure_ascii=False, default=_jsonable) if as_json else words
    sys.stdout.write(text.rstrip("\n") + "\n")


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset | tuple):
        return sorted(value)
    return str(value)


@contextmanager
def bar(words: str, total: int | None = None, *, quiet: bool = False) -> Iterator[Progress]:
    """A progress bar on standard error; its first task bears ``words``."""
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description:<44}"), BarColumn(bar_width=28), MofNCompleteColumn(),
        TimeElapsedColumn(), console=console, disable=quiet or not console.is_terminal,
    )  # fmt: skip
    with progress:
        progress.add_task(words, total=total)
        yield progress


def table(rows: list[list[str]], head: list[str]) -> str:
    """Rows as aligned columns."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join(lines)


def duration(seconds: float) -> str:
    """A length of time in its largest unit: "40 s", "12 min", "3.5 h", "2 days"."""
    if seconds >= 2 * 86_400:
        return f"{seconds / 86_400:.0f} days"
    if seconds >= 3_600:
        return f"{seconds / 3_600:.1f}".removesuffix(".0") + " h"
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{max(0, seconds):.0f} s"


def moment(text: str) -> datetime:
    """An ISO 8601 time; without a zone it is UTC.

    Raises:
        UsageError: it is none.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no ISO time such as 2026-03-12T06:00:00Z") from None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def actor() -> str:
    """Who acts, for the audit log."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"
