"""Time zones to choose from without a script: the likely ones first, the others by region, each with its offset now."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from digest.web.reader.words import hour_words

LIKELY_OF_A_COUNTRY = 8
"""Zones of the browser's country among the likely ones: one for each clock that a large country has."""

_REGION = re.compile(r"\b[A-Za-z]{2,3}(?:-[A-Za-z]{4})?-([A-Za-z]{2})\b")


@dataclass(frozen=True)
class Zone:
    """A choice: its IANA name, and what the list says of it."""

    name: str
    words: str


@dataclass(frozen=True)
class Region:
    """Zones under one heading."""

    title: str
    zones: tuple[Zone, ...]


def zone_regions(kept: str, house: str, languages: str, locale: str, now: datetime) -> tuple[Region, ...]:
    """All zones that the time zone database lists for some country, the likely ones first.

    Args:
        kept: the zone that is chosen now; stands on top whatever it is called.
        house: the newsletter's own zone.
        languages: the browser's ``Accept-Language`` (RFC 9110 12.5.4): ``de-AT`` makes Vienna likely. Anything else in
            it is ignored.
        locale: how times are written.
    """
    clocks: dict[datetime, str] = {}

    def zone(name: str) -> tuple[timedelta, str, Zone]:
        local = now.astimezone(ZoneInfo(name))
        offset = local.utcoffset() or timedelta()
        minute = local.replace(second=0, microsecond=0, tzinfo=None)
        if minute not in clocks:
            clocks[minute] = hour_words(f"{local:%H:%M}", locale)
        place = _place(name)
        facts = [place, clocks[minute]] if name == "UTC" else [place, _offset(offset), clocks[minute]]
        return offset, place, Zone(name, " · ".join(facts))

    likely = dict.fromkeys((kept, *_of_countries(languages, now), house, "UTC"))
    found = [Region("Most likely", tuple(zone(name)[2] for name in likely))]
    areas: dict[str, list[tuple[timedelta, str, Zone]]] = {}
    for name in sorted({name for names in _countries().values() for name in names}):
        areas.setdefault(name.partition("/")[0], []).append(zone(name))
    # By offset, so that neighbours on the clock stand together; who knows the city types its first letters.
    found += [Region(area, tuple(each[2] for each in sorted(zones, key=lambda each: each[:2]))) for area, zones in areas.items()]  # fmt: skip
    return tuple(found)


def _of_countries(languages: str, now: datetime) -> Iterable[str]:
    """One zone for each clock of the countries that a browser names, in the database's order: most people first."""
    for country in dict.fromkeys(found.upper() for found in _REGION.findall(languages[:200])):
        clocks: dict[tuple[timedelta | None, ...], str] = {}
        for name in _countries().get(country, ()):
            # Both halves of the year: Phoenix shows what Los Angeles shows in summer only.
            halves = tuple(now.replace(month=month, day=1).astimezone(ZoneInfo(name)).utcoffset() for month in (1, 7))
            clocks.setdefault(halves, name)
        yield from list(clocks.values())[:LIKELY_OF_A_COUNTRY]


@cache
def _countries() -> dict[str, tuple[str, ...]]:
    """Zones by ISO 3166 code, from the database's own table (zone.tab; see its theory.html)."""
    table = (files("tzdata.zoneinfo") / "zone.tab").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            found.setdefault(country, []).append(name)
    return {country: tuple(names) for country, names in found.items()}


def _place(name: str) -> str:
    """``America/Argentina/Ushuaia`` as people say it: "Ushuaia, Argentina"."""
    parts = name.replace("_", " ").split("/")
    return ", ".join(reversed(parts[1:])) if len(parts) > 1 else name


def _offset(offset: timedelta) -> str:
    """``UTC+5:30``, ``UTC−3``, ``UTC±0``."""
    minutes = int(offset.total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else "\N{MINUS SIGN}" if minutes else "±"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")
