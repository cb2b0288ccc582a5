"""The clock of the service: one tick a minute, kept by APScheduler without a job store. No logic lives here.

``coalesce`` and ``max_instances=1`` make a late or long tick harmless; what is due is read from the database,
so any number of schedulers may tick at once.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

log = structlog.get_logger(__name__)


class Ticker:
    """Calls ``tick`` once a minute, beginning at once, until it is stopped."""

    def __init__(self, tick: Callable[[], object], *, seconds: int = 60) -> None:
        self._tick = tick
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self._safely,
            "interval",
            seconds=seconds,
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._done = threading.Event()

    def start(self) -> None:
        """Begin to tick in a thread."""
        self._scheduler.start()

    def stop(self) -> None:
        """Wait for a running tick to end and stop."""
        self._done.set()
        self._scheduler.shutdown(wait=True)

    @property
    def stopping(self) -> bool:
        """Whether ``stop`` was called: long ticks look at it between steps."""
        return self._done.is_set()

    def _safely(self) -> None:
        # A tick that fails for a reason nobody foresaw must not end the clock: it is logged and the next one comes.
        try:
            self._tick()
        except Exception:
            log.exception("tick failed")
