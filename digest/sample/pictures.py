"""Illustrations for the sample's articles, drawn on demand: flat shapes on a coloured sky.

The scene and the slug decide every stroke, so a picture is the same on every machine and at every start.
"""

import math
import random
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageDraw

from digest.sample.articles import Scene

Colour = tuple[int, int, int]
WIDTH, HEIGHT = 1200, 675
FINE = 2
"""Drawn at this multiple and scaled down, for smooth edges."""

PALETTES: tuple[tuple[Colour, Colour, Colour, Colour, Colour], ...] = (
    ((38, 52, 84), (214, 141, 110), (24, 33, 56), (84, 98, 130), (247, 220, 178)),
    ((20, 63, 74), (146, 190, 176), (12, 42, 51), (62, 117, 121), (246, 235, 201)),
    ((92, 41, 61), (233, 170, 124), (54, 22, 38), (144, 78, 84), (252, 229, 190)),
    ((46, 58, 49), (196, 189, 148), (27, 36, 31), (100, 117, 93), (247, 240, 214)),
    ((43, 44, 79), (168, 160, 201), (26, 26, 51), (94, 92, 141), (243, 226, 214)),
    ((31, 70, 104), (189, 208, 213), (17, 43, 67), (84, 131, 160), (250, 232, 196)),
)  # sky above, sky below, near, far, light


class Canvas:
    """A page in units of the finished picture, with the seed's own palette and dice."""

    def __init__(self, seed: str) -> None:
        self.dice = random.Random(sha256(seed.encode()).digest())  # noqa: S311  (art, not secrets)
        self.sky, self.haze, self.near, self.far, self.light = self.dice.choice(PALETTES)
        self.image = Image.linear_gradient("L").resize((WIDTH * FINE, HEIGHT * FINE))
        sky, haze = (Image.new("RGB", self.image.size, colour) for colour in (self.sky, self.haze))
        self.image = Image.composite(haze, sky, self.image)
        self.pen = ImageDraw.Draw(self.image)

    def mix(self, a: Colour, b: Colour, share: float) -> Colour:
        """``a`` with a share of ``b``."""
        red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
        return red, green, blue

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, radius: float = 0) -> None:
        """A rectangle."""
        self.pen.rounded_rectangle([FINE * v for v in (left, top, right, bottom)], FINE * radius, fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour, flat: float = 1) -> None:
        """A circle, or an ellipse ``flat`` times as high as wide."""
        self.pen.ellipse([FINE * v for v in (x - radius, y - radius * flat, x + radius, y + radius * flat)], fill=fill)

    def shape(self, points: list[tuple[float, float]], fill: Colour) -> None:
        """A polygon."""
        self.pen.polygon([(FINE * x, FINE * y) for x, y in points], fill=fill)

    def line(self, points: list[tuple[float, float]], fill: Colour, width: float) -> None:
        """A line with round joints."""
        self.pen.line([(FINE * x, FINE * y) for x, y in points], fill=fill, width=round(FINE * width), joint="curve")

    def sun(self, low: float = 430) -> None:
        """The light in the sky."""
        self.disc(self.dice.uniform(250, 950), self.dice.uniform(190, low), self.dice.uniform(60, 105), self.light)

    def swell(self, level: float, height: float, fill: Colour) -> None:
        """A band of gentle waves from ``level`` to the lower edge."""
        phase, turns = self.dice.uniform(0, 6.3), self.dice.uniform(1.2, 2.6)
        crest = [(x, level + height * math.sin(phase + turns * 2 * math.pi * x / WIDTH)) for x in range(0, 1201, 8)]
        self.shape([*crest, (WIDTH, HEIGHT), (0, HEIGHT)], fill)

    def hills(self, level: float, height: float, fill: Colour) -> None:
        """A rough ridge from ``level`` to the lower edge."""
        parts = [
            (height / turns, self.dice.uniform(0, 6.3), turns * self.dice.uniform(0.8, 1.2)) for turns in (1, 2, 4, 9)
        ]
        crest = [
            (x, level + sum(a * math.sin(p + t * 2 * math.pi * x / WIDTH) for a, p, t in parts))
            for x in range(0, 1201, 8)
        ]
        self.shape([*crest, (WIDTH, HEIGHT), (0, HEIGHT)], fill)


def _skyline(c: Canvas) -> None:
    c.sun()
    for share, base in ((0.6, 180), (0.0, 90)):
        x = -20.0
        while x < WIDTH:
            width, height = c.dice.uniform(45, 110), c.dice.uniform(60, 300)
            wall = c.mix(c.far if share else c.near, c.haze, share * 0.5)
            c.box(x, HEIGHT - base - height, x + width, HEIGHT, wall)
            if not share:
                for window in range(int(height // 26)):
                    if c.dice.random() < 0.45:
                        left = x + 10 + c.dice.choice((0, 18, 36)) % max(width - 24, 1)
                        c.box(left, HEIGHT - base - height + 14 + 26 * window, left + 9, HEIGHT - base - height + 26 + 26 * window, c.light)  # fmt: skip
            x += width + c.dice.uniform(2, 16)
    c.box(0, HEIGHT - 80, WIDTH, HEIGHT, c.mix(c.near, c.sky, 0.5))
    for _ in range(26):
        x, y = c.dice.uniform(0, WIDTH), c.dice.uniform(HEIGHT - 70, HEIGHT - 8)
        c.box(x, y, x + c.dice.uniform(20, 90), y + 3, c.mix(c.near, c.light, 0.35), 1)


def _chart(c: Canvas, up: bool) -> None:
    c.box(0, 0, WIDTH, HEIGHT, c.mix(c.near, c.sky, 0.4))
    for row in range(1, 6):
        c.box(0, row * 112, WIDTH, row * 112 + 2, c.mix(c.near, c.far, 0.55))
    level, points = (500.0, []) if up else (170.0, [])
    for x in range(-10, 1220, 30):
        points.append((float(x), level))
        level += (-8.5 if up else 8.5) + c.dice.uniform(-34, 34)
        level = min(max(level, 90), 600)
    c.shape([*points, (WIDTH, HEIGHT), (0, HEIGHT)], c.mix(c.far, c.near, 0.35))
    c.line(points, c.light, 8)
    c.disc(points[-2][0], points[-2][1], 15, c.haze)


def _bars(c: Canvas) -> None:
    c.sun(260)
    for number in range(12):
        height = 90 + 34 * number + c.dice.uniform(-26, 26)
        left = 60 + 91 * number
        c.box(left, HEIGHT - height, left + 62, HEIGHT + 20, c.mix(c.far, c.near, number / 14), 6)
        c.box(left, HEIGHT - height, left + 62, HEIGHT - height + 10, c.light, 4)


def _columns(c: Canvas) -> None:
    c.sun(300)
    stone, shade = c.mix(c.light, c.haze, 0.35), c.mix(c.far, c.haze, 0.25)
    c.shape([(190, 285), (600, 125), (1010, 285)], stone)
    c.shape([(290, 268), (600, 150), (910, 268)], shade)
    c.box(190, 285, 1010, 325, c.mix(stone, c.near, 0.15))
    c.box(230, 325, 970, 575, c.mix(c.near, c.far, 0.3))
    for number in range(6):
        left = 240 + number * 133
        c.box(left, 325, left + 56, 575, stone)
        c.box(left + 38, 325, left + 56, 575, shade)
        c.box(left - 8, 325, left + 64, 341, stone)
    for step in range(4):
        c.box(190 - 30 * step, 575 + 25 * step, 1010 + 30 * step, 602 + 25 * step, c.mix(stone, c.near, 0.14 * step))


def _network(c: Canvas) -> None:
    c.box(0, 0, WIDTH, HEIGHT, c.mix(c.near, c.sky, 0.5))
    dots = [(c.dice.uniform(60, 1140), c.dice.uniform(60, 615)) for _ in range(34)]
    for n, a in enumerate(dots):
        for b in sorted(dots, key=lambda b: math.dist(a, b))[1:4]:
            c.line([a, b], c.mix(c.near, c.far, 0.9), 3)
        c.disc(*a, (9, 13, 22)[n % 3], c.light if n % 5 == 0 else c.mix(c.far, c.light, 0.35))


def _coins(c: Canvas) -> None:
    c.box(0, 545, WIDTH, HEIGHT, c.mix(c.near, c.sky, 0.3))
    for column, left in enumerate((230, 480, 730, 980)):
        for number in range(c.dice.randint(3, 12)):
            y = 575 - 30 * number
            c.disc(left, y + 16, 105, c.mix(c.far, c.near, 0.5), 0.3)
            c.disc(left, y, 105, c.mix(c.light, c.haze, 0.15 * (column % 3) + 0.1), 0.3)
            c.disc(left, y, 76, c.mix(c.light, c.haze, 0.4), 0.28)


def _racks(c: Canvas) -> None:
    c.box(0, 0, WIDTH, HEIGHT, c.near)
    for number in range(6):
        left = 40 + 190 * number
        c.box(left, 50, left + 165, 640, c.mix(c.near, c.far, 0.55), 8)
        for row in range(17):
            top = 70 + 33 * row
            c.box(left + 14, top, left + 151, top + 22, c.mix(c.near, c.far, 0.22), 3)
            for lamp in range(3):
                colour = c.light if c.dice.random() < 0.5 else c.mix(c.far, c.haze, 0.4)
                c.disc(left + 28 + 15 * lamp, top + 11, 4, colour)
            c.box(left + 84, top + 9, left + 140, top + 13, c.far, 2)


def _wafer(c: Canvas) -> None:
    c.box(0, 0, WIDTH, HEIGHT, c.mix(c.near, c.sky, 0.35))
    middle = c.dice.uniform(520, 680)
    c.disc(middle, 337, 302, c.mix(c.far, c.near, 0.35))
    c.disc(middle, 337, 294, c.mix(c.haze, c.far, 0.45))
    for column in range(-7, 7):
        for row in range(-7, 7):
            x, y = column * 40 + 2, row * 40 + 2
            if max(math.hypot(a, b) for a in (x, x + 36) for b in (y, y + 36)) < 286:
                share = c.dice.choice((0.05, 0.2, 0.35, 0.6))
                c.box(middle + x, 337 + y, middle + x + 36, 373 + y, c.mix(c.haze, c.light, share), 3)


def _waves(c: Canvas) -> None:
    c.sun(330)
    for number in range(6):
        c.swell(300 + 68 * number, 20 + 3 * number, c.mix(c.far, c.near, number / 5))


def _ship(c: Canvas) -> None:
    c.sun(300)
    c.swell(430, 8, c.mix(c.far, c.haze, 0.3))
    for column in range(9):
        for row in range(c.dice.randint(1, 4)):
            left, top = 400 + 48 * column, 392 - 27 * row
            c.box(left, top, left + 45, top + 25, c.dice.choice((c.light, c.far, c.mix(c.light, c.near, 0.4), c.sky)))
    c.box(305, 330, 375, 420, c.light)
    c.shape([(270, 418), (930, 418), (875, 490), (315, 490)], c.near)
    c.swell(480, 9, c.far)
    c.swell(560, 12, c.mix(c.far, c.near, 0.5))


def _ridge(c: Canvas) -> None:
    c.sun(280)
    for number in range(4):
        c.hills(330 + 95 * number, 70 - 8 * number, c.mix(c.mix(c.far, c.haze, 0.5), c.near, number / 3))


def _mountain(c: Canvas) -> None:
    c.sun(200)
    c.shape([(120, 560), (520, 190), (680, 190), (1080, 560)], c.mix(c.far, c.haze, 0.2))
    c.shape(
        [(423, 280), (520, 190), (680, 190), (777, 280), (715, 262), (660, 318), (600, 268), (540, 312), (487, 258)],
        c.light,
    )
    for number in range(3):
        c.hills(520 + 50 * number, 26, c.mix(c.far, c.near, 0.3 + number / 3))


def _pylons(c: Canvas) -> None:
    c.sun(280)
    c.hills(430, 50, c.mix(c.far, c.haze, 0.35))
    feet = [(110.0, 600.0, 330.0), (480.0, 575.0, 250.0), (780.0, 560.0, 185.0), (1020.0, 550.0, 140.0)]
    for arm in (0.03, 0.2):
        for side in (-1, 1):
            tops = [(x + side * h * 0.22, y - h * (1 - arm)) for x, y, h in feet]
            c.line([(-60, tops[0][1] - 30), *tops, (1260, tops[-1][1] + 14)], c.near, 2.5)
    for x, y, h in feet:
        c.line([(x - h * 0.14, y), (x, y - h), (x + h * 0.14, y)], c.near, h / 44)
        for arm in (0.03, 0.2):
            c.line([(x - h * 0.22, y - h * (1 - arm)), (x + h * 0.22, y - h * (1 - arm))], c.near, h / 50)
        c.line([(x - h * 0.1, y - h * 0.3), (x + h * 0.06, y - h * 0.56)], c.near, h / 80)
        c.line([(x + h * 0.1, y - h * 0.3), (x - h * 0.06, y - h * 0.56)], c.near, h / 80)
    c.hills(560, 22, c.near)


def _bridge(c: Canvas) -> None:
    c.sun(320)
    c.hills(430, 40, c.mix(c.far, c.haze, 0.45))
    c.box(0, 500, WIDTH, HEIGHT, c.far)
    for start, end in ((-260, 320), (320, 880), (880, 1460)):
        width = end - start
        cable = [(float(start + x), 190 + 250 * (1 - (2 * x / width - 1) ** 2)) for x in range(0, width + 1, 10)]
        c.line(cable, c.near, 6)
        for hanger, top in cable[::4]:
            c.line([(hanger, top), (hanger, 470)], c.near, 2)
    c.box(0, 462, WIDTH, 482, c.near)
    for tower in (320, 880):
        c.box(tower - 17, 165, tower + 17, 560, c.near, 4)
    for _ in range(30):
        left, y = c.dice.uniform(0, WIDTH), c.dice.uniform(520, 665)
        c.box(left, y, left + c.dice.uniform(20, 110), y + 3, c.mix(c.far, c.light, 0.4), 1)


def _terminal(c: Canvas) -> None:
    c.box(0, 0, WIDTH, HEIGHT, c.mix(c.haze, c.light, 0.25))
    for left, top, fill in ((170, 190, c.far), (250, 275, c.sky)):
        c.box(left, top, left + 430, top + 270, fill, 24)
        c.box(left + 34, top + 60, left + 94, top + 106, c.light, 8)
        c.box(left + 34, top + 190, left + 290, top + 204, c.mix(fill, c.light, 0.5), 6)
        c.box(left + 34, top + 220, left + 190, top + 232, c.mix(fill, c.light, 0.35), 6)
    c.box(770, 110, 1040, 590, c.near, 34)
    c.box(800, 145, 1010, 300, c.light, 12)
    c.box(825, 190, 985, 204, c.far, 5)
    c.box(825, 230, 930, 244, c.far, 5)
    for row in range(4):
        for column in range(3):
            c.box(805 + 70 * column, 330 + 58 * row, 863 + 70 * column, 374 + 58 * row, c.mix(c.near, c.far, 0.6), 10)


SCENES: dict[Scene, Callable[[Canvas], None]] = {
    "bars": _bars, "bridge": _bridge, "coins": _coins, "columns": _columns, "mountain": _mountain,
    "network": _network, "pylons": _pylons, "racks": _racks, "ridge": _ridge, "ship": _ship,
    "skyline": _skyline, "terminal": _terminal, "wafer": _wafer, "waves": _waves,
    "chart-up": lambda canvas: _chart(canvas, up=True), "chart-down": lambda canvas: _chart(canvas, up=False),
}  # fmt: skip


@lru_cache(maxsize=128)
def draw(scene: Scene, seed: str) -> bytes:
    """A PNG of 1200 × 675 pixels; ``seed`` (an article's slug) decides colours and details."""
    canvas = Canvas(seed)
    SCENES[scene](canvas)
    finished = canvas.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    finished = finished.quantize(192, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG)
    out = BytesIO()
    finished.save(out, "PNG", optimize=False)
    return out.getvalue()
