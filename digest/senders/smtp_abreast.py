"""Several connections driven by one thread: each goes on when its server has spoken, or can take more.

A thread for each connection would be simpler, and its mails would cost four tenths more: Python runs one thread at a
time, and every answer of the server would have to wait for the others to let go.

What a thread would do without thinking has to be said here: whatever goes wrong, with one connection, with the server
or with those who asked us to send, nothing more is begun, and every connection with a final dot under way is heard out
before the trouble is passed on. So a message without a result was surely not accepted.
"""

import select
import time
from collections import deque
from collections.abc import Iterable, Iterator

from digest.domain.mail import Message, SendResult
from digest.errors import SenderUnavailable
from digest.senders.base import HandOver
from digest.senders.smtp_doorman import Doorman
from digest.senders.smtp_pool import Pool
from digest.senders.smtp_session import Broken, Session
from digest.senders.smtp_waiting import Waiting

FRUITLESS = 2
"""Connections in a row that may end without any answer to a message, before the server counts as unavailable."""


class _Lane:
    """A connection, and its work on what is waiting."""

    def __init__(self, session: Session, waiting: Waiting, hand_over: HandOver, most: int) -> None:
        self.session = session
        self.steps = session.transfer(waiting, hand_over, most)
        self.was_used, self.answered = session.announced > 0, session.answered
        self.events = 0
        self.number = session.wire.fileno()


class Abreast:
    """One call of :meth:`digest.senders.smtp.SmtpSender.send`.

    Args:
        connections: that may be open at once. The first one is waited for; others are opened beside the work, and if
            they are not to be had (many servers count), it goes on over those that are.
    """

    def __init__(self, pool: Pool, messages: Iterable[Message], hand_over: HandOver, connections: int) -> None:
        self._pool, self._hand_over, self._connections = pool, hand_over, connections
        self._waiting = Waiting(messages)
        self._lanes: dict[int, _Lane] = {}
        self._fresh: deque[_Lane] = deque()
        self._poll = select.poll()
        self._doorman = Doorman(pool) if connections > 1 else None
        self._fruitless = 0
        self._trouble: Exception | None = None

    def run(self) -> Iterator[SendResult]:
        """See :class:`digest.senders.base.Sender`.

        Raises:
            SenderUnavailable, SenderRefused: with the server's words.
        """
        if self._doorman is not None:
            self._poll.register(self._doorman, select.POLLIN)
        try:
            while self._lanes or self._somebody_waits():
                self._open()
                for lane in self._able():
                    yield from self._go_on(lane)
        except BaseException:
            # Whatever happened, perhaps in the middle of DATA: these connections must never be used again, and they
            # end without the final dot, so that the server drops what it has.
            for lane in self._lanes.values():
                lane.session.abandon()
            raise
        finally:
            if self._doorman is not None:
                self._doorman.close()
        if self._trouble is not None:
            raise self._trouble

    def _open(self) -> None:
        """Begin with one connection; one more is asked for while somebody waits."""
        if self._doorman is not None and not self._fresh:
            for session in self._doorman.arrived(wait=not self._lanes):
                self._begin(session)
            room = self._connections - len(self._lanes) - self._pool.awaited
            if self._lanes and room > 0 and self._somebody_waits():
                self._doorman.ask()
        if not self._lanes and not self._waiting.is_over:
            self._begin(self._pool.take())

    def _somebody_waits(self) -> bool:
        try:
            return self._waiting.has_more()
        except Exception as error:  # noqa: BLE001  (raised again when the others were heard out)
            self._stop(error)
            return False

    def _begin(self, session: Session) -> None:
        lane = _Lane(session, self._waiting, self._hand_over, self._pool.most)
        self._lanes[lane.number] = lane
        self._fresh.append(lane)

    def _able(self) -> list[_Lane]:
        """Those that can go on, and those for which it is too late; wait for one if there is none."""
        if self._fresh:
            return [self._fresh.popleft()]
        if not self._lanes:
            return []
        until = min(lane.session.until for lane in self._lanes.values())
        found = self._poll.poll(max(0.0, until - time.monotonic()) * 1000)
        able = [lane for number, _ in found if (lane := self._lanes.get(number)) is not None]
        if not found or time.monotonic() >= until:
            now = time.monotonic()
            able += [lane for lane in self._lanes.values() if lane.session.until <= now and lane not in able]
        return able

    def _go_on(self, lane: _Lane) -> Iterator[SendResult]:
        session = lane.session
        if self._lanes.get(lane.number) is not lane:
            return  # it was ended meanwhile, with another one's trouble
        try:
            for result in lane.steps:
                if result is None:
                    self._park(lane)
                    return
                self._fruitless = self._fruitless + 1 if result.outcome == "unknown" else 0
                yield result
        except Broken as broken:
            session.abandon()
            message, session.at_hand = session.at_hand, None
            self._end(lane)
            if message is not None:
                yield from self._deferred(lane, message, broken)
        except Exception as error:  # noqa: BLE001  (raised again when the others were heard out)
            session.abandon()
            self._end(lane)
            self._stop(error)
        else:
            self._end(lane)
            if self._fruitless >= FRUITLESS:
                self._stop(SenderUnavailable(f"{self._pool.name} gives no answer to whole messages"))

    def _park(self, lane: _Lane) -> None:
        if lane.events != (events := lane.session.wire.awaits):
            lane.events = events
            self._poll.register(lane.number, events)

    def _end(self, lane: _Lane) -> None:
        """The connection's part is over; what it had at hand is the next one's."""
        session = lane.session
        del self._lanes[lane.number]
        if lane.events:
            self._poll.unregister(lane.number)
        if session.at_hand is not None:  # it waits for a body that will not come
            session.abandon()
            self._waiting.put_back(session.at_hand)
        elif self._doorman is not None and self._lanes and session.announced >= self._pool.most:
            self._doorman.see_off(session)
        else:
            self._pool.give_back(session)

    def _deferred(self, lane: _Lane, message: Message, broken: Broken) -> Iterator[SendResult]:
        """What a connection that broke means for the message that met it: it may be the cause."""
        has_answered = lane.session.answered > lane.answered
        if has_answered:
            self._fruitless = 0
        elif lane.was_used:  # the server had tired of waiting: that speaks of nobody
            self._waiting.put_back(message)
            return
        if broken.greeted_next and has_answered:  # the server ends connections after some messages
            self._waiting.put_back(message)
            return
        self._fruitless += 1
        yield SendResult(message, "deferred", code=broken.code, detail=broken.words)
        if self._fruitless >= FRUITLESS:
            words = f"{broken.code} {broken.words}".strip()
            self._stop(SenderUnavailable(f"{self._pool.name} ended the connection: {words}"))

    def _stop(self, trouble: Exception) -> None:
        """Begin nothing more: who has sent a final dot is heard out, the others hang up."""
        self._trouble = self._trouble or trouble
        self._waiting.is_over = True
        for lane in [lane for lane in self._lanes.values() if not lane.session.is_committed]:
            lane.session.abandon()
            self._end(lane)
