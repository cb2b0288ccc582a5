"""The rate at which mail leaves, measured over every ten seconds of a simulated clock, on both databases."""

import heapq
import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from digest.domain.limits import Limits, Slowed, rate_now, slower
from digest.domain.mail import Message, SendResult
from digest.store.database import Database
from digest.workflows.outflow import Outflow, Turns
from tests.conftest import NOW, Clock  # type: ignore[import-not-found]
from tests.workflows.world import FakeSender, context  # type: ignore[import-not-found]

WINDOW = timedelta(seconds=10)
SECONDS = 40


def simulated(db: Database, rate: float, workers: int, seconds_a_mail: float) -> list[datetime]:
    """When mails leave that several workers send as fast as they may, each mail keeping its worker for a while."""
    chance = random.Random(f"{rate} {workers}")
    clock = Clock()
    turns = [Turns(db, "sender", rate, clock) for _ in range(workers)]
    free = [(NOW + timedelta(milliseconds=chance.uniform(0, 500)), number) for number in range(workers)]
    heapq.heapify(free)
    left: list[datetime] = []
    while free[0][0] < NOW + timedelta(seconds=SECONDS):
        now, number = heapq.heappop(free)
        clock.now = now
        leaves = max(now, turns[number].next())
        left.append(leaves)
        busy = timedelta(seconds=seconds_a_mail * chance.uniform(0.5, 1.5))
        heapq.heappush(free, (leaves + busy, number))
    return sorted(left)


def windows(left: list[datetime]) -> list[int]:
    """Mails in every ten seconds that begin with one of them, up to where the simulation ends."""
    whole = [start for start in left if start + WINDOW <= NOW + timedelta(seconds=SECONDS)]
    return [sum(start <= moment < start + WINDOW for moment in left) for start in whole]


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(("rate", "seconds_a_mail"), [(1, 0.05), (7, 0.01), (50, 0.002)])
def test_no_ten_seconds_hold_more_than_the_limit_or_less_than_nine_tenths(
    db: Database, rate: float, seconds_a_mail: float, workers: int
) -> None:
    counts = windows(simulated(db, rate, workers, seconds_a_mail))
    assert max(counts) <= rate * 10
    assert min(counts) >= rate * 9


def test_a_worker_that_is_slower_than_the_limit_is_not_held_up_and_saves_nothing_for_later(sqlite_db: Database) -> None:
    left = simulated(sqlite_db, rate=50, workers=1, seconds_a_mail=0.1)
    assert len(left) == pytest.approx(SECONDS / 0.1, rel=0.1)
    later = NOW + timedelta(hours=1)
    turns = Turns(sqlite_db, "sender", 50, lambda: later)
    at_once = sum(turns.next() <= later for _ in range(100))
    assert at_once <= 15, "an hour of silence is no credit"


def outflow(db: Database, tmp_path: Path, clock: Clock, limits: Limits) -> Outflow:
    ctx = context(db, tmp_path, FakeSender(), clock, limits=limits)
    return Outflow(ctx, lambda: True)


def test_a_domain_gets_its_rate_and_the_others_do_not_wait(db: Database, tmp_path: Path, clock: Clock) -> None:
    flow = outflow(db, tmp_path, clock, Limits(domains={"slow.example": 5.0}))
    queue = [(NOW, n) for n in range(300)]
    gone: list[datetime] = []
    fetched = Counter[int]()
    while clock.now < NOW + timedelta(seconds=SECONDS):
        due = [number for at, number in sorted(queue) if at <= clock.now]
        queue = [(at, number) for at, number in queue if at > clock.now]
        waits = flow.sort([f"r{number}@slow.example" for number in due] + ["a@fast.example"])
        assert waits[-1] is None
        for number, wait in zip(due, waits[:-1], strict=True):
            fetched[number] += 1
            if wait is None:
                gone.append(clock.now)
            else:
                assert wait.reason == "waiting for its turn: slow.example gets 5 mails a second"
                assert wait.until > clock.now
                queue.append((wait.until, number))
        clock.advance(seconds=0.1)
    counts = windows(gone)
    assert max(counts) <= 50
    assert min(counts) >= 45
    assert fetched.total() <= 3 * len(fetched), "rows are not fetched again and again for nothing"


def test_a_domain_that_asks_us_to_slow_down_rests_and_then_goes_on_slowly_and_faster_again(
    db: Database, tmp_path: Path, clock: Clock
) -> None:
    flow, other_worker = (outflow(db, tmp_path, clock, Limits()) for _ in range(2))
    mail = Message(1, "<1@x>", "a@x.example", "r@asks.example", b"")
    assert flow.sort(["r@asks.example"] * 100) == [None] * 100
    flow.learn(SendResult(mail, "deferred", "421 4.7.28", "unusual rate"))
    clock.advance(seconds=5)
    for worker in (flow, other_worker):
        (wait, free) = worker.sort(["r@asks.example", "r@else.example"])
        assert free is None
        assert wait is not None
        assert wait.until > NOW + timedelta(minutes=1)
        assert "asked us to slow down" in wait.reason
    went = []
    for _ in range(12):
        clock.advance(seconds=60)
        went.append(sum(wait is None for wait in flow.sort(["r@asks.example"] * 1000)))
    assert went == sorted(went)
    assert went[0] <= 3
    assert went[-1] == 1000


def test_asking_again_while_it_rests_adds_nothing_and_asking_later_halves_again() -> None:
    first = slower(None, None, NOW)
    assert first == Slowed(5.0, NOW)
    assert slower(None, first, NOW + timedelta(seconds=30)) == first
    assert rate_now(None, first, NOW + timedelta(seconds=59)) == 0.0
    assert rate_now(None, first, NOW + timedelta(seconds=60)) == 5.0
    assert rate_now(None, first, NOW + timedelta(seconds=120)) == 10.0
    assert slower(None, first, NOW + timedelta(seconds=120)) == Slowed(5.0, NOW + timedelta(seconds=120))
    assert rate_now(8.0, first, NOW + timedelta(days=1)) == 8.0, "never above the operator's limit"
    assert rate_now(None, first, NOW + timedelta(days=1)) is None
    assert slower(0.15, None, NOW).rate == 0.1


def test_no_more_mails_of_a_worker_are_under_way_to_a_domain_than_it_has_places(
    sqlite_db: Database, tmp_path: Path, clock: Clock
) -> None:
    goes_on = True
    ctx = context(sqlite_db, tmp_path, FakeSender(), clock, limits=Limits(domain_parallel=2))
    flow = Outflow(ctx, lambda: goes_on)
    assert flow.enter("a@x.example")
    assert flow.enter("b@X.example")
    assert flow.enter("a@y.example")
    goes_on = False
    assert not flow.enter("c@x.example")
    flow.leave("a@x.example")
    assert flow.enter("c@x.example")


def test_waiting_for_a_turn_ends_when_the_work_does(sqlite_db: Database, tmp_path: Path, clock: Clock) -> None:
    rests: list[float] = []
    ctx = context(sqlite_db, tmp_path, FakeSender(), clock, limits=Limits(rate=0.01), rest=rests.append)
    flow = Outflow(ctx, lambda: len(rests) < 3)
    assert flow.enter("a@x.example")
    assert not flow.enter("a@x.example")
    assert rests == [0.2] * 3
