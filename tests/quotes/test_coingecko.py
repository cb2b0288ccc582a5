"""Market quotes in CoinGecko's shape."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.newsroom import Quote
from digest.errors import ParseError
from digest.quotes.coingecko import parse_markets
from digest.quotes.moments import is_stale

URL = "https://api.example/api/v3/coins/markets?vs_currency=eur&sparkline=true&price_change_percentage=24h"
COIN: dict[str, Any] = {
    "id": "bitcoin", "symbol": "btc", "name": "Bitcoin", "current_price": 70187.5, "price_change_percentage_24h": 3.1,
    "price_change_percentage_24h_in_currency": 2.9, "last_updated": "2026-03-12T10:59:30.123Z", "sparkline_in_7d": {"price": [1, 2.5, 3]},
}  # fmt: skip


def quotes(*rows: Any) -> tuple[Quote, ...]:
    return parse_markets(json.dumps(rows).encode(), URL)


def test_a_coin_becomes_a_quote() -> None:
    assert quotes(COIN) == (
        Quote("BTC", "Bitcoin", 70187.5, datetime(2026, 3, 12, 10, 59, 30, 123000, UTC), 2.9, (1.0, 2.5, 3.0), "EUR", "CoinGecko"),
    )  # fmt: skip


@pytest.mark.parametrize("field", ["symbol", "current_price", "last_updated"])
def test_a_coin_without_symbol_price_or_time_is_left_out(field: str) -> None:
    other = COIN | {"symbol": "eth"}
    assert [quote.symbol for quote in quotes(COIN | {field: None}, other)] == ["ETH"]


def test_what_is_optional_may_be_missing() -> None:
    bare = {"symbol": "x", "current_price": 1, "last_updated": "2026-03-12T10:59:30Z"}
    (quote,) = quotes(bare)
    assert (quote.name, quote.change, quote.history) == ("X", None, ())


def test_a_symbol_comes_once_and_the_first_counts() -> None:
    assert [quote.price for quote in quotes(COIN, COIN | {"current_price": 1})] == [70187.5]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "valid JSON"),
        (
            b'{"status": {"error_code": 429, "error_message": "You have exceeded the Rate Limit"}}',
            "exceeded the Rate Limit",
        ),
        (b'{"error": "coin not found"}', "coin not found"),
        (b'"hello"', "no list"),
        (b'[{"a": 1}]', "no quote"),
    ],
)
def test_what_is_no_list_of_quotes_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        parse_markets(body, URL)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(COIN)), inner),
    )
)
def test_only_parse_errors_escape_whatever_the_json(value: Any) -> None:
    try:
        found = parse_markets(json.dumps([value, COIN]).encode(), URL)
    except ParseError:
        return
    assert "BTC" in [quote.symbol for quote in found] or found


def test_a_quote_is_stale_after_six_hours() -> None:
    (quote,) = quotes(COIN)
    assert not is_stale(quote, quote.as_of + timedelta(hours=6))
    assert is_stale(quote, quote.as_of + timedelta(hours=6, seconds=1))
