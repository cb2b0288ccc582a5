"""Killed at any moment and run again: everybody gets one copy, and the ledger adds up."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import command, environment

KILLS = 6


@pytest.mark.parametrize("seed", [11])
def test_a_job_that_is_killed_again_and_again_ends_with_one_copy_for_everybody(tmp_path: Path, seed: int) -> None:
    env, chance = environment(tmp_path), random.Random(seed)
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-m", "digest", "run", "--once"],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=chance.uniform(1.5, 6.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    done = command(env, "run", "--once", "--json")
    assert done.code == 0, done.err
    issue = next(row for row in done.json["issues"] if row["newsletter"] == "clearing-price")
    assert issue["state"] == "sent"
    assert issue["audience"] == issue["sent"] + issue["skipped"] == 12
    mails = list((tmp_path / "var" / "outbox" / "new").iterdir())
    recipients = [line for mail in mails for line in mail.read_text().splitlines() if line.startswith("To: ")]
    assert len(recipients) == len(set(recipients)) == issue["sent"]
