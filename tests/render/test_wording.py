"""Dates, numbers and lines as readers expect them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import RenderError
from digest.render import rich, wording


@pytest.mark.parametrize(
    ("locale", "starts", "ends", "text"),
    [
        ("en-US", date(2026, 3, 24), date(2026, 3, 26), "Tues–Thurs, March 24–26, 2026"),
        ("en-US", date(2026, 3, 30), date(2026, 4, 1), "Mon–Wed, March 30–April 1, 2026"),
        ("en-US", date(2026, 12, 31), date(2027, 1, 1), "Thurs–Fri, December 31, 2026 – January 1, 2027"),
        ("en-US", date(2026, 4, 2), date(2026, 4, 2), "Thurs, April 2, 2026"),
        ("de", date(2026, 3, 24), date(2026, 3, 26), "Di.–Do., 24.–26. März 2026"),
        ("fr", date(2026, 3, 24), date(2026, 3, 26), "mar.–jeu., 24–26 mars 2026"),
    ],
)
def test_spans_of_days_read_well(locale: str, starts: date, ends: date, text: str) -> None:
    assert wording.date_range(starts, ends, wording.locale_of(locale)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(83912.0, "$83,912"), (4127.35, "$4,127"), (182.4, "$182.40"), (1.0, "$1.00"), (0.5213, "$0.5213")],
)
def test_prices_have_as_many_decimals_as_their_size_asks_for(value: float, text: str) -> None:
    assert wording.price(value, "USD", wording.locale_of("en-US")) == text


@pytest.mark.parametrize(
    ("value", "text"), [(2.43, "+2.4%"), (-0.84, "−0.8%"), (-0.04, "0.0%"), (0, "0.0%"), (120.05, "+120.0%")]
)
def test_changes_bear_their_sign(value: float, text: str) -> None:
    assert wording.change(value, wording.locale_of("en-US")) == text


def test_times_and_dates_are_written_out() -> None:
    place = wording.locale_of("en-US")
    assert wording.clock_time(datetime(2026, 3, 12, 9, 5, tzinfo=UTC), place) == "March 12, 09:05 UTC"
    assert wording.long_date(date(2026, 3, 12), place) == "Thursday, March 12, 2026"


def test_an_unknown_locale_is_named() -> None:
    with pytest.raises(RenderError, match="tlh-XX"):
        wording.locale_of("tlh-XX")


@given(st.text(max_size=500), st.sampled_from(["", "  ", "> "]))
def test_folded_lines_fit_and_lose_no_word(text: str, indent: str) -> None:
    folded = wording.fold(text, indent)
    lines = folded.split("\n")
    assert all(wording.columns(line) <= 78 for line in lines)
    assert "".join(line.removeprefix(indent) for line in lines).replace(" ", "") == "".join(text.split())


def test_a_url_is_never_broken() -> None:
    url = "https://a.example/" + "x" * 200
    assert url in wording.fold(f"Some words before {url} and after", "  ").split("  ")[-2:][0] or url in wording.fold(
        url
    )
    assert [line.strip() for line in wording.fold(f"before {url} after", "  ").split("\n")] == ["before", url, "after"]


@pytest.mark.parametrize(
    ("markdown", "page", "text"),
    [
        ("Hello *there*", "<p>Hello <em>there</em></p>", "Hello there"),
        ("# Big\n\n## Small", "<h3>Big</h3><h3>Small</h3>", "Big\n\nSmall"),
        ("[a](https://x.example/?a=1&b=2)", '<p><a href="https://x.example/?a=1&amp;b=2">a</a></p>', "a <https://x.example/?a=1&b=2>"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>", "[a](javascript:alert(1))"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>", "<script>x</script>"),
        ("- a\n- b", "<ul> <li>a</li> <li>b</li> </ul>", "* a\n\n* b"),
        ("1 < 2 & 3", "<p>1 &lt; 2 &amp; 3</p>", "1 < 2 & 3"),
        ("> quoted", "<blockquote> <p>quoted</p> </blockquote>", "> quoted"),
        ("one\ntwo", "<p>one two</p>", "one two"),
        ("a&#x202E;b&#0;c", "<p>abc</p>", "abc"),
    ],
)  # fmt: skip
def test_markdown_becomes_safe_html_and_readable_text(markdown: str, page: str, text: str) -> None:
    assert rich.markdown_html(markdown).strip() == page
    assert rich.markdown_text(markdown) == text
