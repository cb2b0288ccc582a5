"""How much may be sent: shared by all workers, kept over restarts."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column
from sqlmodel import Field

from digest.store.tables.base import SQLModel


class SendLimit(SQLModel, table=True):
    """A token bucket, of a sender or of one recipient domain of it."""

    __tablename__ = "send_limit"
    name: str = Field(primary_key=True)
    free_at: int = Field(default=0, sa_column=Column(BigInteger(), nullable=False))
    """Microseconds since 1970: up to this moment all tokens are taken (the theoretical arrival time of GCRA)."""
    granted: int = Field(default=0, sa_column=Column(BigInteger(), nullable=False))
    """What the last one who asked was given."""
    slowed_rate: float | None = None
    slowed_at: datetime | None = None


class SendDay(SQLModel, table=True):
    """How many mails a sender took on a day (UTC); ``notices`` of them stood outside the issues."""

    __tablename__ = "send_day"
    sender: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    sent: int = 0
    granted: int = 0
    notices: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
