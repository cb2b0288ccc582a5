"""Measure topics and ranking on labelled articles, with the code of the service: the second half of ``make evaluate``.

Topics are learned on four folds and named on the fifth, five times. The articles are in ``DIGEST_TEST_DATA`` (default:
``../shared/data``), folder ``curation``.
"""

import csv
import hashlib
import json
import math
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

from digest.curation.lab_rank import rank_by_record, rank_rows
from digest.curation.linear import macro_f1, train

FOLDER = Path(os.environ.get("DIGEST_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data") / "curation"
FOLDS = 5
LEAST_ITEMS = 25
"""Groups with fewer items are not counted, as in the data's own scorer."""


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lines(name: str) -> list[dict[str, Any]]:
    with (FOLDER / name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def fold_of(ident: str) -> int:
    return hashlib.sha256(ident.encode()).digest()[0] % FOLDS


def topics(name: str) -> tuple[float, float]:
    """Accuracy and macro-F1 over all five folds."""
    gold = {row["id"]: row["topic"] for row in table(f"gold/topics_{name}.csv")}
    rows = [(row["id"], str(row["text"])) for row in lines(f"topics_{name}.jsonl")]
    pairs: list[tuple[str, str]] = []
    for fold in range(FOLDS):
        model = train((text, gold[ident]) for ident, text in rows if fold_of(ident) != fold)
        asked = [(ident, text) for ident, text in rows if fold_of(ident) == fold]
        said = model.best(*(text for _, text in asked))
        pairs += [(gold[ident], topic) for (ident, _), topic in zip(asked, said, strict=True)]
    return mean(wanted == got for wanted, got in pairs), macro_f1(pairs)


def ndcg(gold: Iterable[Mapping[str, str]], scores: Mapping[str, float]) -> float:
    """NDCG@10 with gain log(1 + gain), the mean over groups."""
    groups: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in gold:
        groups[row["group"]].append((row["id"], float(row["gain"])))

    def tie(ident: str) -> str:
        return hashlib.sha1(ident.encode()).hexdigest()

    def worth(items: list[tuple[str, float]]) -> float:
        return sum(math.log1p(gain) / math.log2(place + 2) for place, (_, gain) in enumerate(items[:10]))

    found = []
    for items in groups.values():
        if len(items) >= LEAST_ITEMS and any(gain for _, gain in items):
            got = sorted(items, key=lambda item: (-scores.get(item[0], -math.inf), tie(item[0])))
            best = sorted(items, key=lambda item: (-item[1], tie(item[0])))
            found.append(worth(got) / worth(best))
    return mean(found)


def news() -> float:
    rows = [row | {"story": row["ref_story"]} for row in table("rank_gnews_stream.csv")]
    gold = table("gold/rank_gnews.csv")
    times = {row["group"]: _time(row["group"]) for row in gold}
    return ndcg(gold, dict(rank_rows(rows, times, timedelta(hours=24))))


def hacker_news() -> tuple[float, float]:
    """Learned from earlier days alone, and from all other days (ten folds of days)."""
    rows, gold = lines("rank_hn.jsonl"), table("gold/rank_hn.csv")
    gains = {row["id"]: float(row["gain"]) for row in gold}
    others: dict[str, float] = {}
    days = sorted({str(row["group"]) for row in rows})
    for fold in range(10):
        held = set(days[fold::10])
        asked = [row | {"group": ""} for row in rows if row["group"] in held]
        others |= dict(rank_by_record(asked, gains, [row for row in rows if row["group"] not in held]))
    return ndcg(gold, dict(rank_by_record(rows, gains))), ndcg(gold, others)


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def main() -> None:
    if not FOLDER.is_dir():
        sys.exit(f"no labelled articles at {FOLDER}: set DIGEST_TEST_DATA to the folder that has `curation`")
    print("measure                                     value   goal  baseline")
    print(f"topics, bbc, accuracy                       {topics('bbc')[0]:5.3f}   >= .955  .943", flush=True)
    print(f"topics, agnews, accuracy                    {topics('agnews')[0]:5.3f}   >= .885  .871", flush=True)
    print(f"topics, finance20, macro-F1                 {topics('finance20')[1]:5.3f}   >= .820  .793", flush=True)
    print(f"ranking, news stream, NDCG@10               {news():5.3f}   >= .600  .558", flush=True)
    earlier, others = hacker_news()
    print(f"ranking, Hacker News, from earlier days     {earlier:5.3f}   >= .650  .620")
    print(f"ranking, Hacker News, from all other days   {others:5.3f}   >= .650")


if __name__ == "__main__":
    main()
