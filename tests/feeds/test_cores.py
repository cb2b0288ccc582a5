"""On which cores a gather runs: its threads together on one, what reads beside it on any."""

import os
import threading

import pytest

from digest.feeds import cores
from digest.feeds.beside import Readers

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not say")


def test_threads_that_are_begun_meanwhile_stay_on_one_core_and_nothing_else_does() -> None:
    before, seen = os.sched_getaffinity(0), list[set[int]]()
    with cores.only_one():
        thread = threading.Thread(target=lambda: seen.append(os.sched_getaffinity(0)))
        thread.start()
        thread.join()
        assert seen == [os.sched_getaffinity(0)]
        assert len(seen[0]) == 1
    assert os.sched_getaffinity(0) == before


def test_a_process_that_reads_beside_may_run_on_all_of_them() -> None:
    before = os.sched_getaffinity(0)
    with Readers(1) as readers, cores.only_one():
        readers.start()
        assert os.sched_getaffinity(readers._readers[0]._process.pid) == before


def test_where_nobody_says_on_which_core_a_thread_is_it_may_go_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "_here", lambda: -1)
    before = os.sched_getaffinity(0)
    with cores.only_one():
        assert os.sched_getaffinity(0) == before


def test_where_nobody_says_which_cores_there_are_a_gather_goes_on_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    with cores.only_one():
        assert cores.ours() == frozenset()
    assert 0 <= cores.spare() <= 4
