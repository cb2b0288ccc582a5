"""What a sender is. One file per provider; provider code only translates."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, runtime_checkable

from digest.domain.mail import Message, SendResult

HandOver = Callable[[Message], None]
"""Called right before a message can no longer be taken back (the final dot, the HTTP request)."""


class Sender(Protocol):
    """Hands finished messages to whoever carries them.

    Attributes:
        name: for people and the ledger; never holds a secret.
        idempotent: sending the same Message-ID twice leaves one copy (a Maildir), so that nothing is ever unknown.
        batch: how many messages it likes to get at once.
    """

    name: str
    idempotent: bool
    batch: int

    def send(self, messages: Iterable[Message], hand_over: HandOver) -> Iterator[SendResult]:
        """Send the messages and yield one result for each that was tried, in any order, as answers come.

        ``messages`` may be made one by one while they are sent, and there may be thousands: go through them once,
        and hold no more of them than the wire or the request needs.

        ``hand_over`` is called for each message before it becomes irrevocable. A message that was handed over
        and got no answer has the outcome ``unknown``.

        Raises:
            SenderUnavailable: no connection; messages without a result were surely not accepted.
            SenderRefused: sign-in or account refused; messages without a result were surely not accepted.
        """
        ...

    def close(self) -> None:
        """End connections politely. The sender may be used again afterwards."""
        ...


@runtime_checkable
class SenderAbreast(Sender, Protocol):
    """A sender that keeps several connections busy in one call."""

    def send_abreast(self, messages: Iterable[Message], hand_over: HandOver, connections: int) -> Iterator[SendResult]:
        """As :meth:`send`, with up to so many messages handed over and not answered yet, one for each connection.

        Whatever ends it, an error of ``messages`` or ``hand_over`` too: it first waits for what was handed over, and
        yields those results, so that a message without one was surely not accepted.
        """
        ...
