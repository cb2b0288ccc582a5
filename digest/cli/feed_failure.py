"""``digest feeds failure``."""

import sys
from typing import Annotated

import typer

from digest.cli.common import open_service
from digest.errors import NotFound
from digest.store import feed_health


def failure_command(
    feed: Annotated[str, typer.Argument(help="The feed's address, name or number.")],
    output: Annotated[str, typer.Option(metavar="FILE", help="Where to write the bytes; default: here.")] = "",
) -> None:
    """What a feed sent when it last failed. On a terminal, what is no text is shown as dots."""
    with open_service() as (ctx, _settings), ctx.db.read() as session:
        found = [
            each for each in feed_health.health(session, ctx.clock()) if feed in (each.url, each.name, str(each.id))
        ]
        body = feed_health.last_failure(session, found[0].id) if found else None
    if not found:
        raise NotFound(f"there is no feed {feed}: `digest feeds list` names them")
    if not body:
        why = f"it failed with: {found[0].last_error}; with that" if found[0].last_error else "it has not failed, or"
        raise NotFound(f"nothing is kept of {found[0].name}: {why} it sent no bytes")
    if sys.stderr.isatty() or output:
        typer.echo(f"{found[0].name}: {found[0].last_error or 'has recovered since'} ({len(body)} bytes)", err=True)
    if output:
        with open(output, "wb") as file:
            file.write(body)
    elif sys.stdout.isatty():
        # Other people's bytes may hold sequences that terminals obey.
        text = body.decode("utf-8", "replace")
        typer.echo("".join(letter if letter.isprintable() or letter in "\n\t" else "·" for letter in text))
    else:
        sys.stdout.buffer.write(body)
