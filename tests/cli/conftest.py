"""The command line in processes of its own, as its users run it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """A clean environment whose data lies in ``folder``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
    fixed = {"DIGEST_VAR": str(folder / "var"), "DIGEST_SAMPLE_PORT": str(free_port()), "DIGEST_PORT": str(free_port())}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        **fixed,
        **{f"DIGEST_{name.upper()}": value for name, value in settings.items()},
    }


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def command(env: dict[str, str], *args: str, cwd: Path | None = None) -> Result:
    """Run one ``digest`` command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "digest", *args], env=env, cwd=cwd, capture_output=True, text=True, timeout=120
    )
    return Result(done.returncode, done.stdout, done.stderr)


Run = Callable[..., Result]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Commands on a folder in which the sample's job was done once."""
    env = environment(tmp_path_factory.mktemp("cli"))
    done = command(env, "run", "--once", "--json")
    assert done.code == 0, done.err
    return lambda *args: command(env, *args)


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[..., Run]:
    """Commands on an empty folder, with settings of their own."""

    def with_settings(**settings: str) -> Run:
        env = environment(tmp_path, **settings)
        return lambda *args: command(env, *args)

    return with_settings
