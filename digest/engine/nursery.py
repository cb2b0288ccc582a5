"""A process that was forked while this one had no threads yet, and from which others are forked when they are needed.

To start an interpreter and import the service takes a second, a fork a few milliseconds. But a process with threads
must not be forked: what they had locked would stay locked in the child. So the fork is made early, and kept in store: it
does nothing, shares its memory with its parent, and ends when that does.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import IO, NamedTuple, NoReturn

IS_POSSIBLE = sys.platform == "linux"
"""Elsewhere, system libraries may not work in a process that was forked."""


class Child(NamedTuple):
    """A process, as whoever started it sees it.

    Attributes:
        to: its standard input, or what stands for it.
        said: the same of its output; at the end when the process has ended.
        wait: for the end; nobody has to be waited for.
    """

    to: IO[bytes]
    said: IO[bytes]
    wait: Callable[[], object]


Work = Callable[[int, int, int, int], None]
"""Two numbers, and descriptors to read from and to write to."""


class Nursery:
    """To be made by a process without threads, and before it opens anything. Safe to use from several threads.

    Args:
        work: what a child does; it ends with it.
    """

    def __init__(self, work: Work) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._pid = os.fork()
        if not self._pid:
            self._line.close()
            _serve(theirs, work)
        theirs.close()

    def start(self, first: int, second: int) -> Child:
        """A child that does its work with these numbers.

        Raises:
            OSError: the nursery has gone, or there are no more descriptors.
        """
        reads, to = os.pipe()
        said, writes = os.pipe()
        child = Child(os.fdopen(to, "wb"), os.fdopen(said, "rb"), lambda: None)
        try:
            with self._lock:
                socket.send_fds(self._line, [b"%d %d" % (first, second)], [reads, writes])
        except OSError:
            child.to.close()
            child.said.close()
            raise
        finally:
            os.close(reads)
            os.close(writes)
        return child

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


def _serve(line: socket.socket, work: Work) -> NoReturn:
    """In the fork: fork again whenever it is asked for, until the other end of the line is closed."""
    try:
        # Whoever interrupts our parent ends us by the line. Nothing is read from its input, or printed among its output.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        while asked := socket.recv_fds(line, 64, 2):
            words, descriptors = asked[0], asked[1]
            if not words:
                break
            with contextlib.suppress(OSError):  # no more processes: the asker finds the pipes closed
                if not os.fork():
                    line.close()
                    first, second = map(int, words.split())
                    work(first, second, *descriptors)
                    os._exit(0)
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
