"""The embedded engine: threads of this process that claim work until there is none."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def run_threads(step: Callable[[], bool], *, threads: int, stop: Callable[[], bool] | None = None) -> None:
    """Call ``step`` in several threads until it says that nothing is left.

    Args:
        step: claims a piece of work and does it; returns False when there is none. It decides by itself, in the
            database, what it gets, so that any number of threads and processes may run it.
        threads: how many at once. One runs in the calling thread.
        stop: asked before every step; True ends the work after the steps that are under way.

    Raises:
        Exception: the first error of any step, after all threads have ended; an error ends the others too.
    """
    failed = threading.Event()

    def loop() -> None:
        try:
            while not failed.is_set() and not (stop is not None and stop()) and step():
                pass
        except BaseException:
            failed.set()
            raise

    if threads <= 1:
        loop()
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="worker")
    try:
        for future in [pool.submit(loop) for _ in range(threads)]:
            future.result()
    except BaseException:
        failed.set()  # an interrupt reaches the calling thread only: the others must hear of it too
        raise
    finally:
        pool.shutdown(wait=True)
