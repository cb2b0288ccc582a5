"""Several senders in a row: the next one takes over when one can't be reached.

Only what was surely not accepted changes hands (see :class:`digest.senders.base.Sender`): a mail that is unknown stays
unknown, and one that was refused stays refused. A sender that refuses us (sign-in, account) is a person's business, and
no reason to go elsewhere.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from digest.domain.mail import Message, SendResult
from digest.errors import SenderUnavailable
from digest.senders.base import HandOver, Sender, SenderAbreast

REST = 60.0
"""Seconds for which a sender that could not be reached is not tried first."""


class FailoverSender:
    """Tries its senders in the order in which they are given."""

    def __init__(self, senders: Sequence[Sender]) -> None:
        self._senders = tuple(senders)
        self.name = ", else ".join(sender.name for sender in senders)
        self.idempotent = all(sender.idempotent for sender in senders)
        self.batch = min(sender.batch for sender in senders)
        self._away: dict[int, float] = {}
        self._lock = threading.Lock()

    def send(self, messages: Iterable[Message], hand_over: HandOver) -> Iterator[SendResult]:
        """See :class:`digest.senders.base.Sender`. ``hand_over`` may be called again for a mail that changes hands.

        Raises:
            SenderUnavailable: none can be reached; the words of the last one tried.
            SenderRefused: one refuses us.
        """
        return self._in_turn(messages, lambda number, rest: self._senders[number].send(rest, hand_over))

    def _in_turn(
        self, messages: Iterable[Message], send: Callable[[int, Iterator[Message]], Iterator[SendResult]]
    ) -> Iterator[SendResult]:
        rest = iter(messages)
        in_hand: dict[str, Message] = {}

        def remaining() -> Iterator[Message]:
            yield from list(in_hand.values())
            for message in rest:
                in_hand[message.message_id] = message
                yield message

        trouble = SenderUnavailable("there is no sender")
        for number in self._order():
            try:
                for result in send(number, remaining()):
                    in_hand.pop(result.message.message_id, None)
                    yield result
            except SenderUnavailable as error:
                trouble = error
                with self._lock:
                    self._away[number] = time.monotonic() + REST
            else:
                return
        raise trouble

    def close(self) -> None:
        """End all connections politely."""
        for sender in self._senders:
            sender.close()

    def _order(self) -> list[int]:
        """Those that were away a moment ago come last."""
        now = time.monotonic()
        with self._lock:
            return sorted(range(len(self._senders)), key=lambda number: (self._away.get(number, 0.0) > now, number))


class FailoverAbreast(FailoverSender):
    """The same where each of them keeps several connections busy."""

    def __init__(self, senders: Sequence[SenderAbreast]) -> None:
        super().__init__(senders)
        self._abreast = tuple(senders)

    def send_abreast(self, messages: Iterable[Message], hand_over: HandOver, connections: int) -> Iterator[SendResult]:
        """See :class:`digest.senders.base.SenderAbreast`, and :meth:`send` for what it raises."""
        return self._in_turn(
            messages, lambda number, rest: self._abreast[number].send_abreast(rest, hand_over, connections)
        )


def in_a_row(senders: Sequence[Sender]) -> FailoverSender:
    """One sender of several."""
    abreast = [sender for sender in senders if isinstance(sender, SenderAbreast)]
    return FailoverAbreast(abreast) if len(abreast) == len(senders) else FailoverSender(senders)
