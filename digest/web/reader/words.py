"""Plain words for what readers choose from."""

from collections.abc import Collection
from zoneinfo import available_timezones

from digest.domain.calendar import Frequency
from digest.domain.newsroom import NewsletterSpec
from digest.store.newsletters import Offer

WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")

FREQUENCY_WORDS: dict[Frequency, tuple[str, str]] = {
    "every-issue": ("Every issue", "as it comes out"),
    "daily": ("Daily", "at most one mail a day"),
    "weekdays": ("Weekdays", "Monday to Friday"),
    "weekly": ("Weekly", "one mail a week"),
}

_AREAS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def cadence_words(spec: NewsletterSpec) -> str:
    """When it comes out: "Daily", "Weekdays", "Mondays"."""
    return WEEKDAYS[spec.weekday] if spec.cadence == "weekly" else spec.cadence.capitalize()


def chosen_words(offer: Offer, topics: Collection[str], frequency: Frequency) -> str:
    """Choices as a sentence that can be checked at a glance: "Policy and Markets, weekly."."""
    names = [topic.name for topic in offer.topics if topic.slug in topics]
    *most, last = names or ["Everything"]
    return f"{', '.join(most) + ' and ' + last if most else last}, {FREQUENCY_WORDS[frequency][0].lower()}."


def zones(current: str) -> dict[str, list[str]]:
    """Time zones by area, the current one included whatever it is called."""
    grouped: dict[str, list[str]] = {"": sorted({"UTC", current} - available_timezones() | {"UTC"})}
    for name in sorted(available_timezones()):
        area, _, place = name.partition("/")
        if area in _AREAS and place:
            grouped.setdefault(area, []).append(name)
    if not any(current in names for names in grouped.values()):
        grouped[""].append(current)
    return grouped
