"""Market quotes: the newest of each symbol."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import Session, col, select

from digest.domain.newsroom import Quote
from digest.store.tables import QuoteRow

_QUOTE: TypeAdapter[Quote] = TypeAdapter(Quote)


def save(session: Session, quotes: Sequence[Quote]) -> int:
    """Keep quotes, in the order given; one that is older than what we have changes nothing.

    Returns:
        how many were newer than what we had.
    """
    known = {row.symbol: row for row in session.exec(select(QuoteRow))}
    changed = 0
    for position, quote in enumerate(quotes):
        row = known.get(quote.symbol)
        if row is not None and row.as_of > quote.as_of:
            continue
        spec: dict[str, Any] = _QUOTE.dump_python(quote, mode="json")
        if row is None:
            row = known[quote.symbol] = QuoteRow(symbol=quote.symbol, as_of=quote.as_of, spec=spec)
            changed += 1
        elif row.as_of < quote.as_of:
            changed += 1
        row.position, row.spec, row.as_of = position, spec, quote.as_of
        session.add(row)
    return changed


def latest(session: Session) -> tuple[Quote, ...]:
    """The newest quote of every symbol, in the provider's order. Whether it is stale is for the caller to judge."""
    rows = session.exec(select(QuoteRow).order_by(col(QuoteRow.position), col(QuoteRow.symbol)))
    return tuple(_QUOTE.validate_python(row.spec) for row in rows)
