"""The whole message before strangers' judges: SpamAssassin, and a checker of mail's rules."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import shared_data
from tests.judged.conftest import missing
from tests.judged.mails import Mail, written

pytestmark = pytest.mark.xdist_group("judged")


def shared_tool(name: str) -> Path:
    """A checker that lies beside the data of ``DIGEST_TEST_DATA``; skips where there is none."""
    data = shared_data()
    tool = data.parent / "tools" / name if data else Path(name)
    if not tool.is_file():
        pytest.skip(f"{name} is not on this machine")
    return tool


@pytest.mark.parametrize("name", ["sample", "every block", "right to left"])
def test_spamassassin_finds_little_to_dislike(mails: dict[str, Mail], name: str, tmp_path: Path) -> None:
    if shutil.which("spamassassin") is None:
        missing("spamassassin")
    done = subprocess.run(
        ["spamassassin", "-L", "-t"],
        input=mails[name].data, capture_output=True, timeout=60, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    report = done.stdout.decode(errors="replace")
    score = re.search(r"^Content analysis details:\s+\((-?[\d.]+) points", report, re.M)
    assert score, done.stderr
    assert float(score[1]) <= 0.5, report[score.start() :]


def test_the_checker_of_mails_rules_fails_none(mails: dict[str, Mail], tmp_path: Path) -> None:
    tool = shared_tool("check_eml.py")
    for address in {mail.postal_address for mail in mails.values()}:
        chosen = {name: mail for name, mail in mails.items() if mail.postal_address == address}
        files = written(chosen, tmp_path, "eml").values()
        done = subprocess.run(
            [sys.executable, tool, "--no-dkim", "--address", address, *files],
            capture_output=True,
            text=True,
            timeout=120,
        )
        failed = [line for line in done.stdout.splitlines() if line.startswith(("FAIL", "# "))]
        assert (done.returncode, len(chosen), [line for line in failed if line.startswith("FAIL")]) == (
            0,
            len(chosen),
            [],
        ), failed
