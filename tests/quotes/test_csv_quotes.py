"""Prices in CSV files, and the providers by name."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.newsroom import Quote
from digest.errors import ConfigError, ParseError
from digest.quotes.moments import is_stale
from digest.quotes.provider import open_provider, read_quotes

URL = "https://prices.example/q.csv"


def quotes(text: str, **options: int) -> tuple[Quote, ...]:
    return read_quotes("csv", text.encode(), "text/csv", URL, source="Desk", **options)


def test_a_row_becomes_a_quote_with_the_time_of_its_price() -> None:
    (quote,) = quotes(
        'symbol,name,price,as_of,change,currency\nbtc,Bitcoin,"70,187.5",2026-03-12T10:59:30Z,-2.5%,eur\n'
    )
    assert quote == Quote(
        "BTC", "Bitcoin", 70187.5, datetime(2026, 3, 12, 10, 59, 30, tzinfo=UTC), -2.5, (), "EUR", "Desk"
    )


@pytest.mark.parametrize(
    "text",
    [
        "Symbol,Date,Time,Open,High,Low,Close,Volume\n^SPX,2026-03-12,10:30:00,1,2,3,5790.5,0\n",
        "ticker;last;timestamp\n^SPX;5.790,5;2026-03-12T10:30:00\n",
        "code\tvalue\tdatetime\n^spx\t5790.5\t2026-03-12 10:30\n",
    ],
)
def test_headers_separators_and_decimal_commas_of_other_services_are_understood(text: str) -> None:
    (quote,) = quotes(text)
    assert (quote.symbol, quote.price, quote.as_of) == ("^SPX", 5790.5, datetime(2026, 3, 12, 10, 30, tzinfo=UTC))


def test_several_rows_are_a_history_and_the_change_is_reckoned_over_one_day_only() -> None:
    rows = "symbol,price,date\n" + "".join(f"A,{100 + day},2026-03-{day:02}\n" for day in (2, 10, 11, 12))
    (quote,) = quotes(rows)
    assert (quote.price, quote.history) == (112, (110, 111, 112))
    assert quote.change == pytest.approx(100 * (112 / 111 - 1))
    (monday,) = quotes("symbol,price,date\nA,100,2026-03-06\nA,101,2026-03-09\n")
    assert monday.change is None  # three days are not 24 hours: no number is better than a wrong one


def test_a_price_with_a_time_is_stale_after_six_hours_a_close_after_a_long_weekend_unless_the_newsroom_says_else() -> (
    None
):
    hour, close = "symbol,price,as_of\nA,1,2026-03-12T06:00Z\n", "symbol,price,as_of\nA,1,2026-03-12\n"
    at = datetime(2026, 3, 12, 6, tzinfo=UTC)
    assert [is_stale(quotes(hour)[0], at + timedelta(hours=hours)) for hours in (5, 7)] == [False, True]
    assert [is_stale(quotes(close)[0], at + timedelta(days=days)) for days in (3, 4)] == [False, True]
    assert [is_stale(quotes(hour, fresh_hours=24)[0], at + timedelta(hours=hours)) for hours in (23, 25)] == [
        False,
        True,
    ]
    assert is_stale(quotes(hour)[0], at - timedelta(hours=1))  # from a time still to come


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<html>", "no CSV"),
        ("", "no column symbol"),
        ("symbol,price\nA,1\n", "no column as_of; its first line says: symbol, price"),
        ("symbol,price,as_of\nA,,2026-03-12\nB,1,yesterday\nC,-1,2026-03-12\n", "no row with a symbol, a price and a time"),
    ],
)  # fmt: skip
def test_what_holds_no_quotes_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        quotes(text)


@given(st.text(st.sampled_from("symbolpricea_of,;\t\n\"'0123456789.-:TZ%\0é"), max_size=120))
def test_only_parse_errors_escape_whatever_the_text(text: str) -> None:
    try:
        quotes("symbol,price,as_of\n" + text)
    except ParseError:
        return


class Own:
    """A provider of somebody's own."""

    accept = "text/x-own"

    def read(self, body: bytes, content_type: str, url: str, source: str) -> tuple[Quote, ...]:
        return (Quote("OWN", "Own", float(body), datetime(2026, 3, 12, tzinfo=UTC), source=source),)


def test_a_provider_of_ones_own_is_named_by_module_and_class() -> None:
    name = f"{__name__}:Own"
    import sys

    sys.modules.setdefault(__name__, sys.modules[Own.__module__])
    assert open_provider(name).accept == "text/x-own"
    assert read_quotes(name, b"7", "", URL, source="Me")[0].price == 7
    with pytest.raises(ParseError, match=r"Own failed \(ValueError"):
        read_quotes(name, b"seven", "", URL, source="Me")


@pytest.mark.parametrize("name", ["yahoo", "nowhere.at.all:Class", "json:loads", "json:JSONDecoder"])
def test_what_is_no_provider_is_refused_in_words(name: str) -> None:
    with pytest.raises(ConfigError, match="provider"):
        open_provider(name)
