"""Connections to one mail server: opened when they are needed, and used again."""

import threading
import time

from digest.senders.smtp_opening import Entrance
from digest.senders.smtp_session import Session

IDLE = 20.0
"""Seconds after which a connection is asked whether it still lives before it is used again."""


class Pool:
    """Safe to use from several threads: a connection that was taken is the taker's alone.

    Args:
        timeout, final_timeout: see :class:`digest.senders.smtp_session.Session`.
        most: messages that may be tried over a connection in its life.

    Attributes:
        awaited: connections that are being opened beside somebody's work, perhaps of a call that has ended since.
    """

    def __init__(self, entrance: Entrance, timeout: float, final_timeout: float, most: int) -> None:
        self._entrance = entrance
        self._timeout, self._final_timeout = timeout, final_timeout
        self.most = most
        self.awaited = 0
        self._idle: list[Session] = []
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The server's, for people."""
        return self._entrance.name

    def take(self) -> Session:
        """A connection, and wait for it.

        Raises:
            SenderUnavailable, SenderRefused: see :meth:`digest.senders.smtp_opening.Entrance.enter`.
        """
        while (session := self._pooled()) is not None:
            if session.is_alive(after=IDLE):
                return session
            session.abandon()
        return Session(*self._entrance.enter(), self._timeout, self._final_timeout)

    def await_one(self) -> None:
        """One more is being opened."""
        with self._lock:
            self.awaited += 1

    def came(self) -> None:
        """One that was awaited is there, or not to be had."""
        with self._lock:
            self.awaited -= 1

    def give_back(self, session: Session) -> None:
        """It may be used again, unless it has ended or had its share."""
        if session.is_closed:
            return
        if session.announced >= self.most:
            session.quit()
            return
        session.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(session)

    def close(self) -> None:
        """End idle connections politely."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.quit()

    def _pooled(self) -> Session | None:
        with self._lock:
            return self._idle.pop() if self._idle else None
