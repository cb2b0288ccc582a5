"""Market prices in the shape of CoinGecko's ``/coins/markets``. The same asset, anchor and time give the same price."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from digest.sample.articles import read_toml


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset at the anchor.

    Attributes:
        price: dollars at the anchor.
        change: per cent over the 24 hours before it.
        week: per cent over the 7 days before it.
        drift: per cent that it gains over the 24 hours after it, and keeps.
        supply: coins in circulation.
    """

    id: str
    symbol: str
    name: str
    price: float
    change: float
    week: float
    drift: float
    supply: float

    def price_at(self, hours: float) -> float:
        """The price ``hours`` after the anchor (before it, if negative)."""
        return self.price * math.exp(self._trend(hours) + self._noise(hours))

    def _trend(self, hours: float) -> float:
        day, week = math.log1p(self.change / 100), math.log1p(self.week / 100)
        if hours >= 0:
            return math.log1p(self.drift / 100) * min(hours / 24, 1)
        if hours >= -24:
            return day * hours / 24
        return -day - (week - day) * (-hours - 24) / 144

    def _noise(self, hours: float) -> float:
        """Waves of a day's period and its parts: zero at the anchor and a day and a week before it."""
        seed = sha256(self.id.encode()).digest()
        waves = (
            (seed[n] / 255 - 0.5) * math.sin(2 * math.pi * hours * turns / 24)
            for n, turns in enumerate((1, 2, 3, 5, 7, 11))
        )
        slow = (0.4 + seed[7] / 255) * math.sin(2 * math.pi * hours * (1 + seed[6] % 3) / 168)
        return 0.006 * sum(waves) + 0.012 * slow * math.sin(math.pi * hours / 24) ** 2


def load_market(folder: Path) -> tuple[Asset, ...]:
    """The assets in ``folder/served/market.toml``.

    Raises:
        ConfigError: the file can't be read.
    """
    document = read_toml(folder / "served" / "market.toml")
    assets = []
    for table in document.tables("assets"):
        assets.append(
            Asset(
                id=table.text("id"),
                symbol=table.text("symbol"),
                name=table.text("name"),
                price=table.number("price"),
                change=table.number("change"),
                week=table.number("week"),
                drift=table.number("drift", 0.0),
                supply=table.number("supply"),
            )
        )
        table.done()
    document.done()
    return tuple(assets)


def quotes(assets: Sequence[Asset], anchor: datetime, now: datetime) -> bytes:
    """The JSON document at ``now``, with prices of the last minute and a sparkline of the last 168 hours."""
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    hours = (minute - anchor) / timedelta(hours=1)
    return (json.dumps([_row(asset, hours, minute) for asset in assets], indent=1) + "\n").encode()


def _row(asset: Asset, hours: float, minute: datetime) -> dict[str, object]:
    price, before = asset.price_at(hours), asset.price_at(hours - 24)
    day = [asset.price_at(hours - step) for step in range(25)]
    return {
        "id": asset.id,
        "symbol": asset.symbol.lower(),
        "name": asset.name,
        "current_price": _money(price),
        "market_cap": round(price * asset.supply),
        "high_24h": _money(max(day)),
        "low_24h": _money(min(day)),
        "price_change_24h": _money(price - before),
        "price_change_percentage_24h": round(100 * (price / before - 1), 5),
        "last_updated": minute.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "sparkline_in_7d": {"price": [_money(asset.price_at(hours - step)) for step in range(167, -1, -1)]},
    }


def _money(value: float) -> float:
    return round(value, 2) if abs(value) >= 10 else round(value, 5)
