"""Rows one way, results the other: nothing is lost, done twice, or left in somebody's hands."""

import threading
from collections import Counter

import pytest

from digest.engine.exchange import Exchange


@pytest.mark.parametrize("carriers", [1, 3])
def test_every_row_that_is_offered_comes_back_once(carriers: int) -> None:
    exchange: Exchange[int, int] = Exchange()

    def carry() -> None:
        while rows := exchange.take(7):
            for row in rows:
                exchange.give(row) if row % 3 else exchange.give_back([row])

    results: list[int] = []
    back: list[int] = []
    with exchange.carriers(carry, carriers):
        for start in range(0, 1000, 100):
            exchange.offer(range(start, start + 100))
            idle = False
            while not idle:
                _, idle = exchange.wait(-1, 1)
            some, untried = exchange.collect()
            results += some
            back += untried
    assert Counter(results) + Counter(back) == Counter(range(1000))
    assert all(row % 3 == 0 for row in back)


def test_the_clerk_hears_when_little_is_left_to_carry() -> None:
    exchange: Exchange[int, int] = Exchange()
    may_go_on = threading.Event()

    def carry() -> None:
        while exchange.take(4):
            may_go_on.wait(5)

    with exchange.carriers(carry, 1):
        exchange.offer(range(10))
        assert exchange.wait(6, 5) == (6, False)
        may_go_on.set()


def test_what_is_ready_when_it_closes_is_given_back_and_what_comes_later_too() -> None:
    exchange: Exchange[int, int] = Exchange()
    exchange.offer([1, 2])
    exchange.close()
    exchange.offer([3])
    assert exchange.collect() == ([], [1, 2, 3])
    assert exchange.take(5) == []


def test_several_carriers_share_what_is_there() -> None:
    exchange: Exchange[int, int] = Exchange()
    got: list[int] = []
    all_have_some = threading.Barrier(4)

    def carry() -> None:
        rows = exchange.take(100)
        got.append(len(rows))
        all_have_some.wait(5)

    exchange.offer(range(12))
    with exchange.carriers(carry, 4):
        exchange.wait(-1, 5)
    assert len(got) == 4
    assert all(1 <= share <= 3 for share in got)


def test_an_error_of_one_carrier_ends_all_and_reaches_the_clerk() -> None:
    exchange: Exchange[int, int] = Exchange()

    def carry() -> None:
        while rows := exchange.take(1):
            if rows == [3]:
                raise LookupError(3)

    with pytest.raises(LookupError), exchange.carriers(carry, 2):
        exchange.offer(range(6))
        exchange.wait(-1, 5)
        assert isinstance(exchange.error, LookupError) or exchange.wait(-1, 5)
