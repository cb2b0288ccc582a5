"""Processes beside a worker that hand out the same issue: one process of Python makes mails on one core only.

A helper is a worker like any other, with a journal of its own, safe beside others by what stands in the database. It is
called before the ledger is written, and makes itself ready meanwhile. Then it waits for a line, and gives up when its
input is closed, so that none outlives its caller, however that ends. It says, a line of JSON each, how many rows it has
settled since the last line, and at the end what it did.
"""

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from digest.engine.nursery import Child

Start = Callable[[int, int], Child]
"""Issue, connections."""

WORTHWHILE = 10_000
"""Readers from which on a helper is soon made up for: its start, and what is prepared for an issue."""

LEAST_CONNECTIONS = 2
"""Of a process: over one alone it would wait for the server more than it works."""

_LOOK_EVERY: Final = 0.2
"""Seconds between two questions whether to stop."""


def processes() -> int:
    """How many processes may hand out an issue where nobody says so: one for each core, but not more than four."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 4)


@dataclass(frozen=True)
class Helpers:
    """Whom a worker may call.

    Attributes:
        start: starts a helper for an issue with so many connections; None if there are none.
        most: processes that may hand out an issue, the caller included.
        worthwhile: readers that must be due.
    """

    start: Start | None = None
    most: int = 1
    worthwhile: int = WORTHWHILE

    def call(self, issue_id: int, connections: int, stop: Callable[[], bool]) -> "Team":
        """Start as many as these connections are enough for."""
        count = max(1, min(self.most, connections // LEAST_CONNECTIONS)) if self.start else 1
        own, *shares = (connections // count + (place < connections % count) for place in range(count))
        helpers = []
        for share in shares:
            assert self.start is not None
            try:
                helpers.append(_Helper(self.start(issue_id, share)))
            except OSError:  # no room for another process: the caller does its part
                own += share
        return Team(helpers, own, stop)


def by_command(command: Sequence[str]) -> Start:
    """Helpers that are programs: the issue's id and the number of connections are put behind the command."""

    def start(issue_id: int, connections: int) -> Child:
        process = subprocess.Popen(  # noqa: S603  (our own interpreter)
            [*command, str(issue_id), str(connections)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        return Child(process.pid, process.stdin, process.stdout, process.wait, process.kill)

    return start


class Team:
    """The helpers that were called for one issue, and what they did so far. Use it as a context: afterwards they are gone.

    Attributes:
        connections: that are left to the caller.
    """

    def __init__(self, helpers: Sequence["_Helper"], connections: int, stop: Callable[[], bool]) -> None:
        self.connections = connections
        self._helpers, self._stop = helpers, stop

    def begin(self, settled: Callable[[int], None]) -> None:
        """The ledger is written: let them go.

        Args:
            settled: called with how many rows were settled since it was called before, from several threads.
        """
        for helper in self._helpers:
            helper.begin(settled)

    def stop(self) -> bool:
        """Whether to stop. To be asked often: then the helpers are told too."""
        if stops := self._stop():
            self._dismiss()
        return stops

    def finish(self) -> list[dict[str, Any] | None]:
        """Wait until they have ended; what each says that it did, None if it died over it.

        What that one had in hand is in its journal.
        """
        for helper in self._helpers:
            while not helper.has_ended(_LOOK_EVERY):
                self.stop()
        return [helper.report for helper in self._helpers]

    def __enter__(self) -> "Team":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dismiss()
        for helper in self._helpers:
            helper.close()

    def _dismiss(self) -> None:
        for helper in self._helpers:
            helper.dismiss()


class _Helper:
    """One process, as its caller sees it."""

    def __init__(self, child: Child) -> None:
        _, self._to, self._from, self._wait, _ = child
        self._settled: Callable[[int], None] = lambda _: None
        self.report: dict[str, Any] | None = None
        self._listener = threading.Thread(target=self._listen, name="helper", daemon=True)
        self._listener.start()

    def begin(self, settled: Callable[[int], None]) -> None:
        self._settled = settled
        with contextlib.suppress(OSError, ValueError):  # it has gone, or is to stop: whoever waits for it will see
            self._to.write(b"go\n")
            self._to.flush()

    def dismiss(self) -> None:
        with contextlib.suppress(OSError):
            self._to.close()

    def has_ended(self, within: float) -> bool:
        self._listener.join(within)
        return not self._listener.is_alive()

    def close(self) -> None:
        self._listener.join()
        self._wait()

    def _listen(self) -> None:
        with self._from:
            for line in self._from:
                said = json.loads(line)
                if "report" in said:
                    self.report = said["report"]
                else:
                    self._settled(said["settled"])
