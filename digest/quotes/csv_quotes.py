"""Prices in a CSV file: one row a price, several rows of a symbol are its history."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from digest.domain.newsroom import Quote
from digest.errors import ParseError
from digest.quotes.moments import FRESH_FOR, moment_of

MAX_ROWS = 50_000
MAX_QUOTES = 250
MAX_HISTORY = 400
HISTORY = timedelta(days=7)
CLOSE_STANDS = timedelta(days=4)
"""A price that names a day but no hour is a close: it stands over a weekend with a holiday."""

_COLUMNS = {
    "symbol": ("symbol", "ticker", "code"),
    "name": ("name", "title"),
    "price": ("price", "close", "last", "rate", "value"),
    "as_of": ("as_of", "asof", "timestamp", "datetime", "date"),
    "time": ("time",),
    "change": ("change", "change_percent", "change_24h", "percent"),
    "currency": ("currency",),
}
_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}")


class CsvQuotes:
    """Reads files with a header line: ``symbol,price,as_of`` and, where known, ``name,change,currency``.

    Commas, semicolons or tabs; with semicolons a comma may be the decimal point. ``close``, ``last`` and ``date``,
    ``time`` (as Stooq writes them) are understood. A time without a zone is UTC. The change over 24 hours is the
    file's, or reckoned from a row of 23 to 25 hours before; else there is none.
    """

    accept = "text/csv, text/plain;q=0.9, */*;q=0.1"

    def read(self, body: bytes, content_type: str, url: str, source: str) -> tuple[Quote, ...]:
        """See ``QuoteProvider``."""
        text = body.decode("utf-8-sig", "replace").lstrip("\r\n ")
        head = text.partition("\n")[0]
        if head.lstrip().startswith(("<", "{", "[")):
            raise ParseError("these quotes are no CSV file")
        delimiter = max(",;\t", key=head.count)
        try:
            rows = csv.DictReader(io.StringIO(text), delimiter=delimiter)
            columns = _columns([name or "" for name in rows.fieldnames or ()])
            by_symbol = _by_symbol(rows, columns, decimal_comma=delimiter == ";")
        except csv.Error as error:
            raise ParseError(f"these quotes are no CSV file ({error})") from None
        if not by_symbol:
            raise ParseError("this CSV file holds no row with a symbol, a price and a time")
        return tuple(_quote(found, source) for found in list(by_symbol.values())[:MAX_QUOTES])


class _Price:
    """One row."""

    __slots__ = ("as_of", "change", "currency", "is_close", "name", "price", "symbol")

    def __init__(self, symbol: str, price: float, as_of: datetime, is_close: bool, row: Mapping[str, str]) -> None:
        self.symbol, self.price, self.as_of, self.is_close = symbol, price, as_of, is_close
        self.name, self.currency = row["name"], row["currency"]
        self.change = _number(row["change"].rstrip("% "), "," in row["change"] and "." not in row["change"])


def _columns(header: Sequence[str]) -> dict[str, str]:
    """Our names to the file's.

    Raises:
        ParseError: what is needed is not there.
    """
    known = {re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_"): name for name in header}
    columns = {
        ours: known[name] for ours, names in _COLUMNS.items() if (name := next((n for n in names if n in known), ""))
    }
    if lacks := [name for name in ("symbol", "price", "as_of") if name not in columns]:
        shown = ", ".join(name.strip()[:30] for name in header[:12]) or "nothing"
        raise ParseError(f"this CSV file has no column {' or '.join(lacks)}; its first line says: {shown}"[:400])
    return columns


def _by_symbol(
    rows: "csv.DictReader[str]", columns: Mapping[str, str], *, decimal_comma: bool
) -> dict[str, list[_Price]]:
    found: dict[str, list[_Price]] = {}
    for number, raw in enumerate(rows):
        if number >= MAX_ROWS:
            raise ParseError(f"this CSV file has more than {MAX_ROWS} rows")
        row = {name: str(raw.get(columns.get(name, "")) or "").strip() for name in _COLUMNS}
        price, (as_of, is_close) = _number(row["price"], decimal_comma), _moment(row["as_of"], row["time"])
        symbol = " ".join(row["symbol"].split()).upper()[:20]
        if symbol and price is not None and price >= 0 and as_of is not None:
            found.setdefault(symbol, []).append(_Price(symbol, price, as_of, is_close, row))
    return found


def _quote(rows: list[_Price], source: str) -> Quote:
    rows = sorted(rows, key=lambda row: row.as_of)
    last = rows[-1]
    week = [row.price for row in rows if row.as_of > last.as_of - HISTORY]
    name = " ".join(last.name.split())[:80] or last.symbol
    return Quote(
        symbol=last.symbol,
        name=name,
        price=last.price,
        as_of=last.as_of,
        change=last.change if last.change is not None else _change(rows),
        history=tuple(week[-MAX_HISTORY:]) if len(week) > 1 else (),
        currency=last.currency.upper()[:8] or "USD",
        source=source,
        fresh_for=CLOSE_STANDS if last.is_close else FRESH_FOR,
    )


def _change(rows: Sequence[_Price]) -> float | None:
    """Per cent from the row of a day before, if there is one."""
    last = rows[-1]
    ages = ((abs(last.as_of - row.as_of - timedelta(days=1)), row.price) for row in rows[:-1])
    gap, before = min(ages, default=(timedelta(days=9), 0.0))
    return (last.price / before - 1) * 100 if gap <= timedelta(hours=1) and before > 0 else None


def _moment(day: str, time: str) -> tuple[datetime | None, bool]:
    """When a price was one; and whether only the day is said."""
    if _DAY.fullmatch(day):
        return (moment_of(f"{day}T{time}"), False) if time else (moment_of(day), True)
    if day.isdecimal() and len(day) in (10, 13):
        return _of_seconds(int(day) / (1000 if len(day) == 13 else 1)), False
    return moment_of(day), False


def _of_seconds(seconds: float) -> datetime | None:
    """Seconds since 1970 as aware UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _number(text: str, decimal_comma: bool) -> float | None:
    text = text.replace(" ", "").replace("\u00a0", "").replace("\u202f", "")
    text = text.replace(".", "").replace(",", ".") if decimal_comma and "," in text else text.replace(",", "")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
