"""A theme as templates see it: its colours and fonts, checked, and the few shades that follow from them."""

import re
from dataclasses import asdict, fields

from digest.domain.newsroom import Theme
from digest.errors import RenderError

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
GENERIC = ("serif", "sans-serif", "monospace", "system-ui", "cursive", "fantasy")


def palette(theme: Theme) -> dict[str, str]:
    """All names of ``Theme`` plus ``plate`` and ``dark_plate``, the ground of a picture that did not load.

    Raises:
        RenderError: a colour that isn't ``#rrggbb``, or a font stack that can't stand in a style.
    """
    values: dict[str, str] = asdict(theme)
    for field in fields(theme):
        value = values[field.name]
        if field.name in ("name", "logo", "logo_width"):
            continue
        if field.name in ("serif", "sans"):
            if value.split(",")[-1].strip() not in GENERIC or re.search(r"[<>{};\"\\]", value):
                raise RenderError(
                    f"theme.{field.name}: {value!r} must be a list of fonts that ends in one of {', '.join(GENERIC)}"
                )
        elif not COLOUR.fullmatch(value):
            raise RenderError(f"theme.{field.name}: {value!r} is no colour: write it as #rrggbb")
    values["plate"] = mixed(theme.paper, theme.ink, 0.05)
    values["dark_plate"] = mixed(theme.dark_paper, theme.dark_ink, 0.08)
    return values


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mixed(ground: str, other: str, share: float) -> str:
    """``ground`` with a share of ``other`` in it."""
    pairs = zip(_channels(ground), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, 1.4.3)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
