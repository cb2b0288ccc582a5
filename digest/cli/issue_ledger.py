"""``digest issue …`` about the ledger: who got an issue, what is unknown, what will leave."""

from pathlib import Path
from typing import Annotated

import typer

from digest.cli.common import IssueId, Json, actor, emit, open_service
from digest.domain.mail import DELIVERY_STATES
from digest.errors import UsageError
from digest.workflows import deliver as delivery
from digest.workflows.reconcile import Word
from digest.workflows.reconcile import reconcile as settle_unknown


def register(app: typer.Typer) -> None:
    """Add the commands to ``digest issue``."""
    for command in (audit, reconcile):
        app.command()(command)


def audit(issue_id: IssueId, as_json: Json = False) -> None:
    """The ledger of an issue: its states always add up to the audience."""
    with open_service() as (ctx, _settings):
        numbers = delivery.audit(ctx, issue_id)
    words = " + ".join(f"{numbers[state]} {state}" for state in DELIVERY_STATES)
    emit(as_json, numbers, f"{words} = {numbers['audience']}")


def reconcile(
    issue_id: IssueId,
    maildir: Annotated[list[Path] | None, typer.Option(help="A Maildir that may hold the mails.")] = None,
    log: Annotated[
        list[Path] | None, typer.Option(help="A log of the relay (mail.log), that names Message-IDs.")
    ] = None,
    resend: Annotated[bool, typer.Option("--resend", help="Send again what was not found.")] = False,
    consider_sent: Annotated[bool, typer.Option("--consider-sent", help="Take what was not found for sent.")] = False,
    why: Annotated[str, typer.Option(help="What that word rests on; kept with it.")] = "",
    as_json: Json = False,
) -> None:
    """Settle mails that were handed over without an answer: by evidence, then by your word. Alone it shows them.

    Exit code 1 while some are unknown.
    """
    if resend and consider_sent:
        raise UsageError("give --resend or --consider-sent, not both")
    word: Word = "resend" if resend else "consider-sent" if consider_sent else ""
    with open_service() as (ctx, _settings):
        report = settle_unknown(ctx, issue_id, actor(), maildirs=maildir or (), logs=log or (), word=word, why=why)
    lines = [report.words, *(f"  {row.address}  {row.message_id}  {row.reason}" for row in report.left)]
    emit(as_json, report.as_dict(), "\n".join(lines))
    raise typer.Exit(1 if report.left else 0)
