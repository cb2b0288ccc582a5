"""Hosts that asked for a pause: all that is theirs waits, in this run, in the next ones, and in other processes."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from digest.store.tables import HostRest


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
