"""Several workers as children of one process: started, started again when they die, and ended together.

One process of Python makes mails on one core only. The children are ordinary workers, safe beside each other by what
stands in the database; this process does none of the work and holds nothing that could be lost with it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from digest.cli.breaking_off import PATIENCE

TIED = "DIGEST_TIED"
"""Set in the environment of a child whose standard input is a pipe from its supervisor, see :func:`end_with_parent`."""

ALONE = {"DIGEST_DELIVERY_PROCESSES": "1"}
"""How many processes there are is said already: children call no helpers of their own, unless the operator says so."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a worker that died is started again; twice as many each time, until one has lived that long."""

LOOK_EVERY = 0.2

log = structlog.get_logger(__name__)


@dataclass
class _Place:
    """One worker's place: who stands in it, since when, and when it is filled again. Times are ``time.monotonic``'s."""

    child: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    start_at: float = 0.0
    pause: float = FIRST_PAUSE


class Crew:
    """So many children of one command.

    Args:
        command: what each child runs. It ends in good order by SIGTERM, within ``PATIENCE`` seconds.
        first_pause: see ``FIRST_PAUSE``.
        patience: seconds that children have to end before they are killed.
    """

    def __init__(
        self, command: Sequence[str], count: int, *, first_pause: float = FIRST_PAUSE, patience: float = PATIENCE + 0.5
    ) -> None:
        self._command, self._first_pause, self._patience = list(command), first_pause, patience
        self._places = [_Place(pause=first_pause) for _ in range(count)]

    def attend(self, done: threading.Event) -> None:
        """Keep every place filled until ``done``; then end all, within ten seconds, whatever they do."""
        try:
            while not done.is_set():
                for place in self._places:
                    self._fill(place)
                done.wait(LOOK_EVERY)
        finally:
            self._end()

    def _fill(self, place: _Place) -> None:
        now = time.monotonic()
        if place.child is not None and (code := place.child.poll()) is not None:
            if now - place.since >= LONGEST_PAUSE:
                place.pause = self._first_pause
            log.warning(
                "a worker ended by itself and is started again", pid=place.child.pid, exit=code, seconds=place.pause
            )
            _hang_up(place.child)
            place.child, place.start_at = None, now + place.pause
            place.pause = min(place.pause * 2, LONGEST_PAUSE)
        if place.child is None and now >= place.start_at:
            place.since = now
            try:
                place.child = subprocess.Popen(  # noqa: S603  (our own interpreter)
                    self._command, stdin=subprocess.PIPE, env={**ALONE, **os.environ, TIED: "1"}
                )
            except OSError as error:  # no memory, no more processes: the others go on
                log.warning("a worker can't be started", error=str(error), seconds=place.pause)
                place.start_at, place.pause = now + place.pause, min(place.pause * 2, LONGEST_PAUSE)

    def _end(self) -> None:
        children = [place.child for place in self._places if place.child is not None]
        for child in children:
            child.terminate()
        # Workers break off by themselves a moment earlier; a journal settles what was in the hands of one that can't.
        until = time.monotonic() + self._patience
        for child in children:
            try:
                child.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("a worker did not end in time and is killed", pid=child.pid)
                child.kill()
                child.wait()
            _hang_up(child)


def _hang_up(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    with contextlib.suppress(OSError):
        child.stdin.close()


def end_with_parent() -> None:
    """In a child: SIGTERM to ourselves when the supervisor is gone, even by SIGKILL, which it can't pass on."""
    if not os.environ.pop(TIED, ""):
        return

    def watch() -> None:
        # Not sys.stdin: its lock must not be held by a daemon thread when the interpreter ends.
        with contextlib.suppress(OSError):
            while os.read(0, 64):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def worker_command(concurrency: int) -> list[str]:
    """An ordinary worker, by the same interpreter."""
    return [sys.executable, "-m", "digest", "worker", "--concurrency", str(concurrency)]
