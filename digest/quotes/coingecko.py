"""CoinGecko's ``/coins/markets`` (https://docs.coingecko.com/reference/coins-markets) and whatever has its shape."""

import json
import math
from typing import Any
from urllib.parse import parse_qs, urlsplit

from digest.domain.newsroom import Quote
from digest.errors import ParseError
from digest.quotes.moments import moment_of

SOURCE = "CoinGecko"
MAX_QUOTES = 250
MAX_HISTORY = 400


class CoinGecko:
    """The provider for answers of that shape; see ``QuoteProvider``."""

    accept = "application/json"

    def read(self, body: bytes, content_type: str, url: str, source: str) -> tuple[Quote, ...]:
        """See ``QuoteProvider``."""
        return parse_markets(body, url, source=source)


def parse_markets(body: bytes, url: str, *, source: str = SOURCE) -> tuple[Quote, ...]:
    """The quotes of a ``/coins/markets?sparkline=true&price_change_percentage=24h`` answer, in its order.

    Coins without a price or a time are left out: a price that nobody dated can't be judged.

    Args:
        url: where it was fetched; its ``vs_currency`` is the currency, US dollars if it names none.
        source: the provider's name, as readers will see it.

    Raises:
        ParseError: it isn't JSON of that shape, or the provider's own message when it refuses.
    """
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"these quotes aren't valid JSON ({error})"[:200]) from None
    if isinstance(rows, dict):
        raise ParseError(f"the provider of quotes answered: {_complaint(rows)}"[:300])
    if not isinstance(rows, list):
        raise ParseError("this JSON holds no list of quotes")
    currency = (parse_qs(urlsplit(url).query).get("vs_currency") or ["usd"])[0].upper()[:8]
    quotes = (_quote(row, currency, source) for row in rows[:MAX_QUOTES] if isinstance(row, dict))
    found = {quote.symbol: quote for quote in reversed([quote for quote in quotes if quote])}
    if rows and not found:
        raise ParseError("this JSON holds no quote with a symbol, a price and a time")
    return tuple(reversed(found.values()))


def _quote(row: dict[str, Any], currency: str, source: str) -> Quote | None:
    symbol, name = row.get("symbol"), row.get("name")
    price, as_of = _number(row.get("current_price")), moment_of(row.get("last_updated"))
    if not isinstance(symbol, str) or not symbol.strip() or price is None or price < 0 or as_of is None:
        return None
    change = _number(row.get("price_change_percentage_24h_in_currency"))
    if change is None:
        change = _number(row.get("price_change_percentage_24h"))
    sparkline = row.get("sparkline_in_7d")
    prices = sparkline.get("price") if isinstance(sparkline, dict) else None
    history = [
        number for value in (prices if isinstance(prices, list) else []) if (number := _number(value)) is not None
    ]
    symbol = symbol.strip().upper()[:20]
    return Quote(
        symbol=symbol,
        name=" ".join(name.split())[:80] if isinstance(name, str) and name.strip() else symbol,
        price=price,
        as_of=as_of,
        change=change,
        history=tuple(history[-MAX_HISTORY:]),
        currency=currency,
        source=source,
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _complaint(answer: dict[str, Any]) -> str:
    """What the provider says is wrong: ``{"status": {"error_message": …}}`` or ``{"error": …}``."""
    status = answer.get("status")
    words = status.get("error_message") if isinstance(status, dict) else answer.get("error")
    return str(words or "something other than a list of quotes")
