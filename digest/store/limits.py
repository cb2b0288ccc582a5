"""Token buckets and days, in the database: all workers take from the same ones.

Times are the workers' own: clocks that are a second apart move mails by a second and lose none of the limit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, text
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from digest.domain.limits import REST, Slowed
from digest.store.tables import SendDay, SendLimit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Grant:
    """What was taken: ``count`` tokens, all of which may be used from ``usable_at`` on."""

    count: int
    usable_at: datetime


# GCRA: ``free_at`` is the moment up to which all tokens are taken. Whole microseconds, as integer division means the
# same to both databases. The expressions stand twice because no database lets SET read what SET has just written.
_START = "(CASE WHEN send_limit.free_at > {floor} THEN send_limit.free_at ELSE {floor} END)"
_ROOM = "((CAST(:until AS BIGINT) - {start}) / CAST(:interval AS BIGINT))"
_GIVEN = (
    "(CASE WHEN {room} >= CAST(:wanted AS BIGINT) THEN CAST(:wanted AS BIGINT) WHEN {room} < 0 THEN 0 ELSE {room} END)"
)
_start = _START.format(floor="CAST(:floor AS BIGINT)")
_given = _GIVEN.format(room=_ROOM.format(start=_start))
_TAKE = text(f"""
    INSERT INTO send_limit (name, free_at, granted)
    VALUES (:name, CAST(:floor AS BIGINT) + CAST(:first AS BIGINT) * CAST(:interval AS BIGINT), :first)
    ON CONFLICT (name) DO UPDATE SET
        free_at = {_start} + {_given} * CAST(:interval AS BIGINT),
        granted = {_given}
    RETURNING free_at, granted
""")  # noqa: S608  (made of constants)


def take(
    session: Session,
    name: str,
    wanted: int,
    rate: float,
    now: datetime,
    *,
    burst: timedelta = timedelta(0),
    ahead: timedelta = timedelta(0),
) -> Grant:
    """Take up to ``wanted`` tokens of a bucket that fills at ``rate`` a second.

    Args:
        burst: tokens of so much time may have gathered while nobody asked; at least one may.
        ahead: tokens of so much time may be taken before they are there; they are usable when the last one is.
    """
    interval = max(round(1_000_000 / rate), 1)
    moment = (now - _EPOCH) // _MICROSECOND
    floor = moment - max(burst // _MICROSECOND, interval)
    until = moment + ahead // _MICROSECOND
    values = {
        "name": name, "wanted": wanted, "interval": interval, "floor": floor, "until": until,
        "first": min(wanted, (until - floor) // interval),
    }  # fmt: skip
    free_at, count = session.execute(_TAKE, values).one()
    return Grant(int(count), _EPOCH + timedelta(microseconds=max(int(free_at), moment)))


def next_token(session: Session, name: str) -> datetime:
    """The moment up to which the tokens of a bucket are taken."""
    free_at = session.execute(core_select(col(SendLimit.free_at)).where(col(SendLimit.name) == name)).scalar()
    return _EPOCH + timedelta(microseconds=int(free_at or 0))


def give_back(session: Session, name: str, grant: Grant, unused: int, rate: float) -> None:
    """Give tokens back, if nobody took any meanwhile: otherwise they are of a time that has passed to others."""
    interval = max(round(1_000_000 / rate), 1)
    seen = (grant.usable_at - _EPOCH) // _MICROSECOND
    session.execute(
        text("UPDATE send_limit SET free_at = free_at - CAST(:back AS BIGINT) WHERE name = :name AND free_at = :seen"),
        {"back": unused * interval, "name": name, "seen": seen},
    )


def slow_down(session: Session, name: str, slowed: Slowed) -> None:
    """Note that a domain asked us to slow down; what another worker noted less than a rest ago stands."""
    session.execute(
        text("""
            INSERT INTO send_limit (name, free_at, granted, slowed_rate, slowed_at) VALUES (:name, 0, 0, :rate, :since)
            ON CONFLICT (name) DO UPDATE SET slowed_rate = excluded.slowed_rate, slowed_at = excluded.slowed_at
            WHERE send_limit.slowed_at IS NULL OR send_limit.slowed_at <= :before
        """).bindparams(_moment("since"), _moment("before")),
        {"name": name, "rate": slowed.rate, "since": slowed.since, "before": slowed.since - REST},
    )


def slowed(session: Session, names: Iterable[str] | None = None) -> dict[str, Slowed]:
    """Which buckets were slowed down, and when; among these names, or of all."""
    query = core_select(col(SendLimit.name), col(SendLimit.slowed_rate), col(SendLimit.slowed_at)).where(
        col(SendLimit.slowed_at).is_not(None)
    )
    if names is not None:
        query = query.where(col(SendLimit.name).in_(list(names)))
    return {name: Slowed(rate, since) for name, rate, since in session.execute(query)}


_TAKE_DAY = text("""
    INSERT INTO send_day (sender, day, sent, granted, notices) VALUES (:sender, :day, :first, :first, 0)
    ON CONFLICT (sender, day) DO UPDATE SET
        granted = CASE WHEN :cap - send_day.sent >= :wanted THEN :wanted
                       WHEN :cap < send_day.sent THEN 0 ELSE :cap - send_day.sent END,
        sent = send_day.sent + CASE WHEN :cap - send_day.sent >= :wanted THEN :wanted
                                    WHEN :cap < send_day.sent THEN 0 ELSE :cap - send_day.sent END
    RETURNING granted
""")


def take_of_day(session: Session, sender: str, day: date, wanted: int, cap: int) -> int:
    """Take up to ``wanted`` of the mails that a sender may send on a day; returns how many were left."""
    values = {"sender": sender, "day": day, "wanted": wanted, "cap": cap, "first": min(wanted, max(cap, 0))}
    return int(session.execute(_TAKE_DAY.bindparams(_day()), values).scalar_one())


def give_back_of_day(session: Session, sender: str, day: date, unused: int) -> None:
    """These were not sent after all."""
    session.execute(
        text("""
            UPDATE send_day SET sent = CASE WHEN sent > :unused THEN sent - :unused ELSE 0 END
            WHERE sender = :sender AND day = :day
        """).bindparams(_day()),
        {"unused": unused, "sender": sender, "day": day},
    )


def count_notice(session: Session, sender: str, day: date, count: int = 1) -> None:
    """Count mails outside the issues, whatever the day's number is; a negative count takes them back."""
    session.execute(
        text("""
            INSERT INTO send_day (sender, day, sent, granted, notices) VALUES (:sender, :day, :count, 0, :count)
            ON CONFLICT (sender, day) DO UPDATE SET
                sent = send_day.sent + excluded.sent, notices = send_day.notices + excluded.notices
        """).bindparams(_day()),
        {"sender": sender, "day": day, "count": count},
    )


def days_before(session: Session, sender: str, day: date) -> int:
    """On how many earlier days the sender sent something of an issue."""
    query = core_select(func.count()).where(
        col(SendDay.sender) == sender, col(SendDay.day) < day, col(SendDay.sent) > col(SendDay.notices)
    )
    return int(session.execute(query).scalar_one())


def sent_on(session: Session, sender: str, day: date) -> int:
    """How many mails the sender sent on a day, as far as days are counted."""
    query = core_select(col(SendDay.sent)).where(col(SendDay.sender) == sender, col(SendDay.day) == day)
    return int(session.execute(query).scalar() or 0)


def _moment(name: str) -> Any:
    return bindparam(name, type_=SendLimit.__table__.c.slowed_at.type)  # type: ignore[attr-defined]


def _day() -> Any:
    return bindparam("day", type_=SendDay.__table__.c.day.type)  # type: ignore[attr-defined]
