"""How long mails wait: after a refusal for now, after an outage; and what an answer makes of a row."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from digest.engine.journal import Answer
from digest.store.deliveries import Change

RETRY = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240))
"""Waits after a mail was put off (4xx); the last one repeats. Greylisting wants five minutes at least."""

OUTAGE = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 900))
"""Waits after the server could not be reached; the last one repeats."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait before the next attempt. Jitter keeps rows from coming back all at once."""

    chance: random.Random

    def after(self, waits: Sequence[timedelta], attempts: int, asked: float | None = None) -> timedelta:
        """The wait after that many attempts, a quarter longer at most; never shorter than the server asked for."""
        wait = waits[min(attempts, len(waits)) - 1] * self.chance.uniform(1.0, 1.25)
        return max(wait, timedelta(seconds=asked or 0))

    def outage(self, attempts: int) -> timedelta:
        """The wait after the server could not be reached so many times."""
        return self.after(OUTAGE, attempts)


_NAMES_IT = re.compile(r"(?<!\S)(?!\d\.\d+\.\d+(?!\S))(?=\S*\d)\S{4,}")
"""A word with a digit in it that is no status code (RFC 3463): a queue's id, most likely."""


def change_of(answer: Answer, now: datetime, later: datetime) -> Change:
    """What an answer makes of a row; a mail that was put off comes back ``later``.

    A server's words about a mail that it took are kept only where they name it (``Ok: queued as 4XyZ1``): that is what
    its log is searched for. "250 2.0.0 Ok" in every row would say what its state says, a hundred thousand times.
    """
    words = _words(answer.code, answer.detail, answer.outcome == "sent")
    if answer.outcome == "deferred":
        return Change(answer.delivery_id, "queued", words, not_before=later)
    return Change(answer.delivery_id, answer.outcome, words, finished_at=now, provider_id=answer.provider_id)


@lru_cache(maxsize=64)  # most servers say the same to everybody
def _words(code: str, detail: str, was_sent: bool) -> str:
    return "" if was_sent and not _NAMES_IT.search(detail) else f"{code} {detail}".strip()
