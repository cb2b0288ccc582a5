"""A process that dies is known to be dead at once; one that lives is left alone."""

import signal
import subprocess
import sys
from pathlib import Path

from digest.engine.presence import Presence, departed

HOLD = "import sys, pathlib; from digest.engine.presence import Presence; p = Presence(pathlib.Path(sys.argv[1])); print(p.name, flush=True); sys.stdin.read()"


def test_a_process_that_was_killed_has_departed_and_is_told_once(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert list(departed(tmp_path)) == []
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert list(departed(tmp_path)) == [name]
    assert list(departed(tmp_path)) == []


def test_a_process_that_closed_in_good_order_leaves_nothing(tmp_path: Path) -> None:
    with Presence(tmp_path) as here:
        assert list(departed(tmp_path)) == []
        assert here.name
    assert list(departed(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []
