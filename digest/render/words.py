"""Words of the mail itself, by language. A newsletter in a language that is not here uses English ones."""

from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "no": "No.",
    "with": "with",
    "daily": "Daily",
    "weekdays": "Every weekday",
    "weekly": "Weekly",
    "sponsored": "Brought to you by",
    "also": "also",
    "first_by": "first reported by",
    "by": "By",
    "why": "Why it leads:",
    "untitled": "Untitled",
    "updated": "Update",
    "name": "Name",
    "price": "Price",
    "change": "24 hours",
    "history": "7 days",
    "as_of": "As of",
    "prices_from": "Prices from",
    "question": "Q",
    "answer": "A",
    "corrections": "Corrections",
    "events": "Upcoming events",
    "research": "Recent research",
    "links": "Quick links",
    "mailbag": "Mailbag",
    "markets": "Markets",
    "why_you": "You get this mail because you signed up for",
    "sent_to": "Sent to",
    "preferences": "Choose your topics",
    "pause": "Pause for a while",
    "unsubscribe": "Unsubscribe",
    "browser": "View in browser",
}

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH}


def words_for(locale: str) -> Mapping[str, str]:
    """The words for a BCP 47 tag."""
    return LANGUAGES.get(locale.split("-")[0].lower(), ENGLISH)
