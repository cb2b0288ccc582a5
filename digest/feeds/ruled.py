"""What sources read by rules have in common: their dates."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from digest.feeds import dates


def moment(text: Any, date_format: str, zone: str) -> datetime | None:
    """A date as a source without a feed writes it, as aware UTC; None if it is none or nonsense.

    Args:
        text: words, or a number: seconds or milliseconds since 1970.
        date_format: for ``strptime``; "" for ISO 8601 and RFC 5322.
        zone: where a date that names no zone is at home.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _of_number(float(text))
    words = " ".join(str(text or "").split())
    if not date_format and words.isdecimal() and len(words) in (10, 13):
        return _of_number(float(words))
    try:
        found = datetime.strptime(words, date_format) if date_format else datetime.fromisoformat(words)  # noqa: DTZ007
    except (ValueError, OverflowError):
        return dates.of_text(words)
    try:
        return dates.sane(found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone)))
    except OverflowError:
        return None


def _of_number(seconds: float) -> datetime | None:
    try:
        return dates.sane(datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None
