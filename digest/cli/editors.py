"""``digest editors …``."""

from typing import Annotated

import typer

from digest.cli.common import Json, emit, open_service
from digest.workflows.sign_in import ensure_editor, make_link

app = typer.Typer(no_args_is_help=True, help="Let editors sign in to the desk.")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="editors")


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="Their e-mail address.")],
    role: Annotated[str, typer.Option(help="viewer, editor, publisher or admin.")] = "publisher",
    as_json: Json = False,
) -> None:
    """Let somebody sign in, or change their role."""
    with open_service() as (ctx, _settings):
        editor = ensure_editor(ctx, address, role)  # type: ignore[arg-type]  # checked there
    emit(as_json, {"address": editor.address, "role": editor.role}, f"{editor.address} may sign in as {editor.role}")


@app.command()
def link(address: Annotated[str, typer.Argument(help="An editor's address.")], as_json: Json = False) -> None:
    """Print a sign-in link that works once, for 30 minutes."""
    with open_service() as (ctx, settings):
        url = f"http://{settings.host}:{settings.port}/desk/sign-in/{make_link(ctx, address)}"
    emit(as_json, {"link": url}, url)
