"""Rows whose mail was handed over without an answer: found, and settled from that state only."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select as core_select
from sqlalchemy import update
from sqlmodel import Session, col

from digest.store.deliveries.rows import QUEUE, row_id, settle, these
from digest.store.tables import Subscriber

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """A mail that may have arrived; ``since`` is when its answer was given up, ``reason`` why."""

    id: int
    subscriber_id: int
    address: str
    attempts: int
    dated_at: datetime | None
    since: datetime | None
    reason: str


def unknown(session: Session, issue_id: int) -> list[UnknownRow]:
    """The issue's unknown rows, by id."""
    query = (
        core_select(
            QUEUE.c.subscriber_id, col(Subscriber.address), QUEUE.c.attempts, QUEUE.c.dated_at, QUEUE.c.unknown_since,
            QUEUE.c.reason,
        )
        .join(Subscriber, col(Subscriber.id) == QUEUE.c.subscriber_id)
        .where(QUEUE.c.issue_id == issue_id, QUEUE.c.state == "unknown")
        .order_by(QUEUE.c.subscriber_id)
    )  # fmt: skip
    return [UnknownRow(row_id(issue_id, row[0]), *row) for row in session.execute(query)]


def settle_as_sent(session: Session, ids: Collection[int], reason: str) -> int:
    """These arrived after all; returns how many were still unknown."""
    return sum(settle(session, these(part) & _UNKNOWN, "sent", reason) for part in _parts(ids))


def settle_by_resending(session: Session, ids: Collection[int], reason: str) -> int:
    """These go back into the queue; whoever handed them over before has no say in them any more."""
    again = {"state": "queued", "reason": reason, "unknown_since": None, "not_before": None, "worker": ""}
    settled = 0
    for part in _parts(ids):
        result = session.execute(update(QUEUE).where(these(part), _UNKNOWN).values(**again))
        settled += int(result.rowcount)  # type: ignore[attr-defined]
    return settled


_UNKNOWN = QUEUE.c.state == "unknown"


def _parts(ids: Collection[int]) -> Iterator[list[int]]:
    wanted = sorted(ids)
    for start in range(0, len(wanted), _CHUNK):
        yield wanted[start : start + _CHUNK]
