"""Which processes of this machine are alive: what a dead one had claimed is free at once, not when its lease ends.

Every process holds a lock (flock) on a file that bears its name, for exactly as long as it lives, whatever ends it.
Processes of other machines are not seen here: what they had claimed is free when the lease ends.
"""

import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

SUFFIX = ".alive"


class Presence:
    """This process among the living, from construction to ``close``.

    Attributes:
        name: unlike every other process's, on this machine and on all others, now and later.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._path = folder / (self.name + SUFFIX)
        # It gets its name only when it is locked: nobody can take it for a dead process's.
        unnamed = self._path.with_suffix(".new")
        self._file = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.replace(unnamed, self._path)

    def close(self) -> None:
        """Leave in good order: nothing is claimed any more."""
        self._path.unlink(missing_ok=True)
        os.close(self._file)

    def __enter__(self) -> "Presence":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def departed(folder: Path) -> Iterator[str]:
    """The names of processes that died without closing. Each is forgotten when the next one is asked for:

    give back what it had claimed, and commit, before going on.
    """
    for path in sorted(folder.glob("*" + SUFFIX)):
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue  # it closed, or somebody else was quicker
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue  # alive
        try:
            yield path.name.removesuffix(SUFFIX)
            path.unlink(missing_ok=True)
        finally:
            os.close(file)
