"""What became of rows, and rows that wait, were lost, or need wait no longer."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from digest.store.deliveries.rows import FORMER, QUEUE, QUEUED, issue_of, reader_of, row_id, settle
from digest.store.tables import Issue

WAITING = "waiting for the mail server"
"""Why rows wait while their issue rests: because the server can't be reached, not because of their recipients."""

CANCELLED = "the issue was cancelled"

SUPERSEDED = "a newer issue is out, and the day's number had no place for this one"

LOST = "the worker was lost after it may have handed the mail over"

_SETTLED = ("sent", "failed", "skipped")


class Change(NamedTuple):
    """What a row becomes when its worker is done with it."""

    delivery_id: int
    state: str
    reason: str = ""
    not_before: datetime | None = None
    finished_at: datetime | None = None
    provider_id: str = ""


def record(session: Session, worker: str, changes: Sequence[Change]) -> int:
    """Write what became of a worker's rows, in bulk; returns how many were still its own.

    What is settled moves from the queue into the ledger. A row that was given up as unknown meanwhile (its worker
    overslept its lease) still takes the worker's word.
    """
    if any(change.delivery_id < FORMER for change in changes):
        changes = _renamed(session, worker, changes)
    recorded = 0
    settled = [change for change in changes if change.state in _SETTLED]
    others = [change for change in changes if change.state not in _SETTLED]
    for issue_id, group in groupby(sorted(settled, key=_ISSUE), lambda change: issue_of(change.delivery_id)):
        recorded += _settle(session, worker, issue_id, list(group))
    if others:
        recorded += _keep(session, worker, others)
    return recorded


_ISSUE = itemgetter(0)


def _settle(session: Session, worker: str, issue_id: int, changes: Sequence[Change]) -> int:
    connection = session.connection()
    rows = [
        (reader_of(change.delivery_id), change.state, _words(change.reason) or None, _words(change.provider_id) or None)
        for change in changes
    ]
    if connection.dialect.name == "postgresql":
        readers, *others = (list(column) for column in zip(*rows, strict=True))
        values = (readers, *others, issue_id, readers, worker)
        return int(connection.exec_driver_sql(_SETTLE_POSTGRESQL, values).rowcount)
    mine = json.dumps([row[0] for row in rows])
    even_unknown = json.dumps([row[0] for row in rows if row[1] != "skipped"])
    guard = (issue_id, mine, worker, even_unknown)
    connection.exec_driver_sql(_SETTLE_SQLITE, (json.dumps(rows), *guard))
    return int(connection.exec_driver_sql(_TAKE_OUT_SQLITE, guard).rowcount)


def _words(said: str) -> str:
    # PostgreSQL keeps no NUL, and a server may say anything.
    return said.replace("\0", "\N{REPLACEMENT CHARACTER}")


# Written by hand for each database: one statement for all rows, and no value is processed on its way. The readers are
# named twice, so that PostgreSQL goes along the key whatever it believes about a table that changes all the time. On
# SQLite every step of a statement lets go of the interpreter, which the carriers then hold: one step for all rows.
_SETTLE_POSTGRESQL = """
    WITH gone AS (
        DELETE FROM delivery_queue AS q
        USING unnest(%s::integer[], %s::text[], %s::text[], %s::text[]) AS new (reader, state, reason, provider_id)
        WHERE q.issue_id = %s AND q.subscriber_id = ANY(%s::integer[]) AND q.subscriber_id = new.reader
            AND q.worker = %s AND (q.state = 'sending' OR (q.state = 'unknown' AND new.state IN ('sent', 'failed')))
        RETURNING q.issue_id, q.subscriber_id, q.subscription_id, new.state, new.reason, new.provider_id,
            CASE WHEN new.state <> 'skipped' THEN q.cut_id END AS cut_id,
            CASE WHEN new.state <> 'skipped' THEN q.dated_at END AS dated_at
    )
    INSERT INTO delivery_ledger
        (issue_id, subscriber_id, subscription_id, cut_id, dated_at, state, reason, provider_id)
    SELECT issue_id, subscriber_id, subscription_id, cut_id, dated_at, state, reason, provider_id FROM gone
"""
_GUARD_SQLITE = """
    WHERE issue_id = ? AND subscriber_id IN (SELECT value FROM json_each(?)) AND worker = ? AND (
        q.state = 'sending' OR (q.state = 'unknown' AND subscriber_id IN (SELECT value FROM json_each(?)))
    )
"""
_SETTLE_SQLITE = f"""
    INSERT INTO delivery_ledger
        (issue_id, subscriber_id, subscription_id, cut_id, dated_at, state, reason, provider_id)
    SELECT issue_id, subscriber_id, subscription_id, iif(new.state = 'skipped', NULL, cut_id),
        iif(new.state = 'skipped', NULL, dated_at), new.state, new.reason, new.provider_id
    FROM (
        SELECT json_extract(value, '$[0]') AS reader, json_extract(value, '$[1]') AS state,
            json_extract(value, '$[2]') AS reason, json_extract(value, '$[3]') AS provider_id
        FROM json_each(?)
    ) AS new CROSS JOIN delivery_queue AS q ON q.subscriber_id = new.reader {_GUARD_SQLITE}
"""  # noqa: S608  (no value in it)
_TAKE_OUT_SQLITE = f"DELETE FROM delivery_queue AS q {_GUARD_SQLITE}"  # noqa: S608


def _keep(session: Session, worker: str, changes: Sequence[Change]) -> int:
    """Those that stay in the queue: put off, or unknown."""
    connection = session.connection()
    kept = partial(QUEUE.c.not_before.type.process_bind_param, dialect=connection.dialect)
    rows = [
        (
            change.state, _words(change.reason), kept(change.not_before), kept(change.finished_at),
            _words(change.provider_id),
            issue_of(change.delivery_id), reader_of(change.delivery_id), worker,
        )
        for change in changes
    ]  # fmt: skip
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    return int(connection.exec_driver_sql(_KEEP.replace("?", mark), rows).rowcount)


_KEEP = """
    UPDATE delivery_queue SET state = ?, reason = ?, not_before = ?, unknown_since = ?, provider_id = ?, lease_until = NULL
    WHERE issue_id = ? AND subscriber_id = ? AND worker = ? AND state = 'sending'
"""


def _renamed(session: Session, worker: str, changes: Sequence[Change]) -> list[Change]:
    """The same under the names that rows bear now: a journal may be older than those."""
    query = core_select(QUEUE.c.former_id, QUEUE.c.issue_id, QUEUE.c.subscriber_id)
    found = session.execute(query.where(QUEUE.c.worker == worker, QUEUE.c.former_id.is_not(None)))
    now = {former: row_id(issue, reader) for former, issue, reader in found}
    return [
        change._replace(delivery_id=now.get(change.delivery_id, change.delivery_id)) for change in changes
        if change.delivery_id in now or change.delivery_id >= FORMER
    ]  # fmt: skip


def put_off(session: Session, issue_id: int, until: datetime) -> None:
    """Let an issue rest until the server may be back. No row is touched: each keeps its reader's hour."""
    rests = col(Issue.rests_until)
    session.execute(
        update(Issue).where(col(Issue.id) == issue_id, or_(rests.is_(None), rests < until)).values(rests_until=until)
    )


def note_problem(session: Session, issue_id: int, words: str) -> None:
    """Say on an issue that is being sent what keeps it; "" when nothing does any more."""
    session.execute(update(Issue).where(col(Issue.id) == issue_id, col(Issue.state) == "sending").values(reason=words))


def wake(session: Session, issue_id: int) -> None:
    """Let an issue go on now that waits only for the server; readers whose hour has not come wait for that still."""
    session.execute(
        update(Issue).where(col(Issue.id) == issue_id, col(Issue.rests_until).is_not(None)).values(rests_until=None)
    )


def sweep(session: Session, now: datetime, alive: Iterable[str], *, idempotent: bool) -> int:
    """Settle rows whose lease ended and whose worker is gone without a journal here.

    Such a worker may have handed the mail over, so the row becomes unknown; with an idempotent sender it is
    queued again. Workers in ``alive`` are only slow and keep their rows.
    """
    values: dict[str, Any] = (
        {"state": "queued", "lease_until": None}
        if idempotent
        else {"state": "unknown", "reason": LOST, "unknown_since": now, "lease_until": None}
    )
    result = session.execute(
        update(QUEUE)
        .where(QUEUE.c.state == "sending", QUEUE.c.lease_until < now, QUEUE.c.worker.not_in(list(alive)))
        .values(**values)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def skip_cancelled(session: Session, now: datetime) -> int:
    """Rows that wait for an issue that was cancelled need wait no longer."""
    cancelled = core_select(col(Issue.id)).where(col(Issue.state) == "cancelled")
    waiting = QUEUE.c.issue_id.in_(cancelled) & (QUEUE.c.state == QUEUED)
    return settle(session, waiting, "skipped", CANCELLED)
