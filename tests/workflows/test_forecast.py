"""The forecast of a send equals the send, number by number; looking changes nothing."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from digest.domain.limits import Limits
from digest.errors import StateConflict
from digest.store import deliveries
from digest.store.database import Database
from digest.store.tables import Delivery
from digest.workflows.approve import hold
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver
from digest.workflows.forecast import forecast
from tests.conftest import NOW, Clock
from tests.workflows.world import FakeSender, context, ledger, publish, reader, suppress


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender(batch=500)


@pytest.fixture
def ctx(db: Database, tmp_path: Path, sender: FakeSender, clock: Clock) -> Context:
    return context(db, tmp_path / "var", sender, clock)


def town(ctx: Context, count: int = 60) -> None:
    """Readers of every kind, the same ones each time."""
    chance = random.Random(7)
    for n in range(count):
        topics = chance.sample(["policy", "markets", "sports"], chance.randint(0, 2))
        reader(
            ctx, f"reader{n}{'x' * chance.randint(0, 30)}@x{n % 3}.example", *topics,
            state=chance.choice(["active"] * 5 + ["ended", "pending"]),
            frequency=chance.choice(["every-issue"] * 3 + ["daily", "weekdays", "weekly"]),
            weekly=[topic for topic in topics if chance.random() < 0.3],
            hour=chance.choice(["", "", "07:00", "18:30"]), zone=chance.choice(["UTC", "Asia/Tokyo", "America/Lima"]),
            paused_until=NOW + timedelta(days=2) if chance.random() < 0.1 else None,
        )  # fmt: skip
        if chance.random() < 0.1:
            suppress(ctx, f"reader{n}@x{n % 3}.example")


def test_a_forecast_is_what_then_happens_also_after_an_issue_that_carried_some_of_it(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    town(ctx, 0)
    first = publish(ctx, 1, {"policy": (1, 2), "markets": (4,)})
    town(ctx)
    deliver(ctx, first)
    clock.advance(days=1)
    deliver(ctx, first)
    sender.taken.clear()
    second = publish(ctx, 2, {"policy": (1, 2, 3), "markets": (4,)}, updates=[2])
    told = forecast(ctx, second)
    assert told == forecast(ctx, second)
    assert audit(ctx, second)["audience"] == 0, "nothing is written"

    deliver(ctx, second)
    with ctx.db.read() as session:
        moments = {each or clock.now for each in session.exec(select(Delivery.not_before).where(
            Delivery.issue_id == second, col(Delivery.cut_id).is_not(None)))}  # fmt: skip
    clock.advance(days=2)
    deliver(ctx, second)
    numbers = audit(ctx, second)
    with ctx.db.read() as session:
        reasons = deliveries.skip_reasons(session, second)
        cuts = set(session.exec(select(Delivery.cut_id).where(Delivery.issue_id == second, Delivery.state == "sent")))
    assert (told.audience, told.recipients, told.settled) == (numbers["audience"], numbers["sent"], 0)
    assert told.skips == reasons
    assert len(reasons) >= 5, "the town has every kind of reader"
    assert told.cuts == len(cuts)
    assert told.largest == max(len(message.data) for message in sender.taken)
    assert (told.first_at, told.last_at) == (min(moments), max(moments))
    assert (told.hours, told.sending.shortfall) == (0.0, 0)


def test_limits_of_the_sender_make_hours_and_a_shortfall(ctx: Context) -> None:
    issue = publish(ctx)
    for n in range(30):
        reader(ctx, f"r{n}@{'slow' if n < 20 else 'fast'}.example")
    told = forecast(replace(ctx, limits=Limits(rate=0.01, domains={"slow.example": 0.005}, warm_up=(25, 100))), issue)
    assert told.hours == 20 / 0.005 / 3600, "the slowest domain decides"
    assert told.sending.shortfall == 6  # of the 25, one is kept for confirmations
    assert told.as_dict()["shortfall"] == 6


def test_an_issue_that_is_held_on_its_way_is_forecast_without_those_who_have_it(
    ctx: Context, sender: FakeSender
) -> None:
    issue = publish(ctx)
    for n in range(3):
        reader(ctx, f"now{n}@x.example")
    reader(ctx, "later@x.example", hour="18:30")
    deliver(ctx, issue)
    hold(ctx, issue, "ann")
    told = forecast(ctx, issue)
    assert (told.audience, told.settled, told.recipients, told.last_at) == (4, 3, 1, NOW.replace(hour=18, minute=30))
    assert ledger(ctx, issue)["later"] == ("queued", "")


def test_a_sent_issue_has_no_forecast(ctx: Context) -> None:
    issue = publish(ctx)
    deliver(ctx, issue)
    with pytest.raises(StateConflict, match=r"is sent: there is nothing to forecast; `digest issue audit"):
        forecast(ctx, issue)
