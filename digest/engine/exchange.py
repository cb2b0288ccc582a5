"""Between one clerk and several carriers: rows that are ready to be carried one way, what came of them the other.

The clerk alone talks to the database, in bulk: it claims ahead while carriers are at work, and records what they
bring back. So a database with one writer (SQLite) never meets two, and no carrier ever waits for a commit.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

Row = TypeVar("Row")
Result = TypeVar("Result")


class Exchange(Generic[Row, Result]):
    """The counter between them. ``take``, ``give`` and ``give_back`` are for carriers, the rest is the clerk's."""

    def __init__(self) -> None:
        self._ready: deque[Row] = deque()
        # A deque's append and popleft are one step each: neither side locks the other out for a single mail.
        self._results: deque[Result] = deque()
        self._back: deque[Row] = deque()
        self._lock = threading.Lock()
        # Apart, so that a carrier that begins to wait wakes the clerk and not the other carriers.
        self._for_carriers = threading.Condition(self._lock)
        self._for_clerk = threading.Condition(self._lock)
        self._carriers = self._waiting = 0
        self._low = 0
        self._closed = False
        self._error: BaseException | None = None

    def take(self, most: int, *, wait: bool = True) -> list[Row]:
        """Up to ``most`` rows; fewer, so that the other carriers get their share of what is ready.

        Args:
            wait: for rows to come; without it, nothing may be ready although more will come.

        Returns:
            Nothing when the exchange is closed.
        """
        with self._lock:
            if wait and not self._ready and not self._closed:
                self._waiting += 1
                self._for_clerk.notify()
                while not self._ready and not self._closed:
                    self._for_carriers.wait()
                self._waiting -= 1
            share = min(most, -(-len(self._ready) // max(1, self._carriers)))
            rows = [self._ready.popleft() for _ in range(share)]
            if len(self._ready) <= self._low:
                self._for_clerk.notify()
            return rows

    def give(self, result: Result) -> None:
        """What came of a row."""
        self._results.append(result)

    def give_back(self, rows: Iterable[Row]) -> None:
        """Rows that were not tried."""
        self._back.extend(rows)

    @contextmanager
    def carriers(self, carry: Callable[[], None], count: int) -> Iterator[None]:
        """While it lasts, ``carry`` runs in ``count`` threads; afterwards they have ended.

        Raises:
            Exception: the first error of a carrier. It closes the exchange.
        """
        self._carriers = count
        threads = [threading.Thread(target=self._run, args=(carry,), name=f"carrier-{n}") for n in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.close()
            for thread in threads:
                thread.join()
        if self._error is not None:
            raise self._error

    def _run(self, carry: Callable[[], None]) -> None:
        try:
            carry()
        except BaseException as error:  # noqa: BLE001  (raised again in the clerk's thread)
            self._error = self._error or error
            self.close()
        finally:
            with self._lock:
                self._carriers -= 1
                self._for_clerk.notify()

    def offer(self, rows: Sequence[Row]) -> None:
        """Rows for the carriers. When the exchange is closed they come straight back."""
        with self._lock:
            (self._back if self._closed else self._ready).extend(rows)
            self._for_carriers.notify_all()

    def wait(self, low: int, seconds: float) -> tuple[int, bool]:
        """Wait until no more than ``low`` rows are ready, or no carrier has anything in hand, or the time is up.

        Returns:
            How many are ready, and whether all carriers are idle: then everything they bring was brought.
        """
        until = time.monotonic() + seconds
        with self._lock:
            self._low = low
            while not (idle := self._is_idle()) and (self._closed or len(self._ready) > low):
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._for_clerk.wait(left)
            return len(self._ready), idle

    def _is_idle(self) -> bool:
        return not self._carriers or (self._waiting == self._carriers and not self._ready and not self._closed)

    def collect(self) -> tuple[list[Result], list[Row]]:
        """The results, and the rows given back, since the last time."""
        return _drained(self._results), _drained(self._back)

    def close(self) -> None:
        """Nothing more is taken: what is ready is given back, carriers end with what they have in hand."""
        with self._lock:
            self._closed = True
            self._back.extend(self._ready)
            self._ready.clear()
            self._for_carriers.notify_all()
            self._for_clerk.notify()

    @property
    def error(self) -> BaseException | None:
        """What ended a carrier that should not have ended."""
        return self._error


Thing = TypeVar("Thing")


def _drained(things: deque[Thing]) -> list[Thing]:
    return [things.popleft() for _ in range(len(things))]
