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
        body = feed_health.last_failure(session, int(feed) if feed.isdecimal() else feed)
    if body is None:
        raise NotFound(f"nothing is kept of a failure of {feed}: see `digest feeds list`")
    if output:
        with open(output, "wb") as file:
            file.write(body)
    elif sys.stdout.isatty():
        # Other people's bytes may hold sequences that terminals obey.
        text = body.decode("utf-8", "replace")
        typer.echo("".join(letter if letter.isprintable() or letter in "\n\t" else "·" for letter in text))
    else:
        sys.stdout.buffer.write(body)
