"""The calendar of conferences as iCalendar (RFC 5545). Each recurs, so that some lie ahead on any day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from digest.sample.articles import read_toml


@dataclass(frozen=True, slots=True)
class Conference:
    """A conference that comes back.

    Attributes:
        in_days: days from the anchor to its first day.
        days: how many days it lasts.
        every: days from one to the next.
    """

    slug: str
    name: str
    place: str
    blurb: str
    url: str
    in_days: int
    days: int
    every: int

    def next_start(self, anchor: date, today: date) -> date:
        """The first day of the earliest one that is not over ``today``."""
        start = anchor + timedelta(days=self.in_days)
        over = (today - start).days - (self.days - 1)
        return start if over <= 0 else start + timedelta(days=self.every * -(-over // self.every))


def load_calendar(folder: Path) -> tuple[Conference, ...]:
    """The conferences in ``folder/served/calendar.toml``.

    Raises:
        ConfigError: the file can't be read.
    """
    document = read_toml(folder / "served" / "calendar.toml")
    conferences = []
    for table in document.tables("conferences"):
        conferences.append(
            Conference(
                slug=table.text("slug"),
                name=table.text("name"),
                place=table.text("place"),
                blurb=table.text("blurb"),
                url=table.text("url"),
                in_days=int(table.number("in_days")),
                days=int(table.number("days")),
                every=int(table.number("every")),
            )
        )
        if conferences[-1].every < 1 or conferences[-1].days < 1:
            raise table.fail("every", "and days must be 1 or more")
        table.done()
    document.done()
    return tuple(conferences)


def calendar(conferences: Sequence[Conference], anchor: datetime, now: datetime) -> bytes:
    """A VCALENDAR of all-day events; ``DTEND`` is the day after the last one (RFC 5545 3.6.1)."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Clearing Calendar//Conferences//EN", "METHOD:PUBLISH"]
    for conference in conferences:
        start = conference.next_start(anchor.date(), now.astimezone(UTC).date())
        lines += [
            "BEGIN:VEVENT",
            f"UID:{conference.slug}-{start:%Y%m%d}@calendar.example.org",
            f"DTSTAMP:{anchor.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{start:%Y%m%d}",
            f"DTEND;VALUE=DATE:{start + timedelta(days=conference.days):%Y%m%d}",
            f"SUMMARY:{_escape(conference.name)}",
            f"LOCATION:{_escape(conference.place)}",
            f"DESCRIPTION:{_escape(conference.blurb)}",
            f"URL:{conference.url}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(_fold(line) for line in lines).encode()


def _escape(text: str) -> str:
    """Text as RFC 5545 3.3.11 wants it."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _fold(line: str) -> str:
    """Lines of at most 75 octets, continued by a space (RFC 5545 3.1)."""
    folded, room = "", 75
    for character in line:
        size = len(character.encode())
        if size > room:
            folded, room = folded + "\r\n ", 74
        folded, room = folded + character, room - size
    return folded + "\r\n"
