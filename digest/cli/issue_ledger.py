"""``digest issue …`` about the ledger: who got an issue, what is unknown, what will leave."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.common import IssueId, Json, actor, bar, emit, open_service
from digest.domain.mail import DELIVERY_STATES
from digest.errors import UsageError
from digest.workflows import deliver as delivery
from digest.workflows import forecast as forecasts
from digest.workflows.progress import Progress, Pulse
from digest.workflows.reconcile import Word
from digest.workflows.reconcile import reconcile as settle_unknown


def register(app: typer.Typer) -> None:
    """Add the commands to ``digest issue``."""
    for command in (audit, forecast, watch, reconcile):
        app.command()(command)


def audit(issue_id: IssueId, as_json: Json = False) -> None:
    """The ledger of an issue: its states always add up to the audience."""
    with open_service() as (ctx, _settings):
        numbers = delivery.audit(ctx, issue_id)
    words = " + ".join(f"{numbers[state]} {state}" for state in DELIVERY_STATES)
    emit(as_json, numbers, f"{words} = {numbers['audience']}")


def forecast(issue_id: IssueId, as_json: Json = False) -> None:
    """What sending an issue would do now: distinct mails, recipients, skips by reason, size, hours of sending."""
    with open_service() as (ctx, _settings):
        found = forecasts.forecast(ctx, issue_id)
    lines = [
        f"{found.recipients:,} of {found.audience:,} readers get {found.cuts:,} distinct mail{'' if found.cuts == 1 else 's'}"
        + (f"; {found.settled:,} are settled already" if found.settled else ""),
        *(
            f"  {count:>9,}  skipped: {reason}"
            for reason, count in sorted(found.skips.items(), key=lambda each: -each[1])
        ),
    ]
    if found.recipients and found.first_at and found.last_at:
        lines.append(f"the largest has {found.largest:,} bytes")
        lines.append(f"due from {found.first_at:%d %b %H:%M} to {found.last_at:%d %b %H:%M} UTC")
        done = f"{found.sending.done_at:%d %b %H:%M} UTC" if found.sending.done_at else "over a year from now"
        pace = f"{found.hours:.2f} hours of sending at the limit" if found.hours else "no limit on the sender"
        lines.append(f"{pace}; the last one has left by {done}")
    if found.sending.shortfall:
        lines.append(f"{found.sending.shortfall:,} mails find no place on their day and wait for the next")
    emit(as_json, found.as_dict(), "\n".join(lines))


def watch(issue_id: IssueId, as_json: Json = False) -> None:
    """How the sending of an issue goes: progress, rate, time left, and why readers get nothing. Live until it ends.

    With --json one reading, with the rate of the last second. Ctrl-C ends the watching, not the sending.
    """
    with open_service() as (ctx, _settings):
        pulse = Pulse(ctx)
        found = pulse.read(issue_id)
        if as_json or not found.goes_on:
            if found.goes_on:
                time.sleep(1)
                found = pulse.read(issue_id)
            emit(as_json, found.as_dict(), "\n".join(_lines(found)))
            return
        with bar(f"issue {issue_id}") as progress, suppress(KeyboardInterrupt):
            while found.goes_on:
                progress.update(
                    progress.task_ids[0], completed=found.settled, total=found.counts["audience"],
                    description=found.words.partition(", ")[2],
                )  # fmt: skip
                time.sleep(1)
                found = pulse.read(issue_id)
        emit(False, None, "\n".join(_lines(found)))


def _lines(found: Progress) -> list[str]:
    return [found.words, *(f"  {row.readers:>9,}  {row.state}: {row.reason}" for row in found.reasons)]


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
