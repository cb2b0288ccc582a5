"""A worker's claims and the giving back of what it held when it is dead, one after the other."""

from sqlalchemy import text
from sqlmodel import Session


def claims(session: Session, worker: str) -> None:
    """Say that this transaction claims something for ``worker``. Others of the same worker may do so at once."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_CLAIMS, {"worker": worker})


def bury(session: Session, worker: str) -> None:
    """Wait until no transaction claims for ``worker`` any more; before anything that it held is given back.

    A process that is killed may have asked PostgreSQL to commit a claim, which the server goes on with after its death:
    whoever gave back a moment earlier would miss that, and it would be held until its lease ends. SQLite commits in the
    process itself.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_BURY, {"worker": worker})


_CLAIMS = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:worker, 7410222))")
_BURY = text("SELECT pg_advisory_xact_lock(hashtextextended(:worker, 7410222))")
