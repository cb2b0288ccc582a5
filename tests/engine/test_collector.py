"""The garbage collector is as it was when the work is over."""

import gc

import pytest

from digest.engine.collector import THRESHOLDS, few_collections


def test_what_was_there_before_is_left_alone_while_it_lasts() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with few_collections():
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > frozen
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_an_error_leaves_the_collector_as_it_was() -> None:
    before = gc.get_threshold()
    with pytest.raises(LookupError), few_collections():
        raise LookupError
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_work_that_overlaps_in_two_threads_leaves_it_as_it_was() -> None:
    before = gc.get_threshold()
    one, other = few_collections(), few_collections()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert gc.get_threshold() == THRESHOLDS
    other.__exit__(None, None, None)
    assert gc.get_threshold() == before
