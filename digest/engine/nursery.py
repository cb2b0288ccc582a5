"""A process that was forked while this one had no threads yet, and from which others are forked when they are needed.

To start an interpreter and import the service takes a second, a fork a few milliseconds. But a process with threads
must not be forked: what they had locked would stay locked in the child. So the fork is made early, and kept in store: it
does nothing, shares its memory with its parent, and ends when that does.
"""

import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import IO, NamedTuple, NoReturn

IS_POSSIBLE = sys.platform == "linux"
"""Elsewhere, system libraries may not work in a process that was forked."""


def may_fork() -> bool:
    """Whether a nursery may be made here and now."""
    return IS_POSSIBLE and threading.active_count() == 1


class Child(NamedTuple):
    """A process, as whoever started it sees it.

    Attributes:
        pid: its number.
        to: its standard input, or what stands for it. Not buffered, like ``said``.
        said: the same of its output; at the end when the process has ended.
        wait: for the end; nobody has to be waited for.
        kill: end it at once.
    """

    pid: int
    to: IO[bytes]
    said: IO[bytes]
    wait: Callable[[], object]
    kill: Callable[[], object]


Work = Callable[..., None]
"""What a child does with numbers, and two descriptors: to read from, and to write to."""


class Nursery:
    """To be made by a process without threads (:func:`may_fork`), and before it opens anything. Safe to use from several threads.

    Args:
        works: what children may do, by name; each ends with it.
    """

    def __init__(self, works: Mapping[str, Work]) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._pid = os.fork()
        if not self._pid:
            self._line.close()
            _serve(theirs, works)
        theirs.close()

    def start(self, work: str, *numbers: int) -> Child:
        """A child that does one of the works.

        Raises:
            OSError: the nursery has gone, or there are no more descriptors.
        """
        reads, to = os.pipe()
        said, writes = os.pipe()
        try:
            with self._lock:
                socket.send_fds(self._line, [" ".join([work, *map(str, numbers)]).encode()], [reads, writes])
                pid, process, *_ = socket.recv_fds(self._line, 16, 1)
            if not process:
                raise BlockingIOError("the system gives us no more processes")
        except OSError:
            os.close(to)
            os.close(said)
            raise
        finally:
            os.close(reads)
            os.close(writes)
        kill = _Killer(process[0])
        return Child(int(pid), os.fdopen(to, "wb", 0), os.fdopen(said, "rb", 0), lambda: None, kill)

    def close(self) -> None:
        """Wait until all have ended."""
        self._line.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Killer:
    """Kills a process that is named by a descriptor: by its number, another one might be met that has it now."""

    def __init__(self, process: int) -> None:
        self._process = process

    def __call__(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def __del__(self) -> None:
        os.close(self._process)


def _serve(line: socket.socket, works: Mapping[str, Work]) -> NoReturn:
    """In the fork: fork again whenever it is asked for, until the other end of the line is closed."""
    try:
        # Whoever interrupts our parent ends us by the line. Nothing is read from its input, or printed among its output.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        gc.freeze()  # what was there before is shared as long as nobody looks through it
        while asked := socket.recv_fds(line, 64, 2):
            words, descriptors = asked[0], asked[1]
            if not words:
                break
            try:
                pid = os.fork()
            except OSError:
                line.send(b"no")
            else:
                if not pid:
                    line.close()
                    work, *numbers = words.decode().split()
                    works[work](*map(int, numbers), *descriptors)
                    os._exit(0)
                process = os.pidfd_open(pid)
                socket.send_fds(line, [b"%d" % pid], [process])
                os.close(process)
            for each in descriptors:
                os.close(each)
            _bury(os.WNOHANG)
        line.close()
        _bury(0)
    except BaseException:  # noqa: BLE001  (nothing may leave a fork: it would go on as its parent)
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _bury(how: int) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, how)[0]:
            pass
