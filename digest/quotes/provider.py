"""Who brings market prices: the Protocol, and the providers by name."""

import re
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any, Protocol, cast

from digest.domain.newsroom import Quote
from digest.errors import ConfigError, ParseError

NAMES = ("coingecko", "csv")
_PLUG_IN = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*)")


class QuoteProvider(Protocol):
    """Reads the answers of one kind of price service; it fetches nothing itself.

    Attributes:
        accept: the Accept header of the request.
    """

    accept: str

    def read(self, body: bytes, content_type: str, url: str, source: str) -> tuple[Quote, ...]:
        """The quotes of an answer, each with the time of its price (``as_of``) and how long it may stand for the
        market (``fresh_for``). What has no price or no time is left out.

        Args:
            source: the provider's name, as readers will see it.

        Raises:
            ParseError: the answer holds no quotes; says why, in the provider's own words if it gives any.
        """
        ...


def open_provider(name: str) -> QuoteProvider:
    """The provider of that name, or your own: ``package.module:Class``.

    Raises:
        ConfigError: there is no such provider.
    """
    match name:
        case "" | "coingecko":
            from digest.quotes.coingecko import CoinGecko

            return CoinGecko()
        case "csv":
            from digest.quotes.csv_quotes import CsvQuotes

            return CsvQuotes()
    plug_in = _PLUG_IN.fullmatch(name)
    if plug_in is None:
        raise ConfigError(f"{name!r} is no provider of quotes: use {', '.join(NAMES)} or package.module:Class")
    try:
        provider: Any = getattr(import_module(plug_in["module"]), plug_in["name"])()
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigError(f"the provider of quotes {name} can't be loaded: {error}") from None
    if missing := [part for part in ("accept", "read") if not hasattr(provider, part)]:
        raise ConfigError(f"{name} is no provider of quotes: it lacks {', '.join(missing)}")
    return cast(QuoteProvider, provider)


def read_quotes(
    provider: str, body: bytes, content_type: str, url: str, *, source: str, fresh_hours: int = 0
) -> tuple[Quote, ...]:
    """The quotes of an answer by the provider of that name.

    Args:
        fresh_hours: how old the prices may be; 0 leaves it to the provider.

    Raises:
        ConfigError, ParseError: as above. A provider of your own that fails otherwise is named.
    """
    reader = open_provider(provider)
    try:
        found = tuple(reader.read(body, content_type, url, source))
    except ParseError:
        raise
    except Exception as error:
        if provider in NAMES:
            raise
        raise ParseError(f"the provider {provider} failed ({type(error).__name__}: {error})"[:300]) from error
    return tuple(replace(each, fresh_for=timedelta(hours=fresh_hours)) for each in found) if fresh_hours else found
