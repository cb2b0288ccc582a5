"""Limits and refusals through the real delivery, on both databases, with a clock that goes on when somebody waits."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlmodel import select

from digest.domain.limits import Limits
from digest.domain.mail import Message, SendResult
from digest.errors import SenderUnavailable
from digest.store.database import Database
from digest.store.deliveries import SUPERSEDED
from digest.store.tables import Delivery, Issue, Notice
from digest.workflows.approve import resume
from digest.workflows.autopilot import advance
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver, send_test
from digest.workflows.notices import queue_notice, send_notices
from digest.workflows.standing import standing
from tests.conftest import NOW, Clock  # type: ignore[import-not-found]
from tests.workflows.world import (  # type: ignore[import-not-found]
    FakeSender,
    context,
    issue_row,
    ledger,
    publish,
    reader,
)

MONDAY = datetime(2026, 3, 16, 11, 0, tzinfo=UTC)


def answer(outcome: str, code: str, detail: str = "") -> SendResult:
    return SendResult(None, outcome, code, detail)  # type: ignore[arg-type]


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def ctx(db: Database, tmp_path: Path, sender: FakeSender, clock: Clock) -> Context:
    return context(db, tmp_path / "var", sender, clock)


@pytest.fixture
def lite(sqlite_db: Database, tmp_path: Path, sender: FakeSender, clock: Clock) -> Context:
    return context(sqlite_db, tmp_path / "var", sender, clock)


def test_a_sender_with_a_rate_takes_no_more_and_hardly_less(ctx: Context, sender: FakeSender, clock: Clock) -> None:
    left: list[datetime] = []
    sender.on_hand_over = lambda _: left.append(clock.now)
    ctx = replace(ctx, limits=Limits(rate=5.0))
    issue = publish(ctx)
    for number in range(80):
        reader(ctx, f"r{number}@x.example")
    assert deliver(ctx, issue, threads=1).sent == 80
    in_ten = [sum(start <= at < start + timedelta(seconds=10) for at in left) for start in left[:30]]
    assert max(in_ten) <= 50
    assert min(in_ten) >= 45


def test_readers_at_a_domain_with_a_limit_wait_for_each_other_and_nobody_else_does(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    left: dict[str, datetime] = {}
    sender.on_hand_over = lambda message: left.__setitem__(message.recipient, clock.now)
    ctx = replace(ctx, limits=Limits(domains={"slow.example": 2.0}))
    issue = publish(ctx)
    for number in range(10):
        reader(ctx, f"r{number}@slow.example")
    for number in range(10):
        reader(ctx, f"r{number}@fast.example")
    assert deliver(ctx, issue, threads=1).sent == 20
    assert {at for address, at in left.items() if "fast" in address} == {NOW}
    slow = sorted(at for address, at in left.items() if "slow" in address)
    assert timedelta(seconds=4) <= slow[-1] - slow[0] <= timedelta(seconds=6)
    assert issue_row(ctx, issue).state == "sent"


def test_a_row_that_only_waited_for_its_turn_was_not_tried(lite: Context, sender: FakeSender, clock: Clock) -> None:
    ctx = replace(lite, limits=Limits(domains={"x.example": 0.001}))
    issue = publish(ctx)
    for number in range(2):
        reader(ctx, f"r{number}@x.example")
    report = deliver(ctx, issue, threads=1)
    assert (report.sent, report.waiting) == (1, 1)
    assert ledger(ctx, issue)["r1"] == ("queued", "waiting for its turn: x.example gets 0.001 mails a second")
    sender.script["r1@x.example"] = answer("deferred", "450 4.2.0", "greylisted")
    clock.advance(hours=30)
    deliver(ctx, issue, threads=1)
    clock.advance(hours=30)
    deliver(ctx, issue, threads=1)
    assert ledger(ctx, issue)["r1"][0] == "queued", "it is tried for two days from its first attempt"
    clock.advance(hours=30)
    deliver(ctx, issue, threads=1)
    assert ledger(ctx, issue)["r1"][1].startswith("given up after 3 attempts in 48 hours")


def test_a_warm_up_sends_a_little_more_every_day_and_says_what_it_waits_for(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    ctx = replace(ctx, limits=Limits(warm_up=(3, 5), daily=9))
    issue = publish(ctx)
    for number in range(21):
        reader(ctx, f"r{number}@x.example")
    sent, words = [], []
    for _ in range(4):
        report = deliver(ctx, issue)
        deliver(ctx, issue, at_once=True)  # nobody talks it into more, and a restart does not forget
        sent.append(len(sender.taken))
        words.append(report.problem)
        clock.now = clock.now.replace(hour=0, minute=1) + timedelta(days=1)
    assert sent == [3, 8, 17, 21]
    assert words == [
        "today's 3 mails (day 1 of the warm-up) have left; goes on on 13 March at 00:00 UTC",
        "today's 5 mails (day 2 of the warm-up) have left; goes on on 14 March at 00:00 UTC",
        "today's 9 mails have left; goes on on 15 March at 00:00 UTC",
        "",
    ]
    assert issue_row(ctx, issue).state == "sent"


def test_while_the_day_is_over_the_issue_says_so_and_readers_that_are_skipped_cost_nothing(
    lite: Context, sender: FakeSender, clock: Clock
) -> None:
    ctx = replace(lite, limits=Limits(daily=4))
    issue = publish(ctx)
    for number in range(6):
        reader(ctx, f"r{number}@x.example")
    sender.script["r0@x.example"] = answer("failed", "550 5.1.1", "no such user")
    sender.script["r1@x.example"] = answer("deferred", "450 4.2.0", "greylisted")
    deliver(ctx, issue, threads=1)
    assert len(sender.taken) == 4
    assert audit(ctx, issue) == {
        "audience": 6, "queued": 1, "sending": 0, "sent": 4, "skipped": 0, "failed": 1, "unknown": 0,
    }  # fmt: skip
    report = standing(ctx)
    assert (report.sent_today, report.cap_today, report.warm_up_day) == (4, 4, 0)
    clock.advance(minutes=30)
    deliver(ctx, issue, threads=1)
    assert issue_row(ctx, issue).reason == "today's 4 mails have left; goes on on 13 March at 00:00 UTC"


def test_a_domain_that_says_421_rests_while_the_others_get_their_mail(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(ctx)
    sender.batch = 1
    for number in range(30):
        reader(ctx, f"r{number}@asks.example")
    sender.script["r0@asks.example"] = answer("deferred", "421 4.7.28", "unusual rate of mail")
    deliver(ctx, issue, threads=1)
    clock.advance(seconds=2)
    for number in range(5):
        reader(ctx, f"late{number}@asks.example")
    assert standing(ctx).slow[0].domain == "asks.example"
    second = publish(ctx, 2, {"policy": (11, 12)})
    reader(ctx, "r@else.example")
    report = deliver(ctx, second, threads=1)
    assert report.sent == 1, "only at the other domain"
    assert "asks.example asked us to slow down" in ledger(ctx, second)["r7"][1]
    sender.script.clear()
    for _ in range(3):
        clock.advance(minutes=4)
        deliver(ctx, second, threads=1)
    assert audit(ctx, second)["sent"] == 36
    assert standing(ctx).slow == ()


def test_a_large_domain_that_refuses_us_by_policy_holds_the_issue_before_its_readers_are_burnt(
    lite: Context, sender: FakeSender
) -> None:
    issue = publish(lite)
    reader(lite, "first@else.example")
    for number in range(40):
        reader(lite, f"r{number}@big.example")
        reader(lite, f"r{number}x@else.example")
        sender.script[f"r{number}@big.example"] = answer("failed", "550 5.7.26", "unauthenticated mail")
    report = deliver(lite, issue, threads=1)
    numbers = audit(lite, issue)
    assert "big.example refuses us: 550 5.7.26 unauthenticated mail" in report.problem
    assert issue_row(lite, issue).state == "held"
    assert numbers["failed"] <= 2


def test_a_small_domain_that_refuses_us_costs_its_readers_and_holds_nobody_else(
    lite: Context, sender: FakeSender
) -> None:
    issue = publish(lite)
    reader(lite, "first@else.example")
    for number in range(4):
        reader(lite, f"r{number}@small.example")
        reader(lite, f"r{number}x@else.example")
        sender.script[f"r{number}@small.example"] = answer("failed", "550 5.7.1", "we want no newsletters")
    deliver(lite, issue, threads=1)
    numbers = audit(lite, issue)
    assert (issue_row(lite, issue).state, numbers["failed"], numbers["sent"]) == ("sent", 4, 5)


def test_a_provider_that_takes_mails_in_batches_does_not_wait_for_its_own_places(
    lite: Context, sender: FakeSender
) -> None:
    taking = sender.send

    def in_batches(messages, hand_over):  # type: ignore[no-untyped-def]
        batch = list(messages)
        for message in batch:
            hand_over(message)
        yield from taking(batch, lambda _: None)

    sender.send = in_batches  # type: ignore[method-assign]
    ctx = replace(lite, limits=Limits(domain_parallel=2))
    issue = publish(ctx)
    for number in range(9):
        reader(ctx, f"r{number}@x.example")
    assert deliver(ctx, issue, threads=1).sent == 9


def test_a_relay_that_changes_its_mind_about_us_holds_the_issue(lite: Context, sender: FakeSender) -> None:
    issue = publish(lite)
    for number in range(40):
        reader(lite, f"r{number}@x{number}.example")
        if number >= 10:
            sender.script[f"r{number}@x{number}.example"] = answer("failed", "550 5.7.1", "account suspended")
    report = deliver(lite, issue, threads=1)
    assert "the mail server refuses us: 550 5.7.1 account suspended" in report.problem
    assert issue_row(lite, issue).state == "held"
    assert audit(lite, issue)["failed"] == 4


# Mails outside the issues


def ask(ctx: Context, address: str) -> None:
    with ctx.db.write() as session:
        values = {"newsletter": "ledger", "name": "The Ledger", "url": "https://mail.ledger.example/confirm/abc"}
        queue_notice(session, ctx.clock(), "confirm", address, values)


def test_notices_and_tests_take_their_turns_among_an_issues_mails(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    ctx = replace(ctx, limits=Limits(rate=2.0))
    issue = publish(ctx)
    left: dict[str, datetime] = {}
    for number in range(60):
        reader(ctx, f"r{number}@x.example")

    def somebody_asks(message: Message) -> None:
        left[message.recipient] = clock.now
        if message.recipient == asked_after:
            ask(ctx, "new@y.example")
            send_notices(ctx)
            send_test(ctx, issue, "ann@ledger.example")

    asked_after = "r20@x.example"
    sender.on_hand_over = somebody_asks
    assert deliver(ctx, issue, threads=1).sent == 60
    assert left["new@y.example"] - left[asked_after] <= timedelta(seconds=3)
    times = sorted(left.values())
    assert len(times) == 62
    assert max(sum(start <= at < start + timedelta(seconds=10) for at in times) for start in times) <= 20


def test_notices_to_a_slow_domain_go_before_an_issues_mails_and_within_its_rate(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    ctx = replace(ctx, limits=Limits(domains={"slow.example": 0.5}))
    publish(ctx)
    left: list[datetime] = []
    sender.on_hand_over = lambda _: left.append(clock.now)
    for number in range(4):
        ask(ctx, f"n{number}@slow.example")
    assert send_notices(ctx).sent == 4
    gaps = [after - before for before, after in pairwise(left)]
    assert min(gaps) >= timedelta(seconds=2)
    assert max(gaps) <= timedelta(seconds=2.5)


def test_a_notice_waits_while_its_domain_rests_and_was_not_tried(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    publish(ctx)
    ask(ctx, "a@slow.example")
    sender.script["a@slow.example"] = answer("deferred", "421 4.7.0", "slow down")
    assert send_notices(ctx).waiting == 1
    sender.script.clear()
    ask(ctx, "b@slow.example")
    ask(ctx, "c@fast.example")
    assert send_notices(ctx).as_dict() == {"sent": 1, "waiting": 1, "failed": 0}
    with ctx.db.read() as session:
        row = session.exec(select(Notice).where(Notice.address == "b@slow.example")).one()
    assert (row.not_before, row.error) == (
        NOW + timedelta(minutes=1), "slow.example asked us to slow down: it rests until 11:01:00 UTC",
    )  # fmt: skip
    with pytest.raises(SenderUnavailable, match="asked us to slow down"):
        send_test(ctx, 1, "ann@slow.example")
    clock.advance(minutes=2)
    assert send_notices(ctx).sent == 2


def test_a_days_number_keeps_a_part_for_notices_and_counts_them(ctx: Context, sender: FakeSender, clock: Clock) -> None:
    ctx = replace(ctx, limits=Limits(daily=40))
    issue = publish(ctx)
    for number in range(50):
        reader(ctx, f"r{number}@x.example")
    ask(ctx, "early@y.example")
    send_notices(ctx)
    deliver(ctx, issue)
    assert len(sender.taken) == 38
    for number in range(3):
        ask(ctx, f"late{number}@y.example")
    sender.script["late2@y.example"] = answer("failed", "550 5.1.1", "nobody here")
    assert send_notices(ctx).as_dict() == {"sent": 2, "waiting": 0, "failed": 1}
    assert (standing(ctx).sent_today, len(sender.taken)) == (40, 40)
    ask(ctx, "over@y.example")
    assert send_notices(ctx).sent == 1  # somebody waits for it
    clock.advance(days=1)
    deliver(ctx, issue)
    assert audit(ctx, issue)["sent"] == 50


def test_a_day_of_confirmations_alone_is_no_day_of_the_warm_up(ctx: Context, sender: FakeSender, clock: Clock) -> None:
    ctx = replace(ctx, limits=Limits(warm_up=(3, 5)))
    issue = publish(ctx)
    for number in range(9):
        reader(ctx, f"r{number}@x.example")
    ask(ctx, "a@y.example")
    send_notices(ctx)
    clock.advance(days=1)
    assert standing(ctx).warm_up_day == 1
    deliver(ctx, issue)
    assert audit(ctx, issue)["sent"] == 3


# A warm-up that lasts longer than an issue is news


def test_a_warm_up_spreads_readers_over_issues_and_nobody_gets_an_old_one(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    ctx = replace(ctx, limits=Limits(warm_up=(3, 4, 4, 4, 4), daily=100))
    publish(ctx, 1, {"policy": (1, 2)})
    for n in range(15):
        reader(ctx, f"r{n:02}@x.example")
    deliver(ctx)
    for number in range(1, 8):
        if number > 1:
            publish(ctx, number, {"policy": (2 * number - 1, 2 * number)})
        for _ in range(3):
            advance(ctx)
        counts = audit(ctx, number)
        assert counts["audience"] == sum(value for state, value in counts.items() if state != "audience") == 15
        clock.advance(days=1)
    advance(ctx)
    got: dict[str, list[int]] = {}
    for mail in sender.taken:
        of = re.search(rb"Feedback-ID: (\d+):", mail.data)
        got.setdefault(mail.recipient, []).append(int(of[1]) if of else 0)
    sent = [sum(each in numbers for numbers in got.values()) for each in range(1, 8)]
    assert sent == [3, 4, 4, 4, 4, 15, 15]
    assert sorted(min(numbers) for numbers in got.values()) == [1] * 3 + [2] * 4 + [3] * 4 + [4] * 4
    with ctx.db.read() as session:
        states = {row.id: row.state for row in session.exec(select(Issue))}
        why = set(session.exec(select(Delivery.reason).where(Delivery.state == "skipped")).all())
    assert set(states.values()) == {"sent"}
    assert why == {SUPERSEDED}


def test_who_does_not_get_the_newer_issue_keeps_their_place_and_what_is_old_is_held(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    ctx = replace(ctx, limits=Limits(daily=2))
    clock.now = MONDAY
    first = publish(ctx, 1, {"policy": (1, 2)})
    for n in range(8):
        reader(ctx, f"w{n:02}@x.example", frequency="weekly")
    reader(ctx, "daily@x.example")
    advance(ctx)
    for number in (2, 3, 4):
        clock.advance(days=1)
        publish(ctx, number, {"policy": (2 * number, 2 * number + 1)})
        for _ in range(2):
            advance(ctx)
    assert ledger(ctx, first)["daily"] == ("skipped", SUPERSEDED)
    clock.advance(hours=1)
    advance(ctx)
    row = issue_row(ctx, first)
    assert (row.state, audit(ctx, first)["sent"]) == ("held", 5)
    assert "not sent within 3 days of its hour" in row.reason
    resume(ctx, first, "ann")
    taken = len(sender.taken)
    for _ in range(2):
        advance(ctx)
        clock.advance(days=1)
    advance(ctx)
    assert issue_row(ctx, first).state == "sent"
    assert ledger(ctx, first)["daily"] == ("skipped", SUPERSEDED)
    assert len(sender.taken) >= taken + 3
    recipients = [message.recipient for message in sender.taken if message.recipient.startswith("w")]
    assert sorted(recipients) == sorted(set(recipients))
    assert len(recipients) == 8
