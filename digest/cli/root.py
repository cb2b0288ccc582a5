"""Builds the typer application from the modules that a call needs, and turns errors into exit codes."""

import json
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import NoReturn

import typer
from sqlalchemy.exc import DBAPIError

from digest.cli import COMMANDS
from digest.errors import DigestError


def application(names: Iterable[str]) -> typer.Typer:
    """A typer application that knows these commands."""
    root = typer.Typer(name="digest", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
    root.callback()(_root)
    for module in sorted({COMMANDS[name][0] for name in names}):
        import_module(f"digest.cli.{module}").register(root)
    return root


def _root() -> None:
    """A newsletter digest service: from feeds to everyone's own mail."""


def run(args: list[str], names: Iterable[str]) -> NoReturn:
    """Run one command; never returns. Errors made for people become one line on standard error."""
    try:
        application(names)(args=args, prog_name="digest")  # ends the process: 0, or 2 for wrong words
        sys.exit(0)
    except DigestError as error:
        _say(args, str(error))
        sys.exit(error.exit_code)
    except DBAPIError as error:
        _say(args, f"the database failed: {str(error.orig).strip().splitlines()[0]} (DIGEST_DATABASE_URL)")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(1)


def _say(args: list[str], words: str) -> None:
    sys.stderr.write(f"digest: {words}\n")
    if "--json" in args:
        sys.stdout.write(json.dumps({"error": words}) + "\n")
