"""Answers understood in processes of their own, beside the one that fetches and stores.

Python runs one thread of a process at a time, and to read feeds is most of a first gather's work: on two cores it is
done in half the time beside. And what a process of its own reads can be given up: a document that takes forever, or
that breaks a library, costs its feed a failure and nobody else anything.
"""

import pickle
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Any

from digest.errors import ParseError
from digest.feeds import cores
from digest.feeds.read import Source
from digest.feeds.reader import OthersFaultError, Reader, StartReader, anew, understood, unpacked
from digest.feeds.understand import Understood

PATIENCE = 20.0
"""Seconds after which a reader is given up, and started anew for the next answer."""
SMALL = 8_000
"""Bytes: an answer no longer than this is understood here, sooner than it could be sent anywhere."""
IN_LINE = 8
"""Answers that one reader is asked for ahead: enough for it never to wait for the next one."""
LARGE = 500_000
"""Bytes: a longer answer is not read by whoever helps."""


class Readers:
    """Understands answers, in up to ``most`` processes and here. Safe to share between threads.

    A process is started when there is something for it, and has a short line of answers to read. Those that come then
    wait for a place, or for whoever calls :meth:`help`. Use it as a context: at the end the processes are gone.
    """

    def __init__(self, most: int, *, patience: float = PATIENCE, start: StartReader | None = None) -> None:
        self._most, self._patience, self._start = most, patience, start
        self._cores = cores.ours()
        self._lock = threading.Lock()
        self._readers: list[Reader] = []
        self._waiting: deque[_Asked] = deque()

    def __enter__(self) -> "Readers":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._most = 0
            readers, self._readers = self._readers, []
            waiting, self._waiting = self._waiting, deque()
        for asked in waiting:
            asked.turn.set()
        for reader in readers:
            reader.end()

    def start(self) -> None:
        """Start the processes, before there is anything for them: they will be ready sooner."""
        with self._lock:
            while len(self._readers) < self._most:
                self._begin()

    def understand(
        self,
        source: Source,
        name: str,
        body: bytes,
        content_type: str,
        url: str,
        headers: Mapping[str, str],
        *,
        now: datetime,
        first_read: bool,
    ) -> Understood:
        """What :func:`digest.feeds.understand.understand` says, wherever there is room to find out.

        Raises:
            ParseError: as there; or the document took too long, or broke the process that read it.
        """
        asked = _Asked((source, name, body, content_type, url, dict(headers), now, first_read), len(body))
        while len(body) > SMALL and (reader := self._place(asked)):
            try:
                answer = reader.ask(pickle.dumps(asked.question, pickle.HIGHEST_PROTOCOL), self._patience)
            except OthersFaultError:
                continue
            except OSError:  # it has gone, or is given up
                self._give_up(reader)
                raise ParseError("to read this took too long, or broke the process that read it") from None
            finally:
                self._leave(reader)
            if isinstance(answer, BaseException):
                raise answer
            return unpacked(answer)
        return asked.answer.result() if asked.answer else understood(*asked.question)

    def help(self) -> bool:
        """Understand, in the calling thread, an answer that waits for a place in a line; whether there was one.

        Only of an ordinary size: what is larger is for a process that can be given up.
        """
        with self._lock:
            asked = next((each for each in self._waiting if each.size <= LARGE), None)
            if asked is None:
                return False
            self._waiting.remove(asked)
        answer = Future[Understood]()
        try:
            answer.set_result(understood(*asked.question))
        except Exception as error:  # noqa: BLE001  (for whoever asked)
            answer.set_exception(error)
        asked.answer = answer
        asked.turn.set()
        return True

    def _place(self, asked: "_Asked") -> "Reader | None":
        """A place in a line, as soon as there is one; None if it is answered meanwhile, or there are no lines."""
        while True:
            with self._lock:
                shortest = min(self._readers, key=lambda reader: reader.line, default=None)
                if (shortest is None or shortest.line) and len(self._readers) < self._most:
                    shortest = self._begin() or shortest
                if shortest is None:
                    return None
                if shortest.line < IN_LINE:
                    shortest.line += 1
                    return shortest
                self._waiting.append(asked)
            asked.turn.wait()
            asked.turn.clear()
            reader, asked.reader = asked.reader, None
            if reader or asked.answer:
                return reader

    def _leave(self, left: "Reader") -> None:
        """Let whoever waits longest have a place that has come free."""
        with self._lock:
            left.line -= 1
            if not self._waiting:
                return
            asked = self._waiting.popleft()
            if left in self._readers:
                left.line += 1
                asked.reader = left
        asked.turn.set()

    def _begin(self) -> "Reader | None":
        """One more process; None if there is no room for another."""
        try:
            reader = Reader(self._start() if self._start else anew(self._cores))
        except OSError:
            self._most = len(self._readers)
            return None
        self._readers.append(reader)
        return reader

    def _give_up(self, reader: "Reader") -> None:
        with self._lock:
            if reader in self._readers:
                self._readers.remove(reader)
        reader.end()


class _Asked:
    """An answer that is to be understood.

    Attributes:
        turn: set when one of the next two is there, or a place must be looked for anew.
        reader: in whose line it has a place.
        answer: what somebody who helped found.
    """

    def __init__(self, question: tuple[Any, ...], size: int) -> None:
        self.question, self.size = question, size
        self.turn = threading.Event()
        self.reader: Reader | None = None
        self.answer: Future[Understood] | None = None
