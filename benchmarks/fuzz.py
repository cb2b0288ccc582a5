"""Damaged feeds, pages, calendars … for as long as you like: nothing but a ParseError escapes, nothing hangs or swells.

    make fuzz                    # five minutes; SECONDS=3600 for an hour, SEED=7 for other damages
    python benchmarks/fuzz.py --again KEPT_FILE

Each reader runs in a process of its own under a limit of memory (``--megabytes``, 1,500 of address space). A document that raises something
else, takes over five seconds of processor time, or breaks the limit is kept under ``var/fuzz/`` and named; the exit code is 1.
"""

import argparse
import hashlib
import multiprocessing
import random
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from digest.errors import ParseError
from tests.feeds.mutate import Target, mutated, targets

SLOW = 5.0
"""Seconds of processor time for one document."""


def main() -> None:
    """Run, and say what was found."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--seconds", type=int, default=300)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--megabytes", type=int, default=1_500)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--keep", type=Path, default=Path("var/fuzz"))
    options.add_argument("--again", type=Path, help="read one kept document with the reader that its name says")
    given = options.parse_args()
    if given.again:
        name = given.again.name.rsplit(".", 2)[0].replace("_", " ")
        print(_outcome(next(target for target in targets() if target.name == name), given.again.read_bytes()))
        return
    given.keep.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    ends = time.time() + given.seconds
    workers = [context.Process(target=_work, args=(n, given, ends, results)) for n in range(given.workers)]
    for worker in workers:
        worker.start()
    tallies = [results.get(timeout=given.seconds + 120) for _ in workers]
    for worker in workers:
        worker.join()
    read, refused, bad = Counter[str](), Counter[str](), 0
    slowest: dict[str, float] = {}
    for tally in tallies:
        read += Counter(tally["read"])
        refused += Counter(tally["refused"])
        bad += tally["bad"]
        for name, seconds in tally["slowest"].items():
            slowest[name] = max(seconds, slowest.get(name, 0.0))
    print("| reader | documents | read | refused | slowest, s |\n|---|---|---|---|---|")
    for name in sorted(slowest):
        print(f"| {name} | {read[name] + refused[name]} | {read[name]} | {refused[name]} | {slowest[name]:.2f} |")
    peak = max(tally["peak"] for tally in tallies)
    print(
        f"\n{sum(read.values()) + sum(refused.values())} documents in {given.seconds} s, {bad} bad ones; peak {peak} MB a process"
    )
    sys.exit(1 if bad else 0)


def _work(
    number: int, given: argparse.Namespace, ends: float, results: "multiprocessing.Queue[dict[str, object]]"
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (given.megabytes * 1_000_000,) * 2)
    signal.signal(signal.SIGALRM, _too_long)
    chance = random.Random(f"{given.seed}/{number}")
    everything = targets()
    weights = [8 if target.name == "feed" else 4 if target.name == "article page" else 1 for target in everything]
    read, refused, slowest = Counter[str](), Counter[str](), dict.fromkeys((target.name for target in everything), 0.0)
    bad = 0
    while time.time() < ends:
        (target,) = chance.choices(everything, weights)
        body = mutated(chance.choice(target.seeds), chance, target.seeds)
        begin = time.process_time()
        signal.alarm(120)  # of the wall: a machine may be busy
        outcome = _outcome(target, body)
        signal.alarm(0)
        seconds = time.process_time() - begin
        slowest[target.name] = max(slowest[target.name], seconds)
        if seconds > SLOW and outcome in ("read", "refused"):
            outcome = f"took {seconds:.1f} s"
        if outcome == "read":
            read[target.name] += 1
        elif outcome == "refused":
            refused[target.name] += 1
        else:
            bad += 1
            file = given.keep / f"{target.name.replace(' ', '_')}.{hashlib.sha256(body).hexdigest()[:12]}.bin"
            file.write_bytes(body)
            print(f"{target.name}: {outcome}: kept as {file}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    results.put({"read": read, "refused": refused, "bad": bad, "slowest": slowest, "peak": peak})


def _outcome(target: Target, body: bytes) -> str:
    try:
        target.read(body)
    except ParseError as error:
        return "refused" if str(error).strip() else "refused without a reason"
    except BaseException as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
        return f"{type(error).__name__}: {error}"[:200]
    return "read"


def _too_long(*_: object) -> None:
    raise TimeoutError("it hangs")


if __name__ == "__main__":
    main()
