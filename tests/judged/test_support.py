"""What mail clients support, by the data of caniemail.com: a ratchet that only turns one way."""

import json
import os
import subprocess
import warnings
from pathlib import Path

import pytest

from tests.judged.conftest import TOOLS
from tests.judged.mails import Mail, written

pytestmark = pytest.mark.xdist_group("judged")

RATCHET = TOOLS / "caniemail.json"
"""Features that a client of Gmail, Outlook or Apple Mail does not know, and that the mail uses all the same."""


def test_no_feature_is_used_that_is_newly_unsupported(
    node_tools: Path, mails: dict[str, Mail], notices: dict[str, Mail], tmp_path: Path
) -> None:
    files = written({**mails, **notices}, tmp_path, "html").values()
    done = subprocess.run(
        ["node", TOOLS / "caniemail.mjs", *files], capture_output=True, text=True, timeout=120, check=True
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    if os.environ.get("DIGEST_WRITE_RATCHET"):
        RATCHET.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    kept: dict[str, list[str]] = json.loads(RATCHET.read_text())
    new = {name: sorted(set(clients) - set(kept.get(name, ()))) for name, clients in found.items()}
    assert {name: clients for name, clients in new.items() if clients} == {}
    gone = {name: sorted(set(clients) - set(found.get(name, ()))) for name, clients in kept.items()}
    if gone := {name: clients for name, clients in gone.items() if clients}:
        warnings.warn(f"better than the ratchet; tighten it with DIGEST_WRITE_RATCHET=1: {gone}", stacklevel=1)
