"""``digest inbox``."""

import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
from sqlalchemy.exc import DBAPIError

from digest.cli.common import Json, emit, open_service
from digest.errors import DigestError
from digest.workflows.inbox import InboxReport, read_inbox, read_one

TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: a mail server that pipes a mail in keeps it and tries again, where 1 would send it back."""

log = structlog.get_logger(__name__)


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("inbox")(inbox)


def inbox(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A Maildir or an mbox file; - is one mail on stdin.")],
    as_json: Json = False,
) -> None:
    """Unsubscribe who asks for it by mail: the newsletter's `unsubscribe_by_mail`. Other mail is left alone."""
    report = _piped() if str(path) == "-" else _read(path)
    emit(as_json, report.as_dict(), report.words)


def _read(path: Path) -> InboxReport:
    with open_service() as (ctx, _settings):
        return read_inbox(ctx, path)


def _piped() -> InboxReport:
    try:
        with open_service() as (ctx, _settings):
            report = read_one(ctx, sys.stdin.buffer)
    except (DigestError, DBAPIError) as error:
        log.error("a mail could not be read now", error=str(error))
        raise typer.Exit(TRY_AGAIN) from None
    while sys.stdin.buffer.read(1 << 16):  # a pipe that is closed before its end is an error to who writes into it
        pass
    return report
