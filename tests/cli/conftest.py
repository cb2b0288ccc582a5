"""The command line in processes of its own, as its users run it."""

import io
import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from digest.cli import main

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


def command(env: dict[str, str], *args: str) -> Result:
    """Run one ``digest`` command to its end, within this process: a new one would spend its time on imports."""
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("DIGEST_")]:
            patch.delenv(name)
        for name, value in env.items():
            if name.startswith("DIGEST_"):
                patch.setenv(name, value)
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as ended:
            main(list(args))
    out.flush()
    code = ended.value.code
    return Result(code if isinstance(code, int) else 0, out.buffer.getvalue().decode(), err.getvalue())  # type: ignore[attr-defined]


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
