"""Telling workers that there is something to do. The rows say what; a job only says "look", so none is ever precious."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

Handler = Callable[..., object]
"""What does a job, called with its arguments in a thread of a worker. It finds out from the rows what is due."""

MAIL, NOTICES, GATHER = "mail", "notices", "gather"
"""Queues. Each worker attends to all of them, so that no kind of work waits behind another."""


class Jobs(Protocol):
    """How work is made known to other processes."""

    def tell(
        self,
        session: Session,
        queue: str,
        name: str,
        arguments: Mapping[str, int],
        *,
        key: str,
        alone: bool = False,
        at: datetime | None = None,
    ) -> None:
        """Let some worker do this once the session's transaction is committed; if it is rolled back, nobody does.

        Args:
            key: while a job with this key waits, another one is not added.
            alone: jobs with this key are never at work at the same time.
            at: not before then.
        """
        ...


class Untold:
    """The embedded engine: its threads look at the rows every few seconds, and need not be told."""

    def tell(
        self,
        session: Session,
        queue: str,
        name: str,
        arguments: Mapping[str, int],
        *,
        key: str,
        alone: bool = False,
        at: datetime | None = None,
    ) -> None:
        """Nothing to do."""
