"""Plain words for numbers, times and lists."""

from collections.abc import Sequence
from datetime import timedelta

MINUS = "\N{MINUS SIGN}"
"""As wide as a plus and a figure, so that columns of figures stand straight; a hyphen is not."""

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def number(value: int) -> str:
    """``3`` → ``three``; from 13 on in figures."""
    return _WORDS[value] if 0 <= value < len(_WORDS) else f"{value:,}"


def count(value: int, noun: str) -> str:
    """``2, "outlet"`` → ``two outlets``."""
    return f"{number(value)} {noun}" + ("" if value == 1 else "s")


def points(value: float) -> str:
    """Points of a score, to be compared in a column: ``2.10``, with a minus sign below nought."""
    return f"{value:.2f}".replace("-", MINUS)


def signed(value: float) -> str:
    """The same with its sign, also where it is a gain: ``+0.40``."""
    return f"{value:+.2f}".replace("-", MINUS)


def span(length: timedelta) -> str:
    """A length of time, rounded up to what people say: ``an hour``, ``nine hours``, ``three days``."""
    hours = -(-length // timedelta(hours=1))
    if hours <= 1:
        return "an hour"
    if hours <= 36:
        return count(hours, "hour")
    return count(-(-length // timedelta(days=1)), "day")


def ago(age: timedelta) -> str:
    """How long ago: ``just now``, ``four hours ago``."""
    return "just now" if age < timedelta(minutes=10) else f"{span(age)} ago"


def listed(items: Sequence[str], most: int = 3) -> str:
    """``a, b, c and 4 more``."""
    shown = [item for item in items[:most] if item]
    rest = len(items) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest and shown else "")


def sentence(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]
