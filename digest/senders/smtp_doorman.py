"""Further connections for a thread that has others to look after: opened, and taken leave of, beside its work."""

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

from digest.errors import SenderRefused, SenderUnavailable
from digest.senders.smtp_pool import Pool
from digest.senders.smtp_session import Session

DECLINED = 5.0
"""Seconds after which one more connection is tried, when the last one was not to be had."""


class Doorman:
    """Opens further connections, and ends used ones, in threads of their own: a greeting may take its time.

    Attributes:
        asked: connections that are being opened.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._arrived: deque[Session | None] = deque()
        self._lock = threading.Lock()
        self._is_over = False
        self._not_before = 0.0
        self._bell, self._rope = socket.socketpair()
        self.asked = 0

    def fileno(self) -> int:
        """For ``select.poll``: somebody is there."""
        return self._bell.fileno()

    def ask(self) -> None:
        """For one more connection."""
        if time.monotonic() >= self._not_before:
            self._pool.await_one()
            if _beside(self._open, "smtp-opening"):
                self.asked += 1
            else:
                self._pool.came()
                self._not_before = time.monotonic() + DECLINED

    def arrived(self, *, wait: bool) -> list[Session]:
        """Connections that are there.

        Args:
            wait: until one is there, or all that were asked for are not to be had.
        """
        found: list[Session] = []
        while self._arrived or (wait and self.asked and not found):
            self._bell.recv(1)
            self.asked -= 1
            self._pool.came()
            if (session := self._arrived.popleft()) is not None:
                found.append(session)
            else:
                self._not_before = time.monotonic() + DECLINED
        return found

    def see_off(self, session: Session) -> None:
        """Say goodbye to the server, which may take its time to answer."""
        if not _beside(session.quit, "smtp-quit"):
            session.abandon()

    def close(self) -> None:
        """Whoever comes now waits for the next time."""
        with self._lock:
            self._is_over = True
            self._bell.close()
            self._rope.close()
        for session in self._arrived:
            self._keep(session)

    def _open(self) -> None:
        session: Session | None = None
        try:
            # Not to be had: the others go on, and the only one would have said so.
            with contextlib.suppress(SenderUnavailable, SenderRefused):
                session = self._pool.take()
        finally:
            self._report(session)

    def _report(self, session: Session | None) -> None:
        with self._lock:
            if not self._is_over:
                self._arrived.append(session)
                self._rope.send(b".")
                return
        self._keep(session)

    def _keep(self, session: Session | None) -> None:
        if session is not None:
            self._pool.give_back(session)
        self._pool.came()


def _beside(work: Callable[[], None], name: str) -> bool:
    """Do it in a thread of its own; whether one was to be had."""
    try:
        threading.Thread(target=work, name=name, daemon=True).start()
    except RuntimeError:  # others have a final dot under way: it is no reason to leave them
        return False
    return True
