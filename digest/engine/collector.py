"""Python's garbage collector while a great many small things are made and let go."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (50_000, 20, 20)
"""For ``gc.set_threshold``: new containers between two looks, and how many looks make one at the older ones."""

_lock = threading.Lock()
_under_way = 0
_before = gc.get_threshold()


@contextmanager
def few_collections() -> Iterator[None]:
    """While it lasts, what was there before is not looked through again, and what is new not as often.

    Rows and mails are tuples in no cycle, which go when nobody holds them. The collector takes their number for a sign
    of garbage, and each of its full looks goes through all that libraries have made, for nothing. Threads may overlap:
    the last one to end puts the collector back.
    """
    global _under_way, _before  # there is one collector in a process
    with _lock:
        if not _under_way:
            _before = gc.get_threshold()
            gc.freeze()
            gc.set_threshold(*THRESHOLDS)
        _under_way += 1
    try:
        yield
    finally:
        with _lock:
            _under_way -= 1
            if not _under_way:
                gc.set_threshold(*_before)
                gc.unfreeze()
