"""Hosts that are not to be asked now: they asked for a pause, or another process is asking them.

A pause is for all that is a host's, in this run, in the next ones, and in other processes.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from digest.store.tables import Feed, HostRest


def resting(session: Session, now: datetime) -> dict[str, datetime]:
    """Hosts that must not be asked now, and until when."""
    return dict(session.exec(select(HostRest.host, HostRest.until).where(col(HostRest.until) > now)).all())


def rest(session: Session, host: str, until: datetime, why: str, now: datetime) -> None:
    """Leave a host alone until then. The longest pause that it asked for counts; those that are over are forgotten."""
    session.execute(delete(HostRest).where(col(HostRest.until) <= now))
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    table = HostRest.__table__  # type: ignore[attr-defined]
    row = dialect.insert(table).values(host=host, until=until, why=why)
    longer = {"until": row.excluded.until, "why": row.excluded.why}
    session.execute(row.on_conflict_do_update(index_elements=["host"], set_=longer, where=table.c.until < until))


def asked_elsewhere(session: Session, worker: str, now: datetime, gap: timedelta) -> list[tuple[str, bool]]:
    """The feeds that processes other than ``worker`` have, or have asked less than ``gap`` ago, by their URLs.

    Until the end of the transaction nobody else asks this on PostgreSQL: what it then claims, the next one sees. On
    SQLite a transaction that writes is alone anyway.

    Returns:
        URLs, each with whether the other process still has the feed.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_IN_TURN)
    held = func.coalesce(col(Feed.claimed_until) > now, False)
    query = select(Feed.url, Feed.moved_to, held).where(
        col(Feed.claimed_by) != worker,
        or_(col(Feed.claimed_until) > now, col(Feed.last_checked_at) > now - gap),
    )
    return [(moved_to or url, bool(is_held)) for url, moved_to, is_held in session.exec(query)]


_IN_TURN = text("SELECT pg_advisory_xact_lock(7410223)")
