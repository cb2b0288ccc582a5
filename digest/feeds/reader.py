"""One process that understands answers: as its parent sees it, and what it does itself (``python -m digest.feeds.reader``).

They talk over two pipes: a length (8 bytes), then that many bytes of pickle. It ends when its pipe does, so that none
outlives its parent, however that ends. Only this module's own code speaks on either side.
"""

import contextlib
import fcntl
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import IO, Any, Final, NamedTuple, Protocol

from digest.domain.incoming import Incoming
from digest.errors import DigestError
from digest.feeds import cores
from digest.feeds.read import Source
from digest.feeds.understand import Understood, understand

MEMORY = 1_500_000_000
"""Bytes of address space that a reader may have: a document that needs more is refused."""
_PIPE: Final = 1_048_576
_MANY: Final = 131_072


class OthersFaultError(Exception):
    """The process has gone before it came to this question."""


class Process(Protocol):
    """A process by its pipes, which aren't buffered."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def to(self) -> IO[bytes]:
        """Its input."""

    @property
    def said(self) -> IO[bytes]:
        """Its output."""

    @property
    def wait(self) -> Callable[[], object]:
        """Waits for its end."""

    @property
    def kill(self) -> Callable[[], object]:
        """Ends it at once."""


StartReader = Callable[[], Process]


class _Anew(NamedTuple):
    pid: int
    to: IO[bytes]
    said: IO[bytes]
    wait: Callable[[], object]
    kill: Callable[[], object]


def anew(on: Collection[int]) -> Process:
    """A process of an interpreter of its own.

    Args:
        on: the cores on which it may run, whatever those of the calling thread.
    """
    known = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "digest.feeds.reader"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        env={**os.environ, "PYTHONPATH": known},
    )  # fmt: skip
    cores.put(process.pid, on)
    assert process.stdin is not None
    assert process.stdout is not None
    return _Anew(process.pid, process.stdin, process.stdout, process.wait, process.kill)


class Reader:
    """One process, as its parent sees it. It is asked ahead of its answers, so that it never waits for us.

    Args:
        process: that runs :func:`run`.

    Attributes:
        line: how many wait for it. Counted by whoever shares it out.
    """

    def __init__(self, process: Process) -> None:
        self.line = 0
        self._process = process
        self._to, self._from = process.to, process.said
        for pipe in (self._to, self._from):
            with contextlib.suppress(OSError, AttributeError):  # wide enough for a line of questions
                fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)
        os.set_blocking(self._to.fileno(), False)
        self._ready, self._room = select.poll(), select.poll()
        self._ready.register(self._from, select.POLLIN)
        self._room.register(self._to, select.POLLOUT)
        self._asking, self._sharing = threading.Lock(), threading.Lock()
        self._turns: deque[threading.Event] = deque()  # of those that wait, in the order of their questions
        self._come = bytearray()  # read, and not taken yet: for one after the other
        self._broken = False

    def ask(self, question: bytes, patience: float) -> Any:
        """The answer to a question.

        Raises:
            OSError: the process has ended over this question, or does not answer in time.
            OthersFaultError: it has ended before it came to this question.
        """
        left, turn = _framed(question), threading.Event()
        with self._asking:
            with self._sharing:
                self._turns.append(turn)
                if len(self._turns) == 1 or self._broken:
                    turn.set()
            with contextlib.suppress(OSError, ValueError):  # whoever waits for the answer will see
                while left and not self._broken:
                    if written := self._to.write(left):
                        left = left[written:]
                    else:
                        _wait(self._room, time.monotonic() + patience)
        turn.wait()
        if self._broken:
            raise OthersFaultError
        try:
            end = time.monotonic() + patience
            answer = self._read(int.from_bytes(self._read(8, end), "big"), end)
        except BaseException:
            with self._sharing:
                self._broken = True
                for each in self._turns:
                    each.set()
            raise
        with self._sharing:
            self._turns.popleft()
            if self._turns:
                self._turns[0].set()
        return pickle.loads(answer)  # noqa: S301  (what our own code says)

    def _read(self, length: int, end: float) -> bytearray:
        """The next bytes of the answers. What comes with them waits for whose turn is next."""
        while len(self._come) < length:
            _wait(self._ready, end)
            some = self._from.read(_MANY)
            if not some:
                raise ConnectionError("the process has ended")
            self._come += some
        found = self._come[:length]
        del self._come[:length]
        return found

    def end(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._to.close()
        self._process.kill()
        self._process.wait()
        self._from.close()


def _framed(message: bytes) -> memoryview:
    return memoryview(len(message).to_bytes(8, "big") + message)


def _wait(poll: select.poll, end: float) -> None:
    if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
        raise TimeoutError("no answer in time")


def understood(
    source: Source, name: str, body: bytes, content_type: str, url: str, headers: Mapping[str, str],
    now: datetime, first_read: bool,
) -> Understood:  # fmt: skip
    """What a question asks for: :func:`understand`, all in order."""
    return understand(source, name, body, content_type, url, headers, now=now, first_read=first_read)


# Items go as plain tuples of text, which marshal and pickle write and read many times as fast as objects.
def _packed(found: Understood) -> tuple[Any, ...]:
    return [tuple(item) for item in found.items], found.events, found.detours, found.hub, found.rhythm, found.wishes


def unpacked(packed: tuple[Any, ...]) -> Understood:
    """An answer, as it was before it went through the pipe."""
    items, *others = packed
    return Understood(tuple(map(Incoming._make, items)), *others)


def run(orders: int, answers_to: int) -> None:
    """Answer questions until there are no more.

    Args:
        orders, answers_to: descriptors.
    """
    # Whoever ends our parent ends us: the pipe does. Until then its last answers are still wanted.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    questions, answers = os.fdopen(orders, "rb"), os.fdopen(answers_to, "wb")
    while len(head := questions.read(8)) == 8:
        asked = pickle.loads(questions.read(int.from_bytes(head, "big")))  # noqa: S301  (from our parent)
        answer: Any
        try:
            answer = _packed(understood(*asked))
        except DigestError as error:
            answer = error
        except Exception:  # noqa: BLE001  (a bug: our parent notes it, and goes on)
            answer = RuntimeError(traceback.format_exc()[-2000:])
        answers.write(_framed(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)))
        answers.flush()


if __name__ == "__main__":
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not stand among the answers
    run(0, answers)
