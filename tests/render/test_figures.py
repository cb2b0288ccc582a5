"""Charts as drawn: size, colours, and what happens to figures and names that don't suit."""

import io
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digest.domain.newsroom import Theme
from digest.errors import RenderError
from digest.render.figures import HEIGHT, WIDTH, Series, _apart, _ticks, bar_chart, line_chart
from digest.render.palette import contrast, mixed, palette
from digest.render.typeface import drawable
from digest.render.wording import figure, locale_of

COLOURS = palette(Theme())
ENGLISH = locale_of("en-US")


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def colours(data: bytes) -> set[tuple[int, int, int]]:
    return {colour for _, colour in opened(data).convert("RGB").getcolors(1 << 22) or ()}


def near(colour: str, found: set[tuple[int, int, int]]) -> bool:
    wanted = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return any(max(abs(a - b) for a, b in zip(wanted, other, strict=True)) <= 12 for other in found)


def test_a_chart_is_drawn_at_twice_its_size_in_the_themes_colours() -> None:
    data = line_chart([Series("Ether", (1, 2, 4, 3))], ["1", "2"], COLOURS, str).data
    assert opened(data).size == (2 * WIDTH, 2 * HEIGHT)
    assert near(COLOURS["accent"], colours(data))
    assert near(COLOURS["plate"], colours(data))
    assert len(data) < 60_000
    assert data == line_chart([Series("Ether", (1, 2, 4, 3))], ["1", "2"], COLOURS, str).data


def test_words_on_the_plate_keep_their_contrast() -> None:
    for name in ("ink", "muted", "accent", "positive", "negative"):
        assert contrast(COLOURS[name], COLOURS["plate"]) >= 4.5
    assert COLOURS["plate"] == mixed(COLOURS["paper"], COLOURS["ink"], 0.05)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40), min_size=1, max_size=4))
def test_any_figures_can_be_drawn(values: list[list[float]]) -> None:
    lines = [Series(f"Line {n}", tuple(row), "end") for n, row in enumerate(values)]
    assert opened(line_chart(lines, ["a", "b", "c"], COLOURS, lambda v: f"{v:.3g}").data).format == "PNG"


@given(st.floats(-1e12, 1e12), st.floats(0, 1e12))
def test_the_grid_is_round_and_spans_the_figures(low: float, span: float) -> None:
    ticks = _ticks(low, low + span)
    assert 2 <= len(ticks) <= 8
    slack = (abs(low) + span) * 1e-6 + 1e-6
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + span - slack


@given(st.lists(st.floats(30, 280), min_size=2, max_size=4))
def test_names_at_line_ends_do_not_lie_on_each_other(places: list[float]) -> None:
    spread = sorted(_apart(places, 20))
    assert all(after - before >= 20 - 1e-6 for before, after in itertools.pairwise(spread))
    assert spread[-1] <= HEIGHT


def test_names_in_a_script_that_the_face_lacks_become_letters_with_a_key() -> None:
    assert drawable("März, Škoda, Ελλάδα, Россия €4.2 −3%")
    assert not drawable("بتكوين")
    drawn = line_chart([Series("بتكوين", (1, 2)), Series("إيثر", (2, 1))], ["1", "2"], COLOURS, str)
    assert drawn.key == ("A: بتكوين", "B: إيثر")
    assert line_chart([Series("Bitcoin", (1, 2))], ["1", "2"], COLOURS, str).key == ()


def test_bars_bear_the_accent_on_the_last_and_take_negative_figures() -> None:
    data = bar_chart(Series("x", (3, -2, 5)), ["a", "b", "c"], COLOURS, str).data
    assert near(COLOURS["accent"], colours(data))


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: line_chart([], ["a"], COLOURS, str), "at least one line"),
        (lambda: line_chart([Series("x", (1,))] * 5, ["a"], COLOURS, str), "at most 4"),
        (lambda: bar_chart(Series("x", (1, 2)), ["a"], COLOURS, str), "2 bars need as many labels"),
        (lambda: bar_chart(Series("x", (1,) * 13), ["a"] * 13, COLOURS, str), "at most 12"),
    ],
)
def test_what_can_not_be_read_is_not_drawn(draw, words: str) -> None:
    with pytest.raises(RenderError, match=words):
        draw()


@pytest.mark.parametrize(
    ("value", "unit", "locale", "written"),
    [
        (4.2, "$", "en-US", "$4.2"), (-4.25, "$bn", "en-US", "−$4.25bn"), (12, " TWh", "de", "12 TWh"),
        (1234.5, "%", "de", "1.234%"), (10.04, "", "fr", "10,0"), (0, "%", "en-US", "0%"),
    ],
)  # fmt: skip
def test_figures_are_written_with_their_unit(value: float, unit: str, locale: str, written: str) -> None:
    assert figure(value, unit, locale_of(locale)) == written
