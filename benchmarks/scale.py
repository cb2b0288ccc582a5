"""What grouping costs: CPU seconds and peak memory for 10,000 and 100,000 headlines of one window.

The stream: real headlines where ``DIGEST_TEST_DATA`` has them, each used several times with other words in it,
spread over 72 hours. Use: ``python benchmarks/scale.py [COUNT …]``; every count runs in a process of its own.
"""

import csv
import os
import random
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

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


def main() -> None:
    counts = [int(value) for value in sys.argv[1:]] or [10_000, 100_000]
    print("headlines  CPU s  ratio  peak MB (before)  stories")
    first = 0.0
    for count in counts:
        code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import scale; scale.measure({count})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        spent = float(done[1])
        first = first or spent
        print(f"{count:9,}  {spent:5.2f}  {spent / first:5.1f}  {done[3]:>7} ({done[2]})      {int(done[4]):,}")


if __name__ == "__main__":
    main()
