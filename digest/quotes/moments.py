"""When a price was a price, and how long it stays one."""

from datetime import UTC, datetime, timedelta
from typing import Any

from digest.domain.newsroom import Quote

STALE_AFTER = timedelta(hours=6)
"""Older than this, a price is labelled with its time or left out: it says nothing about today's market."""


def is_stale(quote: Quote, now: datetime, limit: timedelta = STALE_AFTER) -> bool:
    """Whether a quote is too old at ``now`` to stand for the market."""
    return now - quote.as_of > limit


def moment_of(value: Any) -> datetime | None:
    """An ISO 8601 time as aware UTC (without a zone it is taken as UTC), None if it is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
