"""Threads that work until nothing is left."""

import threading

import pytest

from digest.engine.embedded import run_threads


@pytest.mark.parametrize("threads", [1, 4])
def test_all_work_is_done_once(threads: int) -> None:
    left, done, lock = list(range(100)), [], threading.Lock()

    def step() -> bool:
        with lock:
            if not left:
                return False
            done.append(left.pop())
            return True

    run_threads(step, threads=threads)
    assert sorted(done) == list(range(100))


def test_several_run_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=5)
    met = threading.local()

    def step() -> bool:
        if getattr(met, "once", False):
            return False
        met.once = True
        together.wait()
        return True

    run_threads(step, threads=3)
    assert not together.broken


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_error_ends_the_others_and_is_raised(threads: int) -> None:
    steps = []

    def step() -> bool:
        steps.append(1)
        if len(steps) == 5:
            raise LookupError("five")
        return True

    with pytest.raises(LookupError, match="five"):
        run_threads(step, threads=threads)
    assert len(steps) < 50


@pytest.mark.parametrize("threads", [1, 3])
def test_it_stops_when_asked(threads: int) -> None:
    steps: list[int] = []

    def step() -> bool:
        steps.append(1)
        return True

    run_threads(step, threads=threads, stop=lambda: len(steps) >= 7)
    assert 7 <= len(steps) < 7 + threads
