"""Quotes in the database."""

from dataclasses import replace
from datetime import timedelta

from digest.domain.newsroom import Quote
from digest.store import quotes
from digest.store.database import Database
from tests.conftest import NOW

BTC = Quote("BTC", "Bitcoin", 70000.5, NOW, 2.5, (1.0, 2.0), "USD", "CoinGecko")
ETH = Quote("ETH", "Ether", 2000.25, NOW)


def test_quotes_come_back_as_they_were_in_the_providers_order(db: Database) -> None:
    with db.write() as session:
        assert quotes.save(session, [ETH, BTC]) == 2
    with db.read() as session:
        assert quotes.latest(session) == (ETH, BTC)


def test_only_a_newer_quote_replaces_an_older_one(db: Database) -> None:
    with db.write() as session:
        quotes.save(session, [BTC])
    with db.write() as session:
        assert quotes.save(session, [replace(BTC, price=1.0, as_of=NOW - timedelta(hours=1))]) == 0
    newer = replace(BTC, price=2.0, as_of=NOW + timedelta(hours=1))
    with db.write() as session:
        assert quotes.save(session, [newer]) == 1
    with db.read() as session:
        assert quotes.latest(session) == (newer,)
