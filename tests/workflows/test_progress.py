"""How far, how fast, until when, and why not."""

from datetime import timedelta
from pathlib import Path

import pytest

from digest.domain.mail import SendResult
from digest.errors import NotFound, SenderUnavailable
from digest.store.database import Database
from digest.store.deliveries import ReasonCount
from digest.workflows.deliver import deliver
from digest.workflows.progress import Pulse, in_words
from tests.conftest import Clock  # type: ignore[import-not-found]
from tests.workflows.world import FakeSender, context, publish, reader  # type: ignore[import-not-found]


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_rate_and_time_left_while_it_is_sent(db: Database, tmp_path: Path, clock: Clock) -> None:
    sender = FakeSender()
    ctx = context(db, tmp_path / "var", sender, clock)
    issue = publish(ctx)
    for number in range(30):
        reader(ctx, f"r{number}@x.example")
    ticks = Ticks()
    pulse = Pulse(ctx, ticks)
    assert pulse.read(issue).counts["audience"] == 0
    ticks.now = 10
    deliver(ctx, issue, threads=1, stop=lambda: len(sender.taken) >= 20)
    found = pulse.read(issue)
    assert (found.settled, found.rate, found.left, found.state) == (20, 2.0, 5.0, "sending")
    assert found.words == "20 of 30, sending, 2 a second, 5 s left"
    ticks.now = 10.5
    deliver(ctx, issue, threads=1, stop=lambda: len(sender.taken) >= 25)
    assert pulse.read(issue) == found, "within a second everybody gets the same reading"
    deliver(ctx, issue)
    assert pulse.read(issue).words == "30 of 30, sent"


def test_results_are_counted_by_reason(db: Database, tmp_path: Path, clock: Clock) -> None:
    sender = FakeSender()
    ctx = context(db, tmp_path / "var", sender, clock)
    issue = publish(ctx)
    for number in range(3):
        reader(ctx, f"none{number}@x.example", "sports")
    for name in ("ok", "gone", "later"):
        reader(ctx, f"{name}@x.example")
    sender.script["gone@x.example"] = SendResult(None, "failed", "550 5.1.1", "no such user")  # type: ignore[arg-type]
    sender.script["later@x.example"] = SendResult(None, "deferred", "451 4.3.0", "try later")  # type: ignore[arg-type]
    deliver(ctx, issue, threads=1)
    assert Pulse(ctx).read(issue).reasons == (
        ReasonCount("skipped", "nothing new in the chosen topics", 3),
        ReasonCount("failed", "550 5.1.1 no such user", 1),
        ReasonCount("queued", "451 4.3.0 try later", 1),
    )


def test_when_it_goes_on_is_said_while_everybody_waits(sqlite_db: Database, tmp_path: Path, clock: Clock) -> None:
    sender = FakeSender()
    sender.script["*"] = SenderUnavailable("the relay is away")
    ctx = context(sqlite_db, tmp_path / "var", sender, clock)
    issue = publish(ctx)
    reader(ctx, "a@x.example")
    deliver(ctx, issue)
    found = Pulse(ctx).read(issue)
    assert found.left is None
    assert found.next_at is not None
    assert clock() < found.next_at < clock() + timedelta(minutes=2)
    assert found.words.endswith("— the relay is away")
    with pytest.raises(NotFound):
        Pulse(ctx).read(99)


@pytest.mark.parametrize(
    ("seconds", "words"), [(40, "40 s"), (120, "2 min"), (5400, "1 h 30 min"), (12000, "3 h 20 min")]
)
def test_time_left_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
