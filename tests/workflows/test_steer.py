"""Pause, resume and cancel on the way: seen by every worker, kept over restarts, and the ledger always adds up."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from digest.domain.mail import DELIVERY_STATES, Message
from digest.errors import StateConflict
from digest.store import issues
from digest.store.audit_log import about, issue_subject
from digest.store.database import Database
from digest.workflows.approve import cancel, hold, pause, resume
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver
from digest.workflows.edit import drop
from tests.conftest import Clock  # type: ignore[import-not-found]
from tests.workflows.world import (  # type: ignore[import-not-found]
    FakeSender,
    context,
    issue_row,
    ledger,
    publish,
    reader,
)

READERS = 25


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def ctx(db: Database, tmp_path: Path, sender: FakeSender, clock: Clock) -> Context:
    return context(db, tmp_path / "var", sender, clock)


@pytest.fixture
def issue(ctx: Context) -> int:
    number: int = publish(ctx)
    for reader_number in range(READERS):
        reader(ctx, f"r{reader_number}@x.example")
    return number


def adds_up(ctx: Context, issue: int) -> dict[str, int]:
    numbers = audit(ctx, issue)
    assert numbers["audience"] == sum(numbers[state] for state in DELIVERY_STATES) == READERS
    return numbers


def after(sender: FakeSender, clock: Clock, mails: int, step: Callable[[], None]) -> Callable[[Message], None]:
    """Take the step once, when so many mails are handed over; every mail takes half a second."""
    first, hands = threading.Lock(), threading.Lock()

    def on_hand_over(_message: Message) -> None:
        with hands:
            clock.advance(seconds=0.5)
        if len(sender.taken) >= mails and first.acquire(blocking=False):
            step()

    return on_hand_over


def test_pausing_stops_within_three_seconds_and_resuming_goes_on_where_it_stopped(
    ctx: Context, sender: FakeSender, clock: Clock, issue: int
) -> None:
    paused_at = []

    def step() -> None:
        pause(ctx, issue, "ann")
        paused_at.append(clock())

    sender.on_hand_over = after(sender, clock, 7, step)
    deliver(ctx, issue, threads=1)
    assert clock() - paused_at[0] <= timedelta(seconds=3)
    numbers = adds_up(ctx, issue)
    assert (numbers["sending"], numbers["unknown"], numbers["failed"]) == (0, 0, 0)
    assert 8 <= numbers["sent"] <= 10
    assert (issue_row(ctx, issue).state, issue_row(ctx, issue).reason) == ("held", "paused by ann")

    deliver(ctx)  # another worker, or the same one after a restart
    assert adds_up(ctx, issue) == numbers

    resume(ctx, issue, "bob")
    deliver(ctx)
    assert adds_up(ctx, issue)["sent"] == READERS
    assert len(sender.taken) == len(set(sender.recipients)) == READERS
    with ctx.db.read() as session:
        said = [(entry.action, entry.actor) for entry in about(session, issue_subject(issue))]
    assert said == [("resume", "bob"), ("pause", "ann")]


def test_all_threads_of_a_worker_stop_when_one_of_them_has_seen_it(
    ctx: Context, sender: FakeSender, clock: Clock, issue: int
) -> None:
    taken_by_then = []

    def step() -> None:
        pause(ctx, issue, "ann")
        taken_by_then.append(len(sender.taken))

    sender.on_hand_over = after(sender, clock, 2, step)
    deliver(ctx, issue, threads=3)
    assert adds_up(ctx, issue)["sent"] <= taken_by_then[0] + 2 + 2 * 3, (
        "the mails of the second that a look is good for, and one in each hand before and after"
    )
    assert adds_up(ctx, issue)["sending"] == 0


def test_cancelling_on_the_way_ends_it_for_those_who_wait_and_keeps_what_was_sent(
    ctx: Context, sender: FakeSender, clock: Clock, issue: int
) -> None:
    sender.on_hand_over = after(sender, clock, 7, lambda: cancel(ctx, issue, "ann", "a wrong name"))
    deliver(ctx, issue, threads=1)
    numbers = adds_up(ctx, issue)
    assert 8 <= numbers["sent"] <= 10
    assert numbers["sent"] + numbers["skipped"] == READERS
    assert set(ledger(ctx, issue).values()) == {("sent", ""), ("skipped", "the issue was cancelled")}
    assert (issue_row(ctx, issue).state, issue_row(ctx, issue).reason) == ("cancelled", "a wrong name")
    deliver(ctx)
    assert adds_up(ctx, issue) == numbers
    with pytest.raises(StateConflict, match="is cancelled"):
        resume(ctx, issue, "ann")


def test_the_number_of_an_issue_that_some_readers_have_is_not_given_again(
    ctx: Context, sender: FakeSender, clock: Clock, issue: int
) -> None:
    sender.on_hand_over = after(sender, clock, 3, lambda: cancel(ctx, issue, "ann"))
    deliver(ctx, issue, threads=1)
    with ctx.db.write() as session:
        before = issues.get(session, issue)
        values = {
            "newsletter_id": before.newsletter_id, "cadence": "daily", "slot": "later", "created_at": clock(),
            "window_start": before.window_start, "window_end": clock(), "due_at": clock(),
        }  # fmt: skip
        later = issues.plan(session, values)
        assert issues.get(session, later).number == before.number + 1


def test_only_what_was_approved_can_be_paused_or_resumed(ctx: Context, issue: int) -> None:
    with pytest.raises(StateConflict, match="needs it held"):
        resume(ctx, issue, "ann")
    hold(ctx, issue, "ann")
    with pytest.raises(StateConflict, match="needs it approved or sending"):
        pause(ctx, issue, "ann")
    drop(ctx, issue, 1, "ann")  # an edit voids the approval
    with pytest.raises(StateConflict, match="approve it instead"):
        resume(ctx, issue, "ann")
