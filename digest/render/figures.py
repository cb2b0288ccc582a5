"""Charts for the mail, drawn as PNG at twice their shown size on a plate in the theme's colours.

One message a chart: it is said in the heading above; here lines end in their names, and the grid stays quiet. The
plate is opaque, so that words and lines keep their contrast wherever a mail client turns the page around it dark.
"""

import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from PIL import Image, ImageDraw

from digest.errors import RenderError
from digest.render.palette import mixed
from digest.render.typeface import drawable, font, tidy

WIDTH, HEIGHT = 592, 330
"""CSS pixels at which a chart is shown; the file has twice as many."""
SCALE = 2
SUPERSAMPLING = 2
MOST_SERIES, MOST_BARS = 4, 12
TEXT = 18
PAD = 20

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """Values from left to right; ``ending`` stands behind the name where its line ends."""

    name: str
    values: tuple[float, ...]
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A finished chart. ``key`` says what the letters stand for where names can't be drawn."""

    data: bytes
    key: tuple[str, ...] = ()


def line_chart(
    series: Sequence[Series], labels: Sequence[str], colours: Mapping[str, str], figure: Callable[[float], str]
) -> Drawn:
    """Lines over time.

    Args:
        labels: along the bottom, evenly spread from the first value to the last.
        colours: of the theme, see :func:`digest.render.palette.palette`.
        figure: writes a value of the axis.

    Raises:
        RenderError: no values, or more lines than can be told apart.
    """
    if not series or any(not line.values for line in series):
        raise RenderError("a line chart needs at least one line with values")
    if len(series) > MOST_SERIES:
        raise RenderError(f"a line chart with {len(series)} lines can't be read: draw at most {MOST_SERIES}")
    names, key = _names([line.name for line in series])
    canvas = _Canvas(colours)
    ends = [tidy(f"{name} {line.ending}".strip()) for name, line in zip(names, series, strict=True)]
    ticks = _ticks(min(min(line.values) for line in series), max(max(line.values) for line in series))
    axis = [tidy(figure(tick)) for tick in ticks]
    left = PAD + max(canvas.width(text) for text in axis) + 12
    right = WIDTH - PAD - max(canvas.width(text, bold=True) for text in ends) - 10
    top, bottom = PAD + 8, HEIGHT - PAD - 28
    y = _scale(ticks[0], ticks[-1], bottom, top)
    for tick, text in zip(ticks, axis, strict=True):
        canvas.rule(left, WIDTH - PAD, y(tick), strong=tick == 0)
        canvas.text(left - 12, y(tick), text, anchor="rm", colour="muted")
    for index, text in enumerate(labels):
        spread = index / max(1, len(labels) - 1)
        anchor = "lt" if index == 0 else "rt" if index == len(labels) - 1 else "mt"
        canvas.text(left + (right - left) * spread, bottom + 12, tidy(text), anchor=anchor, colour="muted")
    places = _apart([y(line.values[-1]) for line in series], TEXT + 4)
    for index in reversed(range(len(series))):  # the first line lies on top
        values, colour = series[index].values, canvas.line_colour(index)
        points = [(left + (right - left) * i / max(1, len(values) - 1), y(value)) for i, value in enumerate(values)]
        canvas.curve(points if len(points) > 1 else [(left, points[0][1]), (right, points[0][1])], colour)
        canvas.dot(right, y(values[-1]), colour)
        canvas.text(right + 10, places[index], ends[index], anchor="lm", colour=colour, bold=True)
    return Drawn(canvas.png(), key)


def bar_chart(
    series: Series, labels: Sequence[str], colours: Mapping[str, str], figure: Callable[[float], str]
) -> Drawn:
    """Standing bars with their figures on top; the last one bears the accent.

    Raises:
        RenderError: no bars, too many, or not one label for each.
    """
    if not series.values or len(series.values) != len(labels):
        raise RenderError(f"{len(series.values)} bars need as many labels, not {len(labels)}")
    if len(labels) > MOST_BARS:
        raise RenderError(f"{len(labels)} bars can't be read: draw at most {MOST_BARS}, or a line")
    names, key = _names(labels)
    canvas = _Canvas(colours)
    low, high = min(0.0, *series.values), max(0.0, *series.values)
    top, bottom = PAD + TEXT + 10, HEIGHT - PAD - 30 - (TEXT + 6 if low < 0 else 0)
    y = _scale(low, high if high > low else low + 1, bottom, top)
    slot = (WIDTH - 2 * PAD) / len(labels)
    wide = min(72.0, slot * 0.64)
    for index, value in enumerate(series.values):
        middle = PAD + slot * (index + 0.5)
        colour = canvas.colours["accent"] if index == len(labels) - 1 else canvas.quiet
        upper, lower = sorted((y(value), y(0)))
        canvas.bar(middle - wide / 2, upper, middle + wide / 2, max(lower, upper + 1), colour)
        canvas.text(
            middle, upper - 6 if value >= 0 else lower + 6, tidy(figure(value)),
            anchor="mb" if value >= 0 else "mt", colour="ink", bold=True,
        )  # fmt: skip
        canvas.text(middle, HEIGHT - PAD - 18, tidy(names[index]), anchor="mt", colour="muted")
    canvas.rule(PAD, WIDTH - PAD, y(0), strong=True)
    return Drawn(canvas.png(), key)


class _Canvas:
    """Draws in CSS pixels."""

    def __init__(self, colours: Mapping[str, str]) -> None:
        self.colours = colours
        self.plate = colours["plate"]
        self.grid = mixed(self.plate, colours["ink"], 0.12)
        self.quiet = mixed(self.plate, colours["muted"], 0.55)
        self.factor = SCALE * SUPERSAMPLING
        self.image = Image.new("RGB", (WIDTH * self.factor, HEIGHT * self.factor), self.plate)
        self.draw = ImageDraw.Draw(self.image)

    def line_colour(self, index: int) -> str:
        """Accent first; the others in tones that keep a contrast of 4.5 on the plate, as their names bear them."""
        return (self.colours["accent"], self.colours["muted"], self.colours["positive"], self.colours["negative"])[
            index
        ]

    def width(self, text: str, *, bold: bool = False) -> float:
        return float(self._font(bold).getlength(text)) / self.factor

    def _font(self, bold: bool):  # type: ignore[no-untyped-def]
        return font(TEXT * self.factor, "Semibold" if bold else "Regular")

    def text(self, x: float, y: float, text: str, *, anchor: str, colour: str, bold: bool = False) -> None:
        fill = self.colours.get(colour, colour)
        # Pillow knows no anchor "t": "a" is the ascender, close enough to the top of a figure.
        anchor = anchor.replace("t", "a").replace("b", "s")
        self.draw.text((x * self.factor, y * self.factor), text, font=self._font(bold), fill=fill, anchor=anchor)

    def rule(self, x1: float, x2: float, y: float, *, strong: bool = False) -> None:
        fill = self.colours["muted"] if strong else self.grid
        self.draw.line(
            [(x1 * self.factor, y * self.factor), (x2 * self.factor, y * self.factor)], fill=fill, width=self.factor
        )

    def curve(self, points: Sequence[Point], colour: str) -> None:
        scaled = [(x * self.factor, y * self.factor) for x, y in points]
        self.draw.line(scaled, fill=colour, width=round(2.4 * self.factor), joint="curve")

    def dot(self, x: float, y: float, colour: str) -> None:
        for radius, fill in ((5.5, self.plate), (4.0, colour)):
            box = [
                (x - radius) * self.factor,
                (y - radius) * self.factor,
                (x + radius) * self.factor,
                (y + radius) * self.factor,
            ]
            self.draw.ellipse(box, fill=fill)

    def bar(self, x1: float, y1: float, x2: float, y2: float, colour: str) -> None:
        self.draw.rectangle([x1 * self.factor, y1 * self.factor, x2 * self.factor, y2 * self.factor], fill=colour)

    def png(self) -> bytes:
        shown = self.image.resize((WIDTH * SCALE, HEIGHT * SCALE), Image.Resampling.LANCZOS)
        # A chart has few colours: a palette of 64 keeps it small, and nobody sees the difference.
        few = shown.quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        out = io.BytesIO()
        few.save(out, "PNG", optimize=True)
        return out.getvalue()


def _names(names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The names as they are drawn; letters in their place, and a key, where the face lacks their script."""
    if all(drawable(tidy(name)) for name in names):
        return list(names), ()
    letters = [chr(ord("A") + index) for index in range(len(names))]
    return letters, tuple(f"{letter}: {name}" for letter, name in zip(letters, names, strict=True))


def _ticks(low: float, high: float) -> list[float]:
    """Four to six round values that span the data."""
    if high <= low:
        low, high = low - (abs(low) * 0.01 or 1), high + (abs(high) * 0.01 or 1)
    rough = (high - low) / 4
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if rough <= power * factor)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(n * step, 10) + 0.0 for n in range(first, last + 1)]


def _scale(low: float, high: float, bottom: float, top: float) -> Callable[[float], float]:
    return lambda value: bottom - (bottom - top) * (value - low) / ((high - low) or 1)


def _apart(places: Sequence[float], gap: float) -> list[float]:
    """The places of labels, moved as little as keeps them from lying on each other."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    spread = list(places)
    for before, after in itertools.pairwise(order):
        spread[after] = max(spread[after], spread[before] + gap)
    overflow = spread[order[-1]] - (HEIGHT - PAD - 28)
    if overflow > 0:
        for after, before in zip(reversed(order), reversed(order[:-1]), strict=False):
            spread[after] = min(spread[after], HEIGHT - PAD - 28) if after == order[-1] else spread[after]
            spread[before] = min(spread[before], spread[after] - gap)
    return spread
