"""Dates, numbers and lines of text as readers of a locale expect them."""

import re
import unicodedata
from datetime import date, datetime

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_interval, format_skeleton
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_symbol

from digest.errors import RenderError

RTL = {"ar", "he", "fa", "ur", "yi", "ps", "sd", "ug", "dv", "ckb"}
WIDTH = 78
"""Columns of the text part."""


def locale_of(tag: str) -> Locale:
    """The locale for a BCP 47 tag.

    Raises:
        RenderError: no such locale.
    """
    try:
        return Locale.parse(tag.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        raise RenderError(f"the locale {tag!r} is unknown: write a tag such as en-US or de") from None


def direction(tag: str) -> str:
    """``rtl`` for languages that are written from the right, else ``ltr``."""
    return "rtl" if tag.split("-")[0].lower() in RTL else "ltr"


def long_date(day: date, locale: Locale) -> str:
    """ "Thursday, March 12, 2026"."""
    return format_date(day, "full", locale=locale)


def short_day(moment: datetime | date, locale: Locale) -> str:
    """ "Tuesday, March 10"."""
    text: str = format_skeleton("MMMMEEEEd", moment, locale=locale)
    return text


def weekday(day: date, locale: Locale) -> str:
    """ "Tue", in English "Tues" and "Thurs" as newspapers write them."""
    if locale.language == "en":
        return ("Mon", "Tues", "Wed", "Thurs", "Fri", "Sat", "Sun")[day.weekday()]
    return format_date(day, "EEE", locale=locale)


def month(day: date, locale: Locale) -> str:
    """ "Mar"."""
    return format_date(day, "LLL", locale=locale).rstrip(".")


def date_range(starts: date, ends: date, locale: Locale) -> str:
    """A span of days that reads well: "Tues–Thurs, March 24–26, 2026", "Mon–Wed, March 30–April 1, 2026"."""
    if ends <= starts:
        return f"{weekday(starts, locale)}, {format_date(starts, 'long', locale=locale)}"
    days = f"{weekday(starts, locale)}–{weekday(ends, locale)}"
    if locale.language != "en":
        return f"{days}, {format_interval(starts, ends, 'yMMMMd', locale=locale)}"
    if starts.year != ends.year:
        return f"{days}, {format_date(starts, 'long', locale=locale)} – {format_date(ends, 'long', locale=locale)}"
    if starts.month == ends.month:
        return f"{days}, {format_date(starts, 'MMMM', locale=locale)} {starts.day}–{ends.day}, {ends.year}"
    first = f"{format_date(starts, 'MMMM', locale=locale)} {starts.day}"
    return f"{days}, {first}–{format_date(ends, 'MMMM', locale=locale)} {ends.day}, {ends.year}"


def clock_time(moment: datetime, locale: Locale) -> str:
    """ "March 12, 10:55 UTC" of an aware UTC time."""
    day = format_skeleton("MMMMd", moment, locale=locale)
    return f"{day}, {format_datetime(moment, 'HH:mm', locale=locale)} UTC"


def price(value: float, currency: str, locale: Locale) -> str:
    """A price with as many decimals as its size asks for, written as the locale does: "$84,120", "182,40 $", "$0.5213"."""
    size = abs(value)
    digits = "#,##0" if size >= 1000 else "#,##0.00" if size >= 1 else "0.0000"
    if direction(locale.language) == "rtl":
        # Sign and figure as one run from the left: in the locale's own pattern they part in the midst of a line.
        return f"\u200e{get_currency_symbol(currency, 'en')}{format_decimal(value, digits, locale=locale)}"
    pattern = re.sub(r"[#,0]+(\.0+)?", digits, locale.currency_formats["standard"].pattern)
    try:
        return format_currency(value, currency, pattern, locale=locale, currency_digits=False)
    except (ValueError, KeyError):
        return f"{format_decimal(value, locale=locale)} {currency}"


def numeric_day(day: date, locale: Locale) -> str:
    """ "11/18", "18.11.": for the axis of a chart."""
    text: str = format_skeleton("Md", day, locale=locale)
    return text


def figure(value: float, unit: str, locale: Locale) -> str:
    """A figure with its unit: a currency's sign in front ("$4.2"), anything else behind ("4.2%", "12 TWh")."""
    digits = "#,##0" if value == round(value) or abs(value) >= 100 else "#,##0.0" if abs(value) >= 10 else "#,##0.##"
    number = format_decimal(abs(value), digits, locale=locale)
    sign = "−" if value < 0 else ""
    if unit and unicodedata.category(unit[0]) == "Sc":
        return f"{sign}{unit[0]}{number}{unit[1:]}"
    return f"{sign}{number}{unit}"


def change(value: float, locale: Locale) -> str:
    """A change in per cent with its sign: "+2.4%", "−0,8 %"; nothing moved is "0.0%"."""
    rounded = round(value, 1)
    pattern = re.sub(r"[#,0]+(\.0+)?", "0.0", locale.percent_formats[None].pattern)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    if direction(locale.language) == "rtl":
        sign = f"\u200e{sign}"  # or else the sign wanders to the other end
    return f"{sign}{format_percent(abs(rounded) / 100, pattern, locale=locale)}"


def untagged(value: object) -> object:
    """Text for the text part in which nothing looks like a tag or an entity: some clients would draw it as one."""
    if not isinstance(value, str) or not ("<" in value or "&" in value):
        return value
    value = re.sub(r"<(?=[/!?]?[a-zA-Z\[])(?!https?:|mailto:)", "‹", value)
    return re.sub(r"&(?=#?\w{1,32};)", "&\u2060", value)


def columns(text: str) -> int:
    """How many columns the text takes in a terminal: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def fold(text: str, indent: str = "", first: str | None = None, width: int = WIDTH) -> str:
    """The text broken into lines of at most ``width`` columns; only a URL may stand longer, on its own line.

    Args:
        indent: what each line starts with.
        first: what the first line starts with, ``indent`` if None.
    """
    lines: list[str] = []
    line, start = "", indent if first is None else first
    for word in text.split():
        for part in _parts(word, width - columns(indent)):
            if line and columns(start) + columns(line) + 1 + columns(part) > width:
                lines.append(start + line)
                line, start = part, indent
            else:
                line = f"{line} {part}" if line else part
    lines.append(start + line)
    return "\n".join(lines)


def _parts(word: str, room: int) -> list[str]:
    """A word that is wider than a line, in parts; URLs stay whole."""
    if columns(word) <= room or re.search(r"https?://|mailto:", word):
        return [word]
    parts = [""]
    for char in word:
        if columns(parts[-1]) + columns(char) > room:
            parts.append("")
        parts[-1] += char
    return parts
