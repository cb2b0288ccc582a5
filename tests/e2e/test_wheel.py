"""The wheel carries all that the job needs: templates, default settings, the sample newsroom."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.cli.conftest import ROOT, environment


def test_the_wheel_alone_does_the_whole_job_in_an_empty_folder(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    wheel = next(tmp_path.glob("*.whl"))
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    empty = tmp_path / "empty"
    empty.mkdir()
    env = {**environment(empty), "PYTHONPATH": str(tmp_path / "installed"), "PYTHONSAFEPATH": "1"}
    code = "import digest, sys; sys.stderr.write(digest.__file__); from digest.cli import main; main(['run', '--once', '--json'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=empty, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "installed") in done.stderr
    assert len(list((empty / "var" / "outbox" / "new").iterdir())) == 12
