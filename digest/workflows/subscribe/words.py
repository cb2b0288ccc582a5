"""What people write into forms and files, checked and put into one form."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from digest.domain.audience import TopicChoice
from digest.domain.calendar import FREQUENCIES, Frequency
from digest.errors import UsageError

MAX_NAME = 100
MAX_REASON = 500

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")


class WrongField(UsageError):
    """One field of a form can't be used. ``field`` is its name."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        super().__init__(problem)


def reader_address(text: str, *, intranet: bool = False) -> str:
    """An address in the one form in which it is stored: domain in lower case and in A-labels (RFC 5890).

    Args:
        intranet: allow hosts that the internet doesn't know; for operators, not for public forms.

    Raises:
        WrongField: what is wrong with it, in words for whoever typed it. No DNS is asked.
    """
    try:
        found = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, globally_deliverable=not intranet
        )
    except EmailNotValidError as error:
        raise WrongField("address", f"This is not an address that we can write to. {error}") from None
    return found.ascii_email or found.normalized


def frequency_named(text: str) -> Frequency:
    """The frequency of that name.

    Raises:
        WrongField: there is none.
    """
    for frequency in FREQUENCIES:
        if text.strip() == frequency:
            return frequency
    raise WrongField("frequency", f"There is no frequency {text.strip()!r}: choose one of {', '.join(FREQUENCIES)}.")


def topics_named(text: str) -> TopicChoice:
    """Topics separated by commas, semicolons or spaces; ``SLUG:weekly`` is one with a frequency of its own.

    Raises:
        WrongField: a word that can't be a topic.
    """
    try:
        return TopicChoice.decode(" ".join(re.split(r"[\s,;|]+", text.strip())))
    except ValueError as error:
        raise WrongField("topics", str(error)) from None


def moment_named(text: str) -> datetime | None:
    """A date, or date and time in ISO form (UTC where it names no zone); None if there is none.

    Raises:
        WrongField: no date.
    """
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise WrongField("paused_until", f"{text.strip()[:40]!r} is no date: write it as 2026-12-24.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def hour_named(text: str) -> str:
    """An hour of the day as "HH:MM"; "" for as soon as an issue is out.

    Raises:
        WrongField: no hour.
    """
    text = text.strip()
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if text and not found:
        raise WrongField("hour", f"{text[:20]!r} is no hour: write it as 07:00 or 18:30.")
    return f"{int(found[1]):02}:{found[2]}" if found else ""


def zone_named(text: str) -> str:
    """The time zone of that name.

    Raises:
        WrongField: there is none.
    """
    if text.strip() not in available_timezones():
        raise WrongField("zone", f"There is no time zone {text.strip()[:60]!r}; write it as Europe/Berlin.")
    return text.strip()


def one_line(text: str, limit: int = MAX_NAME) -> str:
    """Text without line breaks and control characters, fit for headers and tables."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())[:limit]


def listing(names: Iterable[str]) -> str:
    """Names for a sentence: "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
