"""Counting a plan instead of writing it (see ``Audience.plan``)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from digest.store.deliveries.rows import either
from digest.store.tables import Delivery, Subscriber

_LONGEST = 20


@dataclass(frozen=True, slots=True)
class Counted:
    """What a plan comes to.

    Attributes:
        settled: readers whose row has left the queue already.
        skips: why readers get no mail, and how many.
        cuts: ids of the cuts that somebody gets.
        waves: how many mails are due at which moment.
    """

    recipients: int
    settled: int
    skips: Mapping[str, int]
    cuts: frozenset[int]
    waves: Mapping[datetime, int]


@dataclass(frozen=True, slots=True)
class Addressed:
    """A reader with their cut."""

    cut: int
    subscriber_id: int
    subscription_id: int
    address: str
    name: str


def count_plan(session: Session, issue_id: int, plan: Select[Any], at_once: datetime) -> Counted:
    """Count a plan; mails that wait for no hour leave ``at_once``."""
    rows = plan.subquery("plan")
    query = (
        select(rows.c.state, rows.c.reason, rows.c.cut_id, rows.c.not_before, func.count())
        .where(~_gone(issue_id, rows))
        .group_by(rows.c.state, rows.c.reason, rows.c.cut_id, rows.c.not_before)
    )
    skips: dict[str, int] = {}
    waves: dict[datetime, int] = {}
    cuts: set[int] = set()
    for state, reason, cut, at, count in session.execute(query):
        if state == "skipped":
            skips[reason] = skips.get(reason, 0) + count
        else:
            cuts.add(cut)
            moment = max(at or at_once, at_once)
            waves[moment] = waves.get(moment, 0) + count
    settled = session.execute(
        select(func.count()).where(
            col(Delivery.issue_id) == issue_id, col(Delivery.state).not_in(("queued", "skipped"))
        )
    ).scalar_one()
    return Counted(sum(waves.values()), settled, skips, frozenset(cuts), waves)


def longest_of(session: Session, issue_id: int, plan: Select[Any], cuts: Collection[int]) -> list[Addressed]:
    """Among those who get one of these cuts, the readers with the longest address and name, by letters and by bytes."""
    rows = plan.subquery("plan")
    query = (
        select(
            rows.c.cut_id, rows.c.subscriber_id, rows.c.subscription_id, col(Subscriber.address), col(Subscriber.name)
        )
        .join(Subscriber, col(Subscriber.id) == rows.c.subscriber_id)
        .where(rows.c.cut_id.in_(list(cuts)), ~_gone(issue_id, rows))
        .limit(_LONGEST)
    )
    letters = func.length(col(Subscriber.address)) + func.length(col(Subscriber.name))
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    # On SQLite hex() has two letters for each byte.
    bytes_of = func.octet_length(col(Subscriber.name)) if is_postgresql else func.length(func.hex(col(Subscriber.name)))
    found = {row for order in (letters, bytes_of) for row in session.execute(query.order_by(order.desc())).all()}
    return [Addressed(*row) for row in found]


def domains_of(session: Session, issue_id: int, plan: Select[Any]) -> dict[str, int]:
    """How many mails go to each domain."""
    rows = plan.subquery("plan")
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    address = col(Subscriber.address)
    domain = (
        func.split_part(address, "@", 2) if is_postgresql else func.substr(address, func.instr(address, "@") + 1)
    ).label("domain")
    named = (
        select(domain)
        .join(rows, rows.c.subscriber_id == col(Subscriber.id))
        .where(rows.c.state == "queued", ~_gone(issue_id, rows))
        .subquery("named")
    )
    query = select(func.lower(named.c.domain).label("name")).subquery("lower")
    return {row[0]: row[1] for row in session.execute(select(query.c.name, func.count()).group_by(query.c.name))}


def _gone(issue_id: int, rows: Any) -> Any:
    """Whether a reader's row has left the queue already."""
    return either(
        lambda half: (
            half.c.issue_id == issue_id, half.c.subscriber_id == rows.c.subscriber_id,
            half.c.state.in_(("sending", "sent", "failed", "unknown")),
        )
    )  # fmt: skip
