"""Charts and pictures: sizes, colours, what they say, and what is refused."""

import io
import zlib

import pytest
from PIL import Image

from digest.domain.newsroom import Theme
from digest.errors import ParseError
from digest.render import charts, images
from digest.render.palette import contrast


def picture(width: int = 800, height: int = 600, mode: str = "RGB", kind: str = "PNG", **save: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), (200, 30, 60, 128)[: len(mode)] if mode != "L" else 90).save(out, kind, **save)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_sparkline_is_a_transparent_png_at_twice_its_size() -> None:
    chart = opened(charts.sparkline([1, 3, 2, 5], up=True))
    assert (chart.format, chart.size, chart.mode) == ("PNG", (192, 56), "RGBA")
    assert chart.getpixel((0, 0))[3] == 0


@pytest.mark.parametrize(("values", "up"), [([1, 2, 3], True), ([3, 2, 1], False)])
def test_a_sparkline_ends_where_its_last_value_is(values: list[float], up: bool) -> None:
    chart = opened(charts.sparkline(values, up=up))
    column = [chart.getpixel((chart.width - 8, y))[3] for y in range(chart.height)]
    middle = sum(y * alpha for y, alpha in enumerate(column) if alpha > 200) / sum(a for a in column if a > 200)
    assert (middle < chart.height / 2) is up


@pytest.mark.parametrize("values", [[5.0], [2.0, 2.0, 2.0], [1e9, -1e9], list(range(1000))])
def test_odd_histories_are_drawn_too(values: list[float]) -> None:
    assert opened(charts.sparkline(values, up=True)).size == (192, 56)


def test_a_sparkline_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError):
        charts.sparkline([], up=True)


@pytest.mark.parametrize("colour", [charts.UP, charts.DOWN])
def test_sparkline_colours_stand_out_on_light_and_dark_paper(colour: tuple[int, int, int]) -> None:
    shown = "#{:02x}{:02x}{:02x}".format(*colour)
    assert contrast(shown, Theme().paper) >= 3
    assert contrast(shown, Theme().dark_paper) >= 3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([100, 110], "Ether rose 10.0% in 7 days"),
        ([100, 95.4], "Ether fell 4.6% in 7 days"),
        ([100, 100.01], "Ether stands where it stood 7 days ago"),
        ([100], "Ether: no history"),
    ],
)
def test_a_sparkline_says_what_it_shows(values: list[float], words: str) -> None:
    assert charts.says("Ether", values) == words


@pytest.mark.parametrize(
    ("data", "shown", "pixels", "extension"),
    [
        (picture(2000, 1500), (592, 333), (1184, 666), "jpg"),
        (picture(800, 600), (592, 333), (800, 450), "jpg"),
        (picture(300, 300, "RGBA"), (150, 150), (300, 300), "png"),
        (picture(900, 700, "L", "JPEG"), (300, 200), (600, 400), "jpg"),
        (picture(500, 400, kind="GIF"), (100, 80), (200, 160), "jpg"),
        (picture(1, 1), (592, 333), (1, 1), "jpg"),
    ],
)
def test_a_picture_is_cropped_to_its_place_and_at_most_twice_as_large(
    data: bytes, shown: tuple[int, int], pixels: tuple[int, int], extension: str
) -> None:
    fitted = images.fit(data, *shown)
    assert (fitted.width, fitted.height, fitted.extension) == (*shown, extension)
    assert opened(fitted.data).size == pixels


def test_a_picture_without_a_height_keeps_its_shape() -> None:
    fitted = images.fit(picture(2000, 1000), 600)
    assert (fitted.width, fitted.height) == (600, 300)
    assert opened(fitted.data).size == (1200, 600)


def test_metadata_is_dropped_after_orientation_is_obeyed() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "at home, 38.7 N 9.1 W"
    fitted = images.fit(picture(400, 200, kind="JPEG", exif=exif), 100)
    assert fitted.height == 200
    assert not opened(fitted.data).getexif()
    assert b"at home" not in fitted.data


def bomb() -> bytes:
    small = bytearray(picture(10, 10))
    # Width and height of a PNG stand in its first chunk.
    small[16:24] = (30_000).to_bytes(4, "big") * 2
    small[29:33] = zlib.crc32(bytes(small[12:29])).to_bytes(4, "big")
    return bytes(small)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a",
        picture()[:200],
        bomb(),
        picture(20, 20, kind="BMP"),
    ],
    ids=["empty", "svg", "stub", "cut short", "bomb", "odd kind"],
)
def test_what_is_no_fit_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ParseError):
        images.fit(data, 100, 100)
