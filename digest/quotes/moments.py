"""When a price was a price, and how long it stays one."""

from datetime import UTC, datetime, timedelta
from typing import Any

from digest.domain.newsroom import Quote

FRESH_FOR = timedelta(hours=6)
"""How long a price with a time may stand for the market, where its newsroom says nothing else."""
AHEAD = timedelta(minutes=10)
"""A price from later than this is no price: its provider's clock or file is wrong."""


def is_stale(quote: Quote, now: datetime) -> bool:
    """Whether a quote is too old at ``now`` to stand for the market (or from a time still to come): leave it out."""
    return not -AHEAD <= now - quote.as_of <= quote.fresh_for


def moment_of(value: Any) -> datetime | None:
    """An ISO 8601 time as aware UTC (without a zone it is taken as UTC), None if it is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
