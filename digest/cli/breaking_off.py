"""How long work has to end when a process is asked to."""

import os
import threading

import structlog

PATIENCE = 9
"""Seconds that work has to end when the service is stopped. After that it is broken off: the journal knows what was in
hand, as after a crash, and supervisors kill after ten seconds anyway."""

log = structlog.get_logger(__name__)


def break_off_later() -> threading.Timer:
    """From now on, work has so long to end; cancel it when it has ended."""
    timer = threading.Timer(PATIENCE, _break_off)
    timer.daemon = True
    timer.start()
    return timer


def _break_off() -> None:
    log.warning("work did not end in time and is broken off; what was in hand is settled at the next start")
    os._exit(0)
