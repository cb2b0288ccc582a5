"""``digest sender``."""

import typer

from digest.cli.common import Json, emit, open_service
from digest.workflows.standing import standing


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("sender")(sender)


def sender(as_json: Json = False) -> None:
    """What the sender may send: its limits, the warm-up, today's count, and domains that asked us to slow down."""
    with open_service() as (ctx, _settings):
        report = standing(ctx)
    emit(as_json, report.as_dict(), report.words)
