"""Plain words for what readers choose from."""

from collections.abc import Collection, Mapping
from datetime import datetime, time
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_time

from digest.domain.calendar import Cadence, Frequency
from digest.domain.newsroom import NewsletterSpec
from digest.store.newsletters import Offer
from digest.workflows.delivery_plan import NOT_TODAY, NOTHING_NEW, SECOND

WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")

FREQUENCY_WORDS: dict[Frequency, tuple[str, str]] = {
    "every-issue": ("Every issue", "as it comes out"),
    "daily": ("Daily", "at most one mail a day"),
    "weekdays": ("Weekdays", "Monday to Friday"),
    "weekly": ("Weekly", "one mail with the best of the week"),
}

TOPIC_OFTEN: dict[Frequency, str] = {
    "every-issue": "each issue",
    "daily": "once a day",
    "weekdays": "on weekdays",
    "weekly": "once a week",
}
"""What a topic's own frequency is called."""


def cadence_words(spec: NewsletterSpec) -> str:
    """When it comes out: "Daily", "Weekdays", "Mondays"."""
    return WEEKDAYS[spec.weekday] if spec.cadence == "weekly" else spec.cadence.capitalize()


def chosen_words(
    offer: Offer,
    topics: Collection[str],
    frequency: Frequency,
    often: Mapping[str, Frequency] | None = None,
    hour: str = "",
) -> str:
    """Choices as a sentence that can be checked at a glance: "Policy and Markets (once a week), daily, at 7:00 AM."."""
    own = often or {}
    names = [
        f"{topic.name} ({TOPIC_OFTEN[own[topic.slug]]})" if topic.slug in own else topic.name
        for topic in offer.topics
        if topic.slug in topics
    ]
    *most, last = names or ["Everything"]
    said = f"{', '.join(most) + ' and ' + last if most else last}, {FREQUENCY_WORDS[frequency][0].lower()}"
    return f"{said}, at {hour_words(hour, offer.spec.locale)}." if hour else f"{said}."


def no_mail_words(reason: str, spec: NewsletterSpec) -> str:
    """Why an issue brings no mail, to the reader whose choices decide it."""
    if reason == NOTHING_NEW:
        return "It has nothing in these topics that you haven’t been sent before."
    if reason == SECOND:
        return "Another mail of the same day has reached you already."
    if reason.startswith(NOT_TODAY):
        weekly = "" if spec.cadence == "weekly" else f" What comes once a week comes on {WEEKDAYS[spec.weekday]}."
        return f"With these choices your mail comes on other days.{weekly}"
    return f"{reason[:1].upper()}{reason[1:]}."


def hour_words(hour: str, locale: str) -> str:
    """An hour as people write it there: "7:00 AM", "07:00"."""
    return format_time(time.fromisoformat(hour), "short", locale=Locale.parse(locale, sep="-")).replace("\u202f", " ")


def hours(spec: NewsletterSpec, kept: str) -> dict[str, str]:
    """The hours on offer and what they are called; a kept one between two of them too."""
    values = sorted({f"{hour:02}:00" for hour in range(24)} | ({kept} if kept else set()))
    return {value: hour_words(value, spec.locale) for value in values}


def out_words(spec: NewsletterSpec, zone: str, now: datetime) -> str:
    """When an issue is out, on the reader's clock."""
    cadence = Cadence(spec.cadence, time.fromisoformat(spec.hour), spec.zone, spec.weekday)
    local = cadence.next_slot(now)[1].astimezone(ZoneInfo(zone))
    return hour_words(local.strftime("%H:%M"), spec.locale)
