"""Small charts as PNG at twice their shown size, on no ground, readable on light and dark paper."""

import io
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw

from digest.render import wording

WIDTH, HEIGHT = 96, 28
"""CSS pixels at which a sparkline is shown."""
SCALE = 2
SUPERSAMPLING = 4
UP, DOWN = (46, 139, 87), (214, 84, 72)
"""Middle tones: contrast of at least 3 (WCAG 1.4.11) on the light and on the dark paper of the default theme."""


def sparkline(values: Sequence[float], *, up: bool) -> bytes:
    """A line of prices with a soft area beneath and a dot at its end, as PNG of ``2 × WIDTH`` by ``2 × HEIGHT``.

    Args:
        values: oldest first; a single value is drawn as a level line.
        up: whether it ended higher than it began: decides the colour (the table says the same in words).

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("a sparkline needs at least one value")
    points = list(values) if len(values) > 1 else [values[0], values[0]]
    factor = SCALE * SUPERSAMPLING
    width, height = WIDTH * factor, HEIGHT * factor
    stroke, dot = 1.6 * factor, 2.6 * factor
    low, high = min(points), max(points)
    span = (high - low) or 1.0
    left, right = dot, width - dot - factor
    top, bottom = dot + factor, height - dot - factor
    # A level line runs through the middle.
    line = [
        (
            left + (right - left) * index / (len(points) - 1),
            (top + bottom) / 2 if high == low else bottom - (bottom - top) * (value - low) / span,
        )
        for index, value in enumerate(points)
    ]
    colour = UP if up else DOWN
    picture = Image.new("RGBA", (width, height), (*colour, 0))
    draw = ImageDraw.Draw(picture)
    draw.polygon([*line, (right, height - factor), (left, height - factor)], fill=(*colour, 36))
    draw.line(line, fill=(*colour, 255), width=round(stroke), joint="curve")
    for x, y in (line[0], line[-1]):
        radius = dot if (x, y) == line[-1] else stroke / 2
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, 255))
    picture = picture.resize((WIDTH * SCALE, HEIGHT * SCALE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


ENGLISH = {
    "no_history": "{name}: no history",
    "stands": "{name} stands where it stood 7 days ago",
    "rose": "{name} rose {percent} in 7 days",
    "fell": "{name} fell {percent} in 7 days",
}


def says(name: str, values: Sequence[float], words: Mapping[str, str] = ENGLISH, locale: str = "en-US") -> str:
    """What the sparkline shows, as its alt text: "Bitcoin fell 4.6% in 7 days"."""
    if len(values) < 2 or not values[0]:
        return words["no_history"].format(name=name)
    moved = (values[-1] / values[0] - 1) * 100
    if abs(moved) < 0.05:
        return words["stands"].format(name=name)
    percent = wording.change(abs(moved), wording.locale_of(locale)).lstrip("+")
    return words["rose" if moved > 0 else "fell"].format(name=name, percent=percent)
