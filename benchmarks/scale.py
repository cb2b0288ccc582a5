"""What grouping costs: CPU seconds and peak memory for 10,000 and 100,000 headlines of one window.

The stream: real headlines where ``DIGEST_TEST_DATA`` has them, each used several times with other words in it,
spread over 72 hours. Use: ``python benchmarks/scale.py [--stored [--texts]] [COUNT …]``; every count runs in a process
of its own.

``--stored``: as the desk does it, three times in one process, from reading the articles from SQLite to noting every
story: the first time all stories are new, then nothing changes, then each tenth article has left its story.
``--texts`` gives each article 4,000 characters of text and 300 of summary, as those of a feed with whole articles have.
"""

import csv
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

START = datetime(2026, 3, 10, tzinfo=UTC)


def headlines(count: int) -> list[tuple[str, str]]:
    """So many titles with their outlets: in every round each real title loses or swaps a few words."""
    folder = Path(os.environ.get("DIGEST_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
    path = folder / "curation" / "rank_gnews_stream.csv"
    if not path.is_file():
        sys.exit(f"no headlines at {path}: set DIGEST_TEST_DATA")
    with path.open(encoding="utf-8", newline="") as file:
        real = [(row["title"], row["source"]) for row in csv.DictReader(file)]
    chance = random.Random(4)
    vocabulary = sorted({word for title, _ in real for word in title.split()})
    made = []
    for number in range(count):
        title, source = real[number % len(real)]
        words = title.split()
        for _ in range(max(1, len(words) // 4) if number >= len(real) else 0):
            words[chance.randrange(len(words))] = chance.choice(vocabulary)
        made.append((" ".join(words), source))
    return made


def measure(count: int) -> None:
    from digest.curation.group import group
    from digest.domain.content import Candidate

    candidates = [
        Candidate(number, title, f"https://news.example/{number}", source, START + timedelta(hours=72 * number / count))
        for number, (title, source) in enumerate(headlines(count))
    ]
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.process_time()
    stories = group(candidates)
    spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} {spent:.2f} {before:.0f} {peak:.0f} {len(stories)}")


def fill(url: str, count: int, *, texts: bool) -> None:
    """A database with so many articles of 100 feeds."""
    from sqlalchemy import insert

    from digest.store.database import Database
    from digest.store.migrate import migrate
    from digest.store.tables import Article, Feed

    db = Database(url)
    migrate(db)
    made = headlines(count)
    # Words at random: every text is its own, and none is a copy of another.
    chance, vocabulary = random.Random(5), [f"w{word}" for word in range(50_000)]
    with db.write() as session:
        session.execute(insert(Feed), [{"url": f"https://n{n}.example/feed", "name": f"N{n}"} for n in range(100)])
    for start in range(0, count, 10_000):
        rows: list[dict[str, Any]] = []
        for number in range(start, min(count, start + 10_000)):
            title, source = made[number]
            at = START + timedelta(hours=72 * number / count)
            text = " ".join(chance.choices(vocabulary, k=650))[:4000] if texts else ""
            rows.append(
                {"url": f"https://news.example/{number}", "title": title, "source": source, "published_at": at,
                 "first_seen_at": at, "feed_id": 1 + number % 100, "text": text, "summary": text[:300]}
            )  # fmt: skip
        with db.write() as session:
            session.execute(insert(Article), rows)
    db.close()


def measure_stored(url: str, count: int) -> None:
    from sqlalchemy import text

    from digest.store.database import Database
    from digest.workflows.context import Context
    from digest.workflows.stories import regroup

    db = Database(url)
    now = START + timedelta(hours=72) - timedelta(seconds=1)
    ctx = cast(Context, cast(Any, SimpleNamespace(db=db, clock=lambda: now, sentences=None)))
    for run in ("new", "known", "a tenth moved"):
        if run == "a tenth moved":
            with db.write() as session:
                session.execute(text("UPDATE article SET story_id = NULL WHERE id % 10 = 0"))
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.process_time()
        stories = regroup(ctx)
        spent = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{count:9,}  {run:13}  {spent:5.2f}  {peak:7.0f} ({before:.0f})     {stories:,}", flush=True)


def in_a_process(call: str) -> str:
    """What a call of this file prints, made in a process of its own."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import scale; scale.{call}"
    return subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> None:
    counts = [int(value) for value in sys.argv[1:] if value.isdigit()] or [10_000, 100_000]
    if "--stored" in sys.argv:
        stored(counts, texts="--texts" in sys.argv)
        return
    print("headlines  CPU s  ratio  peak MB (before)  stories")
    first = 0.0
    for count in counts:
        done = in_a_process(f"measure({count})").split()
        spent = float(done[1])
        first = first or spent
        print(f"{count:9,}  {spent:5.2f}  {spent / first:5.1f}  {done[3]:>7} ({done[2]})      {int(done[4]):,}")


def stored(counts: list[int], *, texts: bool) -> None:
    """Print what grouping costs from the database and back."""
    print("headlines  stories are    CPU s  peak MB (before)  stories")
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/news.db"
            in_a_process(f"fill({url!r}, {count}, texts={texts})")
            print(in_a_process(f"measure_stored({url!r}, {count})"), end="")


if __name__ == "__main__":
    main()
