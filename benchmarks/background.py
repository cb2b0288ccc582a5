"""Count in how many headlines every term stands, and write ``digest/curation/background.tsv``.

Only counts are kept, and only of terms that stand in at least five headlines: no headline can be read from them.
Use: ``python benchmarks/background.py HEADLINES.csv`` (a column ``title``). Give it recent headlines of any source.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

from digest.curation.text import terms

LEAST = 5


def main() -> None:
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)]
    spread = Counter(term for title in titles for term in set(terms(title)))
    kept = sorted((term, count) for term, count in spread.items() if count >= LEAST)
    out = Path(__file__).parents[1] / "digest" / "curation" / "background.tsv"
    out.write_text(f"{len(titles)}\n" + "".join(f"{term}\t{count}\n" for term, count in kept), encoding="utf-8")
    print(f"{len(kept)} terms of {len(titles)} headlines, {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
