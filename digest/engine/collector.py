"""Python's garbage collector while a great many small things are made and let go."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (50_000, 20, 20)


@contextmanager
def few_collections() -> Iterator[None]:
    """While it lasts, what was there before is not looked through again, and what is new not as often.

    Rows and mails are tuples in no cycle, which go when nobody holds them. The collector takes their number for a sign
    of garbage, and each of its full looks goes through all that libraries have made: half a second for nothing.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
