"""Bringing a list: every line is judged by itself, and a line that can't be used is named, not guessed at."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from sqlmodel import Session

from digest.errors import StateConflict, UsageError
from digest.store import newsletters, subscribers
from digest.store.newsletters import Offer
from digest.workflows.context import Context
from digest.workflows.subscribe.export import computes
from digest.workflows.subscribe.operator import Wishes, put_on_list, refuse_suppressed, wanted_offers
from digest.workflows.subscribe.words import (
    frequency_named,
    hour_named,
    moment_named,
    one_line,
    reader_address,
    topics_named,
    zone_named,
)

COLUMNS = ("address", "name", "newsletter", "topics", "frequency", "hour", "zone", "paused_until")
CHUNK = 500
"""Lines per transaction, so that the service goes on working beside a long import."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A line that was left out: its number in the file (the header is line 1) and why."""

    line: int
    problem: str


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do.

    Attributes:
        rows: lines read, the header not counted.
        added: new subscriptions; known: active already, and left as their readers have them.
        problems: lines left out.
    """

    dry_run: bool
    rows: int = 0
    added: int = 0
    known: int = 0
    problems: list[RowProblem] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return {
            "dry_run": self.dry_run,
            "rows": self.rows,
            "added": self.added,
            "known": self.known,
            "problems": [{"line": each.line, "problem": each.problem} for each in self.problems],
        }


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: dict[str, str]


class _DryRun(Exception):
    """Undoes a transaction; never leaves this module."""


def import_csv(
    ctx: Context, lines: Iterable[str], *, dry_run: bool = False, progress: Callable[[int], None] | None = None
) -> ImportReport:
    """Add everybody in a CSV file with the columns address, name, newsletter, topics, frequency, hour, zone, paused_until.

    Only ``address`` is needed. Topics and newsletters are separated by commas, semicolons or spaces; ``TOPIC:weekly``
    has a frequency of its own; no newsletter means every one that offers one of the topics. A column ``state``, as the export has it, is
    obeyed: only active readers come in. Who left or is suppressed stays away, and who reads it already
    keeps their own choices. The operator vouches for the consent of the others.

    Args:
        dry_run: do everything, then undo it.
        progress: called with the number of lines done, after each chunk.

    Raises:
        UsageError: no header, or one without ``address``.
    """
    report = ImportReport(dry_run)
    rows = _rows(lines)
    while chunk := list(islice(rows, None if dry_run else CHUNK)):
        try:
            with ctx.db.write() as session:
                on_offer = newsletters.offers(session)
                for row in chunk:
                    _take(ctx, session, on_offer, row, report)
                if dry_run:
                    raise _DryRun
        except _DryRun:
            pass
        if progress:
            progress(report.rows)
    return report


def _rows(lines: Iterable[str]) -> Iterator[_Row]:
    text = iter(lines)
    header = next(text, "").removeprefix("\ufeff")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    names = [_column(name) for name in next(csv.reader([header], delimiter=delimiter), [])]
    if "address" not in names:
        raise UsageError(f"the first line must name the columns: {','.join(COLUMNS)} (only address is needed)")
    reader = csv.reader(text, delimiter=delimiter)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield _Row(reader.line_num + 1, dict(zip(names, map(_plain, cells), strict=False)))


def _column(name: str) -> str:
    name = name.strip().lower()
    return "address" if name in ("email", "e-mail", "email address") else name


def _plain(cell: str) -> str:
    """A cell without the apostrophe that our export puts before what a spreadsheet would compute."""
    return cell[1:] if cell[:1] == "'" and computes(cell) else cell


def _take(ctx: Context, session: Session, on_offer: tuple[Offer, ...], row: _Row, report: ImportReport) -> None:
    report.rows += 1
    try:
        if (state := row.cells.get("state", "").strip() or "active") != "active":
            raise StateConflict(f"the list says that this subscription is {state}")
        address = reader_address(row.cells.get("address", ""), intranet=True)
        refuse_suppressed(ctx, session, address)
        wishes = Wishes(
            topics_named(row.cells.get("topics", "")),
            frequency_named(row.cells.get("frequency", "") or "every-issue"),
            hour_named(row.cells.get("hour", "")),
            moment_named(row.cells.get("paused_until", "")),
        )
        zone = zone_named(row.cells["zone"]) if row.cells.get("zone", "").strip() else ""
        wanted = wanted_offers(on_offer, _words(row.cells.get("newsletter", "")), wishes.choice.topics)
    except (UsageError, StateConflict) as error:
        report.problems.append(RowProblem(row.line, str(error)))
        return
    person = subscribers.find_or_add(session, ctx.signer, address, ctx.clock(), one_line(row.cells.get("name", "")))
    assert person.id is not None
    present = subscribers.subscriptions_of(session, person.id)
    active = {each.newsletter_id for each in present if each.state == "active"}
    if zone and not active:  # a reader's own choices are left alone
        person.zone = zone
    for offer in wanted:
        if offer.id in active:
            report.known += 1
            continue
        try:
            put_on_list(ctx, session, person, offer, wishes, confirmed=True)
            report.added += 1
        except StateConflict as error:
            report.problems.append(RowProblem(row.line, str(error)))


def _words(cell: str) -> list[str]:
    return [word for word in re.split(r"[\s,;|]+", cell) if word]
