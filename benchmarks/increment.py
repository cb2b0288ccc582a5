"""What an hour's new articles cost: grouped beside 50,000 known ones, and beside those of their window alone.

Two databases get the same last 72 hours (5,000 articles) and the same new hour; one of them also has the 27 days before.
Both are grouped as the desk and the drafts do it, from reading the articles to noting their stories. Use:
``python benchmarks/increment.py [ROUNDS]``. Limit: 1.5.
"""

import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any, cast

from scale import START, headlines
from sqlalchemy import insert

from digest.store.database import Database
from digest.store.migrate import migrate
from digest.store.tables import Article, Feed
from digest.workflows.context import Context
from digest.workflows.stories import regroup

KNOWN, DAYS, LIMIT = 50_000, 30, 1.5
STEP = timedelta(days=DAYS) / KNOWN
HOUR = round(timedelta(hours=1) / STEP)


def house(folder: Path, made: list[tuple[str, str]], since: int) -> tuple[Database, int]:
    """A database with the articles from number ``since`` to 50,000, and its feed."""
    db = Database(f"sqlite:///{folder}/{since}.db")
    migrate(db)
    with db.write() as session:
        feed = Feed(url="https://news.example/feed", name="News")
        session.add(feed)
        session.flush()
        ident = feed.id or 0
    add(db, ident, made, since, KNOWN)
    return db, ident


def add(db: Database, feed: int, made: list[tuple[str, str]], first: int, last: int) -> None:
    """Articles of these numbers, each a little later than the one before."""
    rows = [
        {"url": f"https://news.example/{n}", "title": made[n][0], "source": made[n][1], "feed_id": feed,
         "published_at": START + n * STEP, "first_seen_at": START + n * STEP}
        for n in range(first, last)
    ]  # fmt: skip
    with db.write() as session:
        session.execute(insert(Article), rows)


def cost(db: Database, number: int) -> float:
    """CPU seconds of a run at the time of that article."""
    ctx = cast(Context, cast(Any, SimpleNamespace(db=db, clock=lambda: START + number * STEP, sentences=None)))
    began = time.process_time()
    regroup(ctx)
    return time.process_time() - began


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    made = headlines(KNOWN + (rounds + 1) * HOUR)
    with tempfile.TemporaryDirectory() as name:
        recent = round(timedelta(hours=72) / STEP)
        houses = [house(Path(name), made, 0), house(Path(name), made, KNOWN - recent)]
        spent: list[list[float]] = [[], []]
        for number in range(KNOWN, KNOWN + (rounds + 1) * HOUR, HOUR):
            for place, (db, feed) in enumerate(houses):
                add(db, feed, made, number, number + HOUR)
                spent[place].append(cost(db, number + HOUR))
    whole, alone = (median(found[1:]) for found in spent)  # the first run groups everything anew
    ratio = whole / alone
    print(f"one hour, {HOUR} articles, median of {rounds} runs")
    print(f"beside {KNOWN:,} known articles   {whole:.3f} CPU s")
    print(f"beside its window, {recent:,}      {alone:.3f} CPU s")
    print(f"ratio {ratio:.2f} (limit {LIMIT})")
    sys.exit(ratio > LIMIT)


if __name__ == "__main__":
    main()
