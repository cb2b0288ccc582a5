"""Messages that are still to be tried, for all connections that try them."""

from collections import deque
from collections.abc import Iterable

from digest.domain.mail import Message


class Waiting:
    """Made one by one, and no earlier than somebody asks for them.

    Attributes:
        is_over: whether nothing more is begun.
    """

    def __init__(self, messages: Iterable[Message]) -> None:
        self._rest = iter(messages)
        self._back: deque[Message] = deque()
        self.is_over = False

    def take(self) -> Message | None:
        """Whose turn it is; None when all were taken, or it is over."""
        if self.is_over:
            return None
        return self._back.popleft() if self._back else next(self._rest, None)

    def put_back(self, message: Message) -> None:
        """It was not tried after all, and comes first again."""
        self._back.appendleft(message)

    def has_more(self) -> bool:
        """Whether somebody is waiting."""
        if not self._back and (message := self.take()) is not None:
            self._back.append(message)
        return bool(self._back) and not self.is_over
