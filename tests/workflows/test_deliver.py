"""Who gets what, and what becomes of it, on both databases."""

import email
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import policy
from pathlib import Path

import pytest
from sqlmodel import col, select, update

from digest.domain.mail import Message, SendResult
from digest.errors import NotFound, SenderRefused, SenderUnavailable, StateConflict
from digest.senders.local import MaildirSender
from digest.store.database import Database
from digest.store.tables import Delivery, Issue, QueueRow, SentStory, Story, Subscription
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver, plan_deliveries, send_test
from digest.workflows.messages import shown_again
from tests.conftest import NOW, Clock  # type: ignore[import-not-found]
from tests.workflows.world import (  # type: ignore[import-not-found]
    FakeSender,
    back_into_the_queue,
    context,
    issue_row,
    ledger,
    publish,
    reader,
    suppress,
)


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def ctx(db: Database, tmp_path: Path, sender: FakeSender, clock: Clock) -> Context:
    return context(db, tmp_path / "var", sender, clock)


@pytest.fixture
def lite(sqlite_db: Database, tmp_path: Path, sender: FakeSender, clock: Clock) -> Context:
    """On one database only, for what does not depend on it."""
    return context(sqlite_db, tmp_path / "var", sender, clock)


def answer(outcome: str, code: str = "", detail: str = "", retry_after: float | None = None) -> SendResult:
    return SendResult(None, outcome, code, detail, retry_after=retry_after)  # type: ignore[arg-type]


def test_every_reader_gets_their_own_selection_or_a_reason(ctx: Context, sender: FakeSender) -> None:
    issue = publish(ctx)
    reader(ctx, "all@x.example")
    reader(ctx, "policy@x.example", "policy")
    reader(ctx, "none@x.example", "sports")
    reader(ctx, "paused@x.example", paused_until=NOW + timedelta(hours=1))
    reader(ctx, "back@x.example", paused_until=NOW)
    reader(ctx, "weekly@x.example", frequency="weekly")  # the newsletter's weekday is Monday, NOW is a Thursday
    reader(ctx, "weekdays@x.example", frequency="weekdays")
    reader(ctx, "complained@x.example")
    reader(ctx, "pending@x.example", state="pending")
    reader(ctx, "ended@x.example", state="ended")
    suppress(ctx, "Complained@x.example")

    assert plan_deliveries(ctx, issue) == {
        "audience": 8, "queued": 4, "sending": 0, "sent": 0, "skipped": 4, "failed": 0, "unknown": 0,
    }  # fmt: skip
    report = deliver(ctx, issue)

    assert (report.sent, report.waiting, report.problem) == (4, 0, "")
    assert sender.recipients == ["all@x.example", "back@x.example", "policy@x.example", "weekdays@x.example"]
    assert {name: reason for name, (state, reason) in ledger(ctx, issue).items() if state == "skipped"} == {
        "none": "nothing new in the chosen topics",
        "paused": "paused",
        "weekly": "not on this day: weekly",
        "complained": "suppressed",
    }
    mails = {m.recipient.split("@")[0]: email.message_from_bytes(m.data, policy=policy.default) for m in sender.taken}
    text = {name: mail.get_body(("plain",)).get_content() for name, mail in mails.items()}
    assert "Story 4 on markets" in text["all"]
    assert "Story 4 on markets" not in text["policy"]
    assert "Story 1 on policy" in text["policy"]
    assert mails["all"]["List-Unsubscribe"] != mails["policy"]["List-Unsubscribe"]


def test_when_all_is_settled_the_issue_is_sent_and_its_stories_are_remembered(lite: Context) -> None:
    issue = publish(lite)
    reader(lite, "a@x.example")
    deliver(lite, issue)
    row = issue_row(lite, issue)
    assert (row.state, row.reason, row.finished_at) == ("sent", "", NOW)
    with lite.db.read() as session:
        assert {story.last_sent_at for story in session.exec(select(Story))} == {NOW}
        assert set(session.exec(select(SentStory.story_id))) == {1, 2, 3, 4, 5, 6}
    assert deliver(lite, issue).sent == 0


def test_planning_again_follows_what_readers_changed_and_changes_nothing_else(ctx: Context) -> None:
    issue = publish(ctx)
    first = reader(ctx, "first@x.example")
    plan_deliveries(ctx, issue)
    before = ledger(ctx, issue)
    plan_deliveries(ctx, issue)
    assert ledger(ctx, issue) == before
    reader(ctx, "late@x.example")
    with ctx.db.write() as session:
        session.execute(
            update(Subscription).where(col(Subscription.id) == first).values(paused_until=NOW + timedelta(1))
        )
    plan_deliveries(ctx, issue)
    assert ledger(ctx, issue) == {"first": ("skipped", "paused"), "late": ("queued", "")}


def test_an_issue_that_is_not_approved_is_neither_planned_nor_sent(lite: Context) -> None:
    issue = publish(lite)
    with lite.db.write() as session:
        session.execute(update(Issue).values(state="held"))
    with pytest.raises(StateConflict, match="held: approve it"):
        plan_deliveries(lite, issue)
    with pytest.raises(StateConflict, match="held: approve it"):
        deliver(lite, issue)
    with pytest.raises(NotFound, match="no issue 99"):
        deliver(lite, 99)


def test_without_an_issue_named_only_those_whose_hour_has_come_are_sent(
    lite: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(lite)
    reader(lite, "a@x.example")
    with lite.db.write() as session:
        session.execute(update(Issue).values(due_at=NOW + timedelta(minutes=1)))
    assert deliver(lite).issues == []
    clock.advance(minutes=1)
    assert deliver(lite).issues == [issue]
    assert sender.recipients == ["a@x.example"]


def test_what_readers_ask_for_after_planning_is_seen_at_the_moment_of_sending(ctx: Context, sender: FakeSender) -> None:
    issue = publish(ctx)
    ended, paused = reader(ctx, "ended@x.example"), reader(ctx, "paused@x.example")
    reader(ctx, "complained@x.example")
    sender.script["*"] = SenderUnavailable("away")
    deliver(ctx, issue)  # it is being sent from here on, and is not planned again
    suppress(ctx, "complained@x.example")
    with ctx.db.write() as session:
        for subscription, values in ((ended, {"state": "ended"}), (paused, {"paused_until": NOW + timedelta(days=1)})):
            session.execute(update(Subscription).where(col(Subscription.id) == subscription).values(**values))
    sender.script.clear()
    assert deliver(ctx, issue, at_once=True).skipped == 3
    assert sender.taken == []
    assert ledger(ctx, issue) == {
        "ended": ("skipped", "unsubscribed"),
        "paused": ("skipped", "paused"),
        "complained": ("skipped", "suppressed"),
    }
    assert issue_row(ctx, issue).state == "sent"


def test_a_server_that_is_away_leaves_everybody_queued_with_growing_waits_and_clear_words(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(ctx)
    for number in range(25):
        reader(ctx, f"r{number}@x.example")
    sender.script["*"] = SenderUnavailable("can't reach smtp mail.example:25: Connection refused")
    waits = []
    for _ in range(6):
        report = deliver(ctx)
        assert report.problem == "can't reach smtp mail.example:25: Connection refused"
        assert report.waiting == 25
        assert issue_row(ctx, issue).reason == report.problem
        assert audit(ctx, issue)["queued"] == 25
        until = issue_row(ctx, issue).rests_until
        assert until is not None
        waits.append((until - clock.now).total_seconds())
        assert deliver(ctx).problem == ""  # not due: the server is left alone
        clock.now = until
    assert waits[:5] == sorted(waits[:5])
    assert 30 <= waits[0] <= 38
    assert 900 <= waits[-1] <= 1125
    sender.script.clear()
    assert deliver(ctx).sent == 25
    assert (issue_row(ctx, issue).state, issue_row(ctx, issue).reason) == ("sent", "")


def test_somebody_who_asks_for_it_at_once_does_not_wait_for_a_server_that_is_back(
    ctx: Context, sender: FakeSender
) -> None:
    issue = publish(ctx)
    reader(ctx, "a@x.example")
    reader(ctx, "greylisted@x.example")
    sender.script["greylisted@x.example"] = answer("deferred", "450 4.2.0", "greylisted")
    assert deliver(ctx, issue).deferred == 1
    with ctx.db.write() as session:  # a is given back by hand, as if the server had been away
        back_into_the_queue(session)
    sender.taken.clear()
    sender.script["*"] = SenderUnavailable("away")
    deliver(ctx, issue)
    sender.script.clear()
    assert deliver(ctx, issue).sent == 0
    assert deliver(ctx, issue, at_once=True).sent == 1
    assert sender.recipients == ["a@x.example"], "greylisting is waited out whoever asks"


def test_a_server_that_refuses_us_holds_the_issue_and_marks_nobody(lite: Context, sender: FakeSender) -> None:
    issue = publish(lite)
    for number in range(15):
        reader(lite, f"r{number}@x.example")
    sender.script["r12@x.example"] = SenderRefused("535 5.7.8 wrong password")
    report = deliver(lite, issue, threads=1)
    assert report.problem == "535 5.7.8 wrong password"
    assert (issue_row(lite, issue).state, issue_row(lite, issue).reason) == ("held", "535 5.7.8 wrong password")
    assert {state for state, _ in ledger(lite, issue).values()} == {"sent", "queued"}
    with lite.db.write() as session:  # as releasing it does
        session.execute(update(Issue).values(state="approved", reason=""))
    sender.script.clear()
    deliver(lite, issue)
    assert len(sender.recipients) == len(set(sender.recipients)) == 15


def test_a_mail_that_is_put_off_comes_back_later_and_is_given_up_in_the_end(
    lite: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(lite)
    reader(lite, "soft@x.example")
    reader(lite, "fine@x.example")
    sender.script["soft@x.example"] = answer("deferred", "450 4.2.0", "greylisted")
    minutes = []
    while issue_row(lite, issue).state != "sent":
        deliver(lite, issue, chance=random.Random(5))
        with lite.db.read() as session:
            row = session.exec(select(Delivery).where(Delivery.state == "queued")).first()
        if row is not None:
            assert row.reason == "450 4.2.0 greylisted"
            minutes.append((row.not_before - clock.now).total_seconds() / 60)
            clock.now = row.not_before
    assert [minutes[n] >= least for n, least in enumerate((5, 15, 60, 240))] == [True] * 4
    assert max(minutes) <= 300
    state, reason = ledger(lite, issue)["soft"]
    assert state == "failed"
    assert reason.startswith("given up after")
    assert reason.endswith("in 48 hours: 450 4.2.0 greylisted")
    assert sender.recipients == ["fine@x.example"]


def test_the_server_may_ask_for_more_time(lite: Context, sender: FakeSender) -> None:
    publish(lite)
    reader(lite, "a@x.example")
    sender.script["*"] = answer("deferred", "429", "slow down", retry_after=7200)
    deliver(lite)
    with lite.db.read() as session:
        assert session.exec(select(Delivery.not_before)).one() == NOW + timedelta(hours=2)


def test_failures_and_unknowns_are_kept_with_the_servers_words_and_never_tried_again(
    lite: Context, sender: FakeSender
) -> None:
    issue = publish(lite)
    for name in ("hard", "lost", "fine", "jörg"):
        reader(lite, f"{name}@x.example")
    sender.script["hard@x.example"] = answer("failed", "550 5.1.1", "no such user")
    sender.script["lost@x.example"] = answer("unknown", "", "no answer")
    report = deliver(lite, issue)
    assert report.words == "1 sent, 2 failed, 1 unknown"
    found = ledger(lite, issue)
    assert found["hard"] == ("failed", "550 5.1.1 no such user")
    assert found["lost"] == ("unknown", "no answer")
    assert found["jörg"][0] == "failed"
    assert "SMTPUTF8" in found["jörg"][1]
    assert issue_row(lite, issue).state == "sent"
    sender.script.clear()
    assert deliver(lite, issue).sent == 0


def test_nobody_is_sent_a_story_twice_unless_it_is_an_update(ctx: Context, sender: FakeSender) -> None:
    first = publish(ctx, 1, {"policy": (1, 2), "markets": (4,)})
    reader(ctx, "all@x.example")
    reader(ctx, "markets@x.example", "markets")
    reader(ctx, "failed@x.example")
    sender.script["failed@x.example"] = answer("failed", "550")
    deliver(ctx, first)
    sender.script.clear()
    sender.taken.clear()
    reader(ctx, "new@x.example")
    second = publish(ctx, 2, {"policy": (1, 2, 3), "markets": (4,)}, updates=[2])
    deliver(ctx, second)
    told = {
        m.recipient.split("@")[0]: {n for n in (1, 2, 3, 4) if f"https://news.example/{n}".encode() in m.data}
        for m in sender.taken
    }
    assert told == {"all": {2, 3}, "failed": {1, 2, 3, 4}, "new": {1, 2, 3, 4}}
    assert ledger(ctx, second)["markets"] == ("skipped", "everything in the chosen topics was sent before")


def test_several_workers_at_once_send_everybody_one_mail(ctx: Context, sender: FakeSender) -> None:
    issue = publish(ctx)
    for number in range(60):
        reader(ctx, f"r{number}@x.example")
    together = threading.Barrier(3, timeout=10)

    def worker() -> int:
        together.wait()
        return deliver(ctx, issue, threads=2).sent

    with ThreadPoolExecutor(3) as pool:
        sent = [future.result() for future in [pool.submit(worker) for _ in range(3)]]
    assert sum(sent) == 60
    assert len(sender.taken) == len(set(sender.recipients)) == 60
    assert audit(ctx, issue)["sent"] == 60
    assert issue_row(ctx, issue).state == "sent"


def test_what_was_sent_can_be_shown_again_to_the_byte(lite: Context, sender: FakeSender, clock: Clock) -> None:
    issue = publish(lite)
    reader(lite, "a@x.example", "policy")
    reader(lite, "out@x.example", "sports")
    deliver(lite, issue)
    clock.advance(days=40)
    assert shown_again(lite, issue, "A@x.example") == sender.taken[0].data
    with pytest.raises(NotFound, match="was sent nothing of issue 1: nothing new"):
        shown_again(lite, issue, "out@x.example")
    with pytest.raises(NotFound, match="no subscriber has the address"):
        shown_again(lite, issue, "b@x.example")


def test_a_second_attempt_bears_the_same_message_id_and_date(lite: Context, sender: FakeSender, clock: Clock) -> None:
    publish(lite)
    reader(lite, "a@x.example")
    tried: list[bytes] = []
    taking = sender.send

    def put_off(messages, hand_over):  # type: ignore[no-untyped-def]
        for message in messages:
            tried.append(message.data)
            yield SendResult(message, "deferred", "450", "later")

    sender.send = put_off  # type: ignore[method-assign]
    deliver(lite)
    clock.advance(hours=1)
    sender.send = taking  # type: ignore[method-assign]
    deliver(lite)
    assert [message.data for message in sender.taken] == tried


def test_a_test_mail_is_marked_and_leaves_the_ledger_alone(lite: Context, sender: FakeSender) -> None:
    issue = publish(lite)
    reader(lite, "a@x.example")
    assert send_test(lite, issue, "editor@x.example") == "250 2.0.0 taken"
    mail = email.message_from_bytes(sender.taken[0].data, policy=policy.default)
    assert mail["Subject"].startswith("[Test] ")
    assert mail["To"] == "editor@x.example"
    assert audit(lite, issue)["audience"] == 0
    sender.script["*"] = SenderUnavailable("away")
    with pytest.raises(SenderUnavailable, match="away"):
        send_test(lite, issue, "editor@x.example")


def test_asked_to_stop_it_hands_nothing_over_any_more_and_leaves_the_rest_queued(
    lite: Context, sender: FakeSender
) -> None:
    issue = publish(lite)
    for number in range(25):
        reader(lite, f"r{number}@x.example")
    report = deliver(lite, issue, threads=1, stop=lambda: len(sender.taken) >= 13)
    assert (report.sent, report.waiting) == (13, 12)
    assert issue_row(lite, issue).state == "sending"
    assert deliver(lite, issue).sent == 12
    assert len(set(sender.recipients)) == 25


def test_an_issue_that_is_held_on_its_way_stops_at_the_next_look(
    lite: Context, sender: FakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "digest.workflows.carrying.LOOK_AGAIN", timedelta(0)
    )  # each mail is a second apart from the last
    issue = publish(lite)
    for number in range(25):
        reader(lite, f"r{number}@x.example")

    def hold_after_ten(_message: Message) -> None:
        if len(sender.taken) == 9:
            with lite.db.write() as session:
                session.execute(update(Issue).values(state="held"))

    sender.on_hand_over = hold_after_ten
    assert deliver(lite, issue, threads=1).sent == 10
    assert audit(lite, issue) == {
        "audience": 25, "queued": 15, "sending": 0, "sent": 10, "skipped": 0, "failed": 0, "unknown": 0,
    }  # fmt: skip


def test_who_unsubscribes_while_others_are_sent_theirs_gets_nothing(
    ctx: Context, sender: FakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.workflows.carrying.LOOK_AGAIN", timedelta(0))
    issue = publish(ctx)
    for number in range(8):
        reader(ctx, f"r{number}@x.example")
    last = reader(ctx, "last@x.example")

    def unsubscribe(_message: Message) -> None:
        with ctx.db.write() as session:
            session.execute(update(Subscription).where(col(Subscription.id) == last).values(state="ended"))

    sender.on_hand_over = unsubscribe
    assert deliver(ctx, issue, threads=1).sent == 8
    assert ledger(ctx, issue)["last"] == ("skipped", "unsubscribed")
    assert "last@x.example" not in sender.recipients


def test_who_unsubscribes_between_making_a_mail_and_handing_it_over_gets_nothing(
    ctx: Context, sender: FakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.workflows.carrying.LOOK_AGAIN", timedelta(0))
    issue = publish(ctx)
    people = [reader(ctx, f"r{number}@x.example") for number in range(5)]
    taking = sender.send

    def slow(messages, hand_over):  # type: ignore[no-untyped-def]
        for message in messages:
            if message.recipient == "r2@x.example":
                with ctx.db.write() as session:
                    mine = col(Subscription.id) == people[2]
                    session.execute(update(Subscription).where(mine).values(state="ended"))
            yield from taking([message], hand_over)

    sender.send = slow  # type: ignore[method-assign]
    assert deliver(ctx, issue, threads=1).sent == 4
    assert ledger(ctx, issue)["r2"] == ("skipped", "unsubscribed")
    assert sender.recipients == ["r0@x.example", "r1@x.example", "r3@x.example", "r4@x.example"]


def test_a_sender_that_breaks_down_leaves_at_most_what_it_had_in_hand_as_unknown(
    ctx: Context, sender: FakeSender
) -> None:
    issue = publish(ctx)
    for number in range(10):
        reader(ctx, f"r{number}@x.example")
    taking = sender.send

    def broken(messages, hand_over):  # type: ignore[no-untyped-def]
        for number, message in enumerate(messages):
            if number < 4:
                yield from taking([message], hand_over)
            else:
                hand_over(message)
                break
        raise ZeroDivisionError

    sender.send = broken  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        deliver(ctx, issue, threads=1)
    assert audit(ctx, issue)["sending"] == 10
    sender.send = taking  # type: ignore[method-assign]
    deliver(ctx, issue)
    assert audit(ctx, issue) == {
        "audience": 10, "queued": 0, "sending": 0, "sent": 9, "skipped": 0, "failed": 0, "unknown": 1,
    }  # fmt: skip
    assert len(sender.recipients) == len(set(sender.recipients)) == 9


def test_a_row_whose_worker_is_gone_without_a_journal_is_unknown_when_its_lease_has_ended(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(ctx)
    reader(ctx, "a@x.example")
    plan_deliveries(ctx, issue)
    with ctx.db.write() as session:
        session.execute(update(Issue).values(state="sending"))
        session.execute(
            update(QueueRow).values(state="sending", worker="elsewhere", lease_until=NOW + timedelta(minutes=1))
        )
    deliver(ctx, issue)
    assert audit(ctx, issue)["sending"] == 1
    clock.advance(minutes=2)
    deliver(ctx, issue)
    assert audit(ctx, issue)["unknown"] == 1
    assert sender.taken == []


def test_a_worker_that_oversleeps_its_lease_hands_nothing_over(lite: Context, sender: FakeSender, clock: Clock) -> None:
    issue = publish(lite)
    for number in range(3):
        reader(lite, f"r{number}@x.example")
    taking = sender.send

    def slow(messages, hand_over):  # type: ignore[no-untyped-def]
        for message in messages:
            yield from taking([message], hand_over)
            clock.advance(minutes=20)

    sender.send = slow  # type: ignore[method-assign]
    deliver(lite, issue, threads=1)
    assert len(sender.taken) == 1
    sender.send = taking  # type: ignore[method-assign]
    deliver(lite, issue)
    assert len(set(sender.recipients)) == len(sender.taken) == 3


def test_a_maildir_holds_one_file_per_reader_however_often_it_is_sent(
    sqlite_db: Database, tmp_path: Path, clock: Clock
) -> None:
    ctx = context(sqlite_db, tmp_path / "var", MaildirSender(tmp_path / "outbox"), clock)
    issue = publish(ctx)
    for number in range(12):
        reader(ctx, f"r{number}@x.example")
    deliver(ctx, issue)
    with ctx.db.write() as session:
        back_into_the_queue(session)
        session.execute(update(Issue).values(state="sending"))
    deliver(ctx, issue)
    assert len(list((tmp_path / "outbox" / "new").iterdir())) == 12
    assert list((tmp_path / "outbox" / "tmp").iterdir()) == []


def test_a_relay_that_refuses_every_recipient_by_policy_holds_the_issue_and_marks_nobody(
    lite: Context, sender: FakeSender
) -> None:
    issue = publish(lite)
    for number in range(8):
        reader(lite, f"r{number}@x.example")
    sender.script["*"] = answer("failed", "554 5.7.1", "Relay access denied")
    report = deliver(lite, issue, threads=1)
    numbers = audit(lite, issue)
    assert "554 5.7.1 Relay access denied" in report.problem
    assert (numbers["queued"], numbers["failed"]) == (8, 0)
    assert issue_row(lite, issue).state == "held"


def test_one_reader_who_is_refused_by_policy_fails_when_others_were_accepted(
    lite: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(lite)
    for number in range(4):
        reader(lite, f"r{number}@x.example")
    sender.script["r0@x.example"] = answer("failed", "550 5.7.1", "blocked")
    deliver(lite, issue, threads=1)
    clock.advance(hours=1)
    deliver(lite, issue, threads=1)
    numbers = audit(lite, issue)
    assert (numbers["sent"], numbers["failed"], numbers["queued"]) == (3, 1, 0)


def test_an_issue_that_is_held_in_the_middle_of_a_chunk_stops_within_seconds(
    lite: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(lite)
    for number in range(10):
        reader(lite, f"r{number}@x.example")

    def hold_after_three(message: Message) -> None:
        clock.advance(seconds=1)
        if len(sender.taken) == 3:
            with lite.db.write() as session:
                session.execute(update(Issue).values(state="held"))

    sender.on_hand_over = hold_after_three
    deliver(lite, issue, threads=1)
    assert 3 <= len(sender.taken) <= 6
    assert audit(lite, issue)["queued"] == 10 - len(sender.taken)


def test_cuts_of_a_newer_revision_are_not_sent_with_older_fragments(
    lite: Context, sender: FakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.workflows.carrying.LOOK_AGAIN", timedelta(0))
    issue = publish(lite)
    for number in range(12):
        reader(lite, f"r{number}@x.example")

    def edit(_message: Message) -> None:
        if len(sender.taken) == 9:
            with lite.db.write() as session:
                session.execute(update(Issue).values(revision=Issue.revision + 1))

    sender.on_hand_over = edit
    deliver(lite, issue, threads=1)
    assert len(sender.taken) == 10
