"""Looking at the ledger."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from digest.domain.mail import DELIVERY_STATES, Cut
from digest.store.tables import CutRow, Delivery, Subscriber

_ROWS = Delivery.__table__  # type: ignore[attr-defined]  # the hot path stays below the ORM


def counts(session: Session, issue_id: int) -> dict[str, int]:
    """How many rows of the issue are in each state, all from one moment; they add up to ``audience``."""
    found: dict[str, int] = dict.fromkeys(DELIVERY_STATES, 0)
    query = core_select(col(Delivery.state), func.count()).where(col(Delivery.issue_id) == issue_id)
    found |= {row[0]: row[1] for row in session.execute(query.group_by(col(Delivery.state)))}
    return {"audience": sum(found.values()), **found}


def skip_reasons(session: Session, issue_id: int) -> dict[str, int]:
    """Why readers get no mail, and how many of each."""
    query = (
        core_select(col(Delivery.reason), func.count())
        .where(col(Delivery.issue_id) == issue_id, col(Delivery.state) == "skipped")
        .group_by(col(Delivery.reason))
    )
    return {row[0]: row[1] for row in session.execute(query)}


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many readers are in a state for a reason; of long reasons (a server's words) the beginning."""

    state: str
    reason: str
    readers: int


def reasons(session: Session, issue_id: int, most: int = 12) -> list[ReasonCount]:
    """Why readers are skipped, failed or unknown, or wait for another attempt; the most frequent first."""
    words = func.substr(_ROWS.c.reason, 1, 80)
    waits = and_(_ROWS.c.state == "queued", _ROWS.c.not_before.is_not(None), _ROWS.c.reason != "")
    query = (
        core_select(_ROWS.c.state, words, func.count())
        .where(_ROWS.c.issue_id == issue_id, or_(_ROWS.c.state.in_(("skipped", "failed", "unknown")), waits))
        .group_by(_ROWS.c.state, words)
        .order_by(func.count().desc(), _ROWS.c.state, words)
        .limit(most)
    )
    return [ReasonCount(*row) for row in session.execute(query)]


def of_subscriber(session: Session, issue_id: int, subscriber_id: int) -> Delivery | None:
    """One person's row of an issue."""
    return session.exec(
        select(Delivery).where(Delivery.issue_id == issue_id, Delivery.subscriber_id == subscriber_id)
    ).first()


def cut_of_subscriber(session: Session, issue_id: int, subscriber_id: int) -> Cut:
    """What one person was sent, or will be sent, of an issue; the empty cut if nothing."""
    query = (
        core_select(col(CutRow.bits))
        .join(Delivery, col(Delivery.cut_id) == col(CutRow.id))
        .where(
            col(Delivery.issue_id) == issue_id, col(Delivery.subscriber_id) == subscriber_id,
            col(Delivery.state).in_(("sent", "unknown", "sending", "queued")),
        )
    )  # fmt: skip
    return Cut.decode(session.execute(query).scalar() or "0")


def next_due(session: Session, issue_id: int) -> datetime | None:
    """When the next queued row of an issue may go; None if none is queued, or one may go at once."""
    queued = and_(_ROWS.c.issue_id == issue_id, _ROWS.c.state == "queued")
    at_once = core_select(_ROWS.c.id).where(queued, _ROWS.c.not_before.is_(None)).limit(1)
    if session.execute(at_once).first() is not None:
        return None
    return session.execute(core_select(func.min(_ROWS.c.not_before)).where(queued)).scalar()


def is_due(session: Session, issue_id: int, now: datetime) -> bool:
    """Whether a queued row of an issue may go at this moment."""
    queued = and_(_ROWS.c.issue_id == issue_id, _ROWS.c.state == "queued")
    at_once = core_select(_ROWS.c.id).where(queued, _ROWS.c.not_before.is_(None)).limit(1)
    by_now = core_select(_ROWS.c.id).where(queued, _ROWS.c.not_before <= now).limit(1)
    return any(session.execute(query).first() is not None for query in (at_once, by_now))


def waiting_at(session: Session, issue_id: int, domain: str) -> int:
    """How many readers at a domain are still to get the issue."""
    query = (
        core_select(func.count())
        .select_from(_ROWS)
        .join(Subscriber, col(Subscriber.id) == _ROWS.c.subscriber_id)
        .where(
            _ROWS.c.issue_id == issue_id,
            _ROWS.c.state.in_(("queued", "sending")),
            col(Subscriber.address_key).endswith(f"@{domain}", autoescape=True),
        )
    )
    return int(session.execute(query).scalar_one())


def wants_work(session: Session, issue_id: int, now: datetime) -> bool:
    """Whether a worker could do something for an issue that is being sent: rows are due, or it only wants closing."""
    rows = core_select(_ROWS.c.id).where(_ROWS.c.issue_id == issue_id)
    if is_due(session, issue_id, now):
        return True
    return session.execute(rows.where(_ROWS.c.state.in_(("queued", "sending"))).limit(1)).first() is None
