"""How long `digest --help` takes, beside a bare `python -c pass` in the same run.

    python benchmarks/startup.py [RUNS]

The two run in turn; printed are the medians of their CPU seconds and of the ratios pair by pair. Limit: 6.
"""

import os
import statistics
import subprocess
import sys
import time


def cpu(command: list[str]) -> float:
    """CPU seconds of one run of a command, as the operating system accounts for its children."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def wall(command: list[str]) -> float:
    """Wall seconds of one run of a command."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Run the pairs and print one table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    bare, helped = [sys.executable, "-c", "pass"], [sys.executable, "-m", "digest", "--help"]
    for measure in (wall, cpu):
        pairs = [(measure(bare), measure(helped)) for _ in range(runs)]
        ratios = [b / a for a, b in pairs if a > 0]
        print(
            f"{measure.__name__:<5} python -c pass {statistics.median(a for a, _ in pairs) * 1000:7.1f} ms   "
            f"digest --help {statistics.median(b for _, b in pairs) * 1000:7.1f} ms   "
            f"ratio {statistics.median(ratios):.2f} (limit 6, {len(ratios)} pairs)"
        )


if __name__ == "__main__":
    main()
