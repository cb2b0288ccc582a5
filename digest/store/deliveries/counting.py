"""Looking at the ledger."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, literal, or_, union_all
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from digest.domain.mail import DELIVERY_STATES, Cut
from digest.store.deliveries.recording import WAITING
from digest.store.deliveries.rows import LEDGER, QUEUE, QUEUED, UNSENT
from digest.store.tables import CutRow, Delivery, Issue, Subscriber, Subscription


def counts(session: Session, issue_id: int) -> dict[str, int]:
    """How many rows of the issue are in each state, all from one moment; they add up to ``audience``.

    Every row is counted. ``audience`` is what was planned, so a reader who was in both halves of the ledger, or in
    neither, would be seen.
    """
    planned = core_select(literal("audience"), col(Issue.audience)).where(col(Issue.id) == issue_id)
    halves = (core_select(half.c.state, func.count()).where(half.c.issue_id == issue_id) for half in (QUEUE, LEDGER))
    found = _states(session, planned, *(half.group_by("state") for half in halves))
    audience = found.pop("audience", None)
    return {"audience": sum(found.values()) if audience is None else audience, **found}


def tally(session: Session, issue_id: int) -> dict[str, int]:
    """The same without counting those that were sent, who are what remains of the audience: for who looks again and again."""
    planned = core_select(literal("audience"), col(Issue.audience)).where(col(Issue.id) == issue_id)
    waiting = core_select(QUEUE.c.state, func.count()).where(QUEUE.c.issue_id == issue_id).group_by(QUEUE.c.state)
    unsent = core_select(LEDGER.c.state, func.count()).where(LEDGER.c.issue_id == issue_id, UNSENT)
    found = _states(session, planned, waiting, unsent.group_by(LEDGER.c.state))
    audience = found.pop("audience", None)
    if audience is None:
        return counts(session, issue_id)
    return {"audience": audience, **found, "sent": audience - sum(found.values())}


def _states(session: Session, *parts: Any) -> dict[str, int]:
    """One statement, as what is settled between two of them would be in neither or in both."""
    found: dict[str, int] = dict.fromkeys(DELIVERY_STATES, 0)
    for state, count in session.execute(union_all(*parts)):
        if count is not None:
            found[state] = found.get(state, 0) + count
    return found


def skip_reasons(session: Session, issue_id: int) -> dict[str, int]:
    """Why readers get no mail, and how many of each."""
    query = (
        core_select(LEDGER.c.reason, func.count())
        .where(LEDGER.c.issue_id == issue_id, UNSENT, LEDGER.c.state == "skipped")
        .group_by(LEDGER.c.reason)
    )
    return {row[0] or "": row[1] for row in session.execute(query)}


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many readers are in a state for a reason; of long reasons (a server's words) the beginning."""

    state: str
    reason: str
    readers: int


def reasons(session: Session, issue_id: int, now: datetime, most: int = 12) -> list[ReasonCount]:
    """Why readers are skipped, failed or unknown, or wait for another attempt or the server; the most frequent first."""
    rests = core_select(col(Issue.rests_until)).where(col(Issue.id) == issue_id)
    until: datetime | None = session.execute(rests).scalar()
    waits = and_(QUEUE.c.reason != "", QUEUE.c.not_before.is_not(None))
    if until is not None and until > now:
        waits = or_(waits, QUEUE.c.not_before.is_(None), QUEUE.c.not_before < until)
    why = case((and_(QUEUE.c.state == "queued", QUEUE.c.reason == ""), WAITING), else_=QUEUE.c.reason)
    open_rows = core_select(QUEUE.c.state, func.substr(why, 1, 80).label("words")).where(
        QUEUE.c.issue_id == issue_id, or_(QUEUE.c.state == "unknown", and_(QUEUE.c.state == "queued", waits))
    )
    unsent = core_select(LEDGER.c.state, func.substr(func.coalesce(LEDGER.c.reason, ""), 1, 80)).where(
        LEDGER.c.issue_id == issue_id, UNSENT
    )
    rows = union_all(open_rows, unsent).subquery("rows")
    query = (
        core_select(rows.c.state, rows.c.words, func.count())
        .group_by(rows.c.state, rows.c.words)
        .order_by(func.count().desc(), rows.c.state, rows.c.words)
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
    at_once = core_select(QUEUE.c.issue_id).where(_waiting(issue_id), QUEUE.c.not_before.is_(None)).limit(1)
    rests = core_select(col(Issue.rests_until)).where(col(Issue.id) == issue_id)
    until: datetime | None = session.execute(rests).scalar()
    if session.execute(at_once).first() is not None:
        return until
    first: datetime | None = session.execute(
        core_select(func.min(QUEUE.c.not_before)).where(_waiting(issue_id))
    ).scalar()
    return first if first is None or until is None else max(first, until)


def is_due(session: Session, issue_id: int, now: datetime) -> bool:
    """Whether a queued row of an issue may go at this moment."""
    rests = core_select(col(Issue.id)).where(col(Issue.id) == issue_id, col(Issue.rests_until) > now)
    if session.execute(rests).first() is not None:
        return False
    queued = core_select(QUEUE.c.issue_id).where(_waiting(issue_id)).limit(1)
    walks = (queued.where(due) for due in (QUEUE.c.not_before.is_(None), QUEUE.c.not_before <= now))
    return any(session.execute(walk).first() is not None for walk in walks)


def has_many_due(session: Session, issue_id: int, now: datetime, many: int) -> bool:
    """Whether as many readers of an issue may be written to at this moment; no more of them are counted.

    Of one whose ledger is not written yet: whether the newsletter has as many.
    """
    approved = core_select(col(Issue.newsletter_id)).where(col(Issue.id) == issue_id, col(Issue.state) == "approved")
    if (newsletter := session.execute(approved).scalar()) is not None:
        readers = core_select(literal(1)).where(
            col(Subscription.newsletter_id) == newsletter, col(Subscription.state) == "active"
        )
        return _are(session, readers, many)
    if not is_due(session, issue_id, now):
        return False
    due = or_(QUEUE.c.not_before.is_(None), QUEUE.c.not_before <= now)
    return _are(session, core_select(literal(1)).select_from(QUEUE).where(_waiting(issue_id), due), many)


def _are(session: Session, rows: Any, many: int) -> bool:
    found = session.execute(core_select(func.count()).select_from(rows.limit(many).subquery("some"))).scalar_one()
    return bool(found >= many)


def _waiting(issue_id: int) -> Any:
    return and_(QUEUE.c.issue_id == issue_id, QUEUE.c.state == QUEUED)


def waiting_at(session: Session, issue_id: int, domain: str) -> int:
    """How many readers at a domain are still to get the issue."""
    query = (
        core_select(func.count())
        .select_from(QUEUE)
        .join(Subscriber, col(Subscriber.id) == QUEUE.c.subscriber_id)
        .where(
            QUEUE.c.issue_id == issue_id,
            QUEUE.c.state.in_(("queued", "sending")),
            col(Subscriber.address_key).endswith(f"@{domain}", autoescape=True),
        )
    )
    return int(session.execute(query).scalar_one())


def wants_work(session: Session, issue_id: int, now: datetime) -> bool:
    """Whether a worker could do something for an issue that is being sent: rows are due, or it only wants closing."""
    if is_due(session, issue_id, now):
        return True
    rows = core_select(QUEUE.c.issue_id).where(QUEUE.c.issue_id == issue_id, QUEUE.c.state.in_(("queued", "sending")))
    return session.execute(rows.limit(1)).first() is None
