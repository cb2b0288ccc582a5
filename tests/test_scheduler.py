"""The ticker ticks at once, survives a tick that fails, and stops when it is told to."""

import threading

from digest.scheduler import Ticker


def test_it_ticks_at_once_and_goes_on_after_a_tick_that_failed() -> None:
    ticks, twice = [], threading.Event()

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 1:
            raise RuntimeError("a tick that nobody foresaw")
        twice.set()

    ticker = Ticker(tick, seconds=1)
    ticker.start()
    assert twice.wait(timeout=20)
    ticker.stop()
    assert ticker.stopping


def test_stopping_waits_for_the_tick_at_work() -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def tick() -> None:
        begun.set()
        may_end.wait(timeout=20)
        ended.set()

    ticker = Ticker(tick, seconds=3600)
    ticker.start()
    assert begun.wait(timeout=20)
    stopper = threading.Thread(target=ticker.stop)
    stopper.start()
    assert not ended.is_set()
    may_end.set()
    stopper.join(timeout=20)
    assert ended.is_set()
