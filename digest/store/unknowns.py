"""Rows whose mail was handed over without an answer: found, and settled from that state only."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select as core_select
from sqlalchemy import update
from sqlmodel import Session, col

from digest.store.tables import Delivery, Subscriber

_ROWS = Delivery.__table__  # type: ignore[attr-defined]
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
            col(Delivery.id), col(Delivery.subscriber_id), col(Subscriber.address), col(Delivery.attempts),
            col(Delivery.dated_at), col(Delivery.finished_at), col(Delivery.reason),
        )
        .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(col(Delivery.issue_id) == issue_id, col(Delivery.state) == "unknown")
        .order_by(col(Delivery.id))
    )  # fmt: skip
    return [UnknownRow(*row) for row in session.execute(query)]


def settle_as_sent(session: Session, ids: Collection[int], reason: str, now: datetime) -> int:
    """These arrived after all; returns how many were still unknown."""
    return _settle(session, ids, {"state": "sent", "reason": reason, "finished_at": now, "worker": ""})


def settle_by_resending(session: Session, ids: Collection[int], reason: str) -> int:
    """These go back into the queue; whoever handed them over before has no say in them any more."""
    return _settle(
        session, ids, {"state": "queued", "reason": reason, "finished_at": None, "not_before": None, "worker": ""}
    )


def _settle(session: Session, ids: Collection[int], values: dict[str, Any]) -> int:
    wanted, settled = sorted(ids), 0
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        result = session.execute(
            update(_ROWS).where(_ROWS.c.id.in_(part), _ROWS.c.state == "unknown").values(lease_until=None, **values)
        )
        settled += int(result.rowcount)  # type: ignore[attr-defined]
    return settled
