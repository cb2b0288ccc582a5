"""Taking the list along: a CSV file that is safe to open in a spreadsheet and that the import reads back."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from digest.store import subscribers
from digest.workflows.context import Context

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet compute a cell."""

HEADER = (
    "address", "name", "newsletter", "topics", "frequency", "hour", "zone", "paused_until", "state", "created_at",
    "confirmed_at", "ended_at",
)  # fmt: skip


def export_csv(ctx: Context, newsletter: str | None = None) -> Iterator[str]:
    """The lines of the list, header first, each with its line break; one line for each subscription.

    Cells that a spreadsheet would take for a formula are preceded by an apostrophe.
    """
    yield _line(HEADER)
    with ctx.db.read() as session:
        for each in subscribers.listed(session, newsletter):
            yield _line(
                (
                    each.subscriber.address,
                    each.subscriber.name,
                    each.newsletter,
                    each.choice.encode(),
                    each.subscription.frequency,
                    each.subscription.hour,
                    each.subscriber.zone,
                    _when(each.subscription.paused_until),
                    each.subscription.state,
                    _when(each.subscription.created_at),
                    _when(each.subscription.confirmed_at),
                    _when(each.subscription.ended_at),
                )
            )


def _line(cells: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([_safe(cell) for cell in cells])
    return text.getvalue()


def _safe(cell: str) -> str:
    return f"'{cell}" if computes(cell) else cell


def computes(cell: str) -> bool:
    """Whether a cell is, or looks like one that we made from, a formula: ``=1+1``, ``'=1+1``, ``''=1+1`` …"""
    return cell.lstrip("'").startswith(FORMULA)


def _when(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
