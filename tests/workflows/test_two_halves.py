"""The ledger in two halves: what waits in a queue, what is settled written once; and an issue that rests. On both databases."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select, update

from digest.domain.mail import Outcome, SendResult
from digest.errors import NotFound, SenderUnavailable
from digest.store import deliveries
from digest.store.database import Database
from digest.store.deliveries import Change
from digest.store.tables import Issue, LedgerRow, QueueRow, Subscriber, Subscription
from digest.workflows.approve import cancel
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver, plan_deliveries
from digest.workflows.messages import shown_again
from digest.workflows.progress import Pulse
from tests.conftest import NOW, Clock
from tests.workflows.world import FakeSender, context, issue_row, ledger, publish, suppress
from tests.workflows.world import reader as signed_up


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def ctx(db: Database, tmp_path: Path, sender: FakeSender, clock: Clock) -> Context:
    return context(db, tmp_path / "var", sender, clock)


def reader(ctx: Context, name: str, *topics: str, hour: str = "") -> int:
    return signed_up(ctx, f"{name}@x.example", *topics, hour=hour)


def answer(outcome: Outcome, code: str, detail: str) -> SendResult:
    return SendResult(None, outcome, code, detail)  # type: ignore[arg-type]


def halves(ctx: Context) -> tuple[dict[str, str], dict[str, str]]:
    """The state of everybody in the queue, and of everybody in the ledger."""
    with ctx.db.read() as session:
        queue, settled = (
            {
                address.split("@")[0]: state
                for address, state in session.execute(
                    select(Subscriber.address, half.state).join(half, col(half.subscriber_id) == Subscriber.id)
                )
            }
            for half in (QueueRow, LedgerRow)
        )
    return queue, settled


def adds_up(ctx: Context, issue: int) -> bool:
    numbers = audit(ctx, issue)
    with ctx.db.read() as session:
        assert deliveries.tally(session, issue) == numbers
    return numbers["audience"] == sum(value for state, value in numbers.items() if state != "audience")


# Where a row stands


def test_everybody_stands_in_one_half_at_every_step(ctx: Context, sender: FakeSender) -> None:
    issue = publish(ctx)
    for name in ("taken", "refused", "later", "lost"):
        reader(ctx, name)
    reader(ctx, "nothing", "sports")
    sender.script["refused@x.example"] = answer("failed", "550 5.1.1", "no such user")
    sender.script["later@x.example"] = answer("deferred", "450 4.2.0", "greylisted")
    sender.script["lost@x.example"] = answer("unknown", "", "no answer")
    plan_deliveries(ctx, issue)
    assert halves(ctx) == (
        dict.fromkeys(("taken", "refused", "later", "lost"), "queued"), {"nothing": "skipped"}
    )  # fmt: skip
    assert adds_up(ctx, issue)
    deliver(ctx, issue, threads=1)
    assert halves(ctx) == (
        {"later": "queued", "lost": "unknown"}, {"taken": "sent", "refused": "failed", "nothing": "skipped"}
    )  # fmt: skip
    assert adds_up(ctx, issue)
    cancel(ctx, issue, "ann")
    assert halves(ctx)[0] == {"lost": "unknown"}
    assert adds_up(ctx, issue)


def test_planning_again_moves_readers_between_the_halves_and_tops_up(ctx: Context) -> None:
    issue = publish(ctx)
    stays, leaves, comes = reader(ctx, "stays"), reader(ctx, "leaves"), reader(ctx, "comes", "sports")
    plan_deliveries(ctx, issue)
    assert halves(ctx) == ({"stays": "queued", "leaves": "queued"}, {"comes": "skipped"})
    suppress(ctx, "leaves@x.example")
    reader(ctx, "new")
    reader(ctx, "new-without", "sports")
    with ctx.db.write() as session:
        session.execute(update(Subscription).where(col(Subscription.id) == comes).values(choice_set_id=None))
        session.execute(
            update(Subscriber)
            .where(col(Subscriber.address) == "leaves@x.example")
            .values(address_hash=ctx.signer.address_hash("leaves@x.example"))
        )
    assert stays != leaves
    for _ in range(2):
        plan_deliveries(ctx, issue)
        assert halves(ctx) == (
            {"stays": "queued", "comes": "queued", "new": "queued"},
            {"leaves": "skipped", "new-without": "skipped"},
        )
        assert adds_up(ctx, issue)
    assert audit(ctx, issue)["audience"] == 5


def test_a_reader_who_got_lost_between_the_halves_or_is_in_both_shows_in_the_audit(ctx: Context) -> None:
    issue = publish(ctx)
    reader(ctx, "a")
    reader(ctx, "b")
    plan_deliveries(ctx, issue)
    with ctx.db.write() as session:
        session.delete(session.exec(select(QueueRow)).first())
    numbers = audit(ctx, issue)
    assert (numbers["audience"], numbers["queued"]) == (2, 1)


def test_the_audit_adds_up_for_whoever_looks_while_rows_are_being_moved(ctx: Context, db: Database) -> None:
    issue = publish(ctx)
    for number in range(60):
        reader(ctx, f"r{number}")
    plan_deliveries(ctx, issue)
    with db.write() as session:
        session.execute(update(Issue).values(state="sending"))
    seen: list[bool] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set() or not seen:
            seen.append(adds_up_once(ctx, issue))

    watcher = threading.Thread(target=look)
    watcher.start()
    later = NOW + timedelta(minutes=15)
    try:
        while True:
            with db.write() as session:
                rows = deliveries.claim(session, issue, 0, "w", NOW, later, 3)
            if not rows:
                break
            with db.write() as session:
                assert deliveries.record(session, "w", [Change(row.id, "sent") for row in rows]) == len(rows)
    finally:
        done.set()
        watcher.join()
    assert all(seen)
    assert audit(ctx, issue)["sent"] == 60


def adds_up_once(ctx: Context, issue: int) -> bool:
    """Each by itself, as the ledger moves on between two looks."""
    with ctx.db.read() as session:
        counted = deliveries.counts(session, issue)
    with ctx.db.read() as session:
        tallied = deliveries.tally(session, issue)
    return all(
        numbers["audience"] == 60 == sum(value for state, value in numbers.items() if state != "audience")
        for numbers in (counted, tallied)
    )


def test_of_two_who_have_a_say_in_a_row_one_settles_it(ctx: Context, db: Database) -> None:
    issue = publish(ctx)
    reader(ctx, "a")
    plan_deliveries(ctx, issue)
    with db.write() as session:
        session.execute(update(Issue).values(state="sending"))
        [row] = deliveries.claim(session, issue, 0, "w1", NOW, NOW + timedelta(minutes=15), 9)
    with db.write() as session:
        assert deliveries.record(session, "w2", [Change(row.id, "failed", "not mine")]) == 0
        assert deliveries.record(session, "w1", [Change(row.id, "sent")]) == 1
        assert deliveries.record(session, "w1", [Change(row.id, "failed", "too late")]) == 0
    assert ledger(ctx, issue) == {"a": ("sent", "")}


@pytest.mark.parametrize("state", ["sent", "failed", "unknown", "queued"])
def test_whatever_a_server_says_can_be_recorded(ctx: Context, db: Database, state: str) -> None:
    issue = publish(ctx)
    reader(ctx, "a")
    plan_deliveries(ctx, issue)
    with db.write() as session:
        session.execute(update(Issue).values(state="sending"))
        [row] = deliveries.claim(session, issue, 0, "w", NOW, NOW + timedelta(minutes=15), 9)
    odd = "\0 \" \\ ' \u2028 \ud7ff 🟣 [1,2] {}"
    with db.write() as session:
        assert deliveries.record(session, "w", [Change(row.id, state, odd, provider_id=odd)]) == 1
    with db.read() as session:
        kept = deliveries.of_subscriber(session, issue, row.subscriber_id)
    assert kept is not None
    assert (kept.state, kept.reason) == (state, odd.replace("\0", "\ufffd"))


def test_who_was_skipped_at_the_last_moment_is_shown_no_mail_that_never_left(ctx: Context) -> None:
    issue = publish(ctx)
    reader(ctx, "a")
    plan_deliveries(ctx, issue)
    suppress(ctx, "a@x.example")
    deliver(ctx, issue)
    assert ledger(ctx, issue) == {"a": ("skipped", "suppressed")}
    with pytest.raises(NotFound, match="was sent nothing of issue 1: suppressed"):
        shown_again(ctx, issue, "a@x.example")


# An issue that rests


def test_neither_an_outage_nor_who_ends_it_by_hand_sends_before_a_readers_own_hour(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(ctx)
    reader(ctx, "now")
    reader(ctx, "soon", hour="11:01")  # within the wait after an outage
    reader(ctx, "evening", hour="18:30")
    clock.now = NOW + timedelta(seconds=50)
    sender.script["*"] = SenderUnavailable("away")
    deliver(ctx, issue)
    rest = issue_row(ctx, issue).rests_until
    assert rest is not None
    assert rest > NOW + timedelta(minutes=1)
    sender.script.clear()
    assert deliver(ctx, issue).sent == 0, "it rests"
    assert deliver(ctx, issue, at_once=True).sent == 1
    assert sender.recipients == ["now@x.example"]
    clock.now = NOW + timedelta(minutes=1)
    assert deliver(ctx, issue, at_once=True).sent == 1
    assert sender.recipients == ["now@x.example", "soon@x.example"]
    clock.now = NOW + timedelta(hours=7, minutes=31)
    deliver(ctx, issue)
    assert issue_row(ctx, issue).state == "sent"


def test_while_an_issue_rests_it_says_how_many_wait_for_the_server(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(ctx)
    for number in range(3):
        reader(ctx, f"r{number}")
    reader(ctx, "evening", hour="18:30")
    sender.script["*"] = SenderUnavailable("away")
    deliver(ctx, issue)
    found = Pulse(ctx).read(issue)
    assert [(row.state, row.reason, row.readers) for row in found.reasons] == [("queued", deliveries.WAITING, 3)]
    assert found.next_at == issue_row(ctx, issue).rests_until
    clock.advance(minutes=2)
    assert Pulse(ctx).read(issue).reasons == ()


# The space of what has left


def test_a_queue_that_has_emptied_gives_its_space_back(ctx: Context, db: Database) -> None:
    issue = publish(ctx)
    reader(ctx, "a")
    plan_deliveries(ctx, issue)
    if not db.is_postgresql:
        deliveries.tidy(db)  # nothing to do
        return
    large(db)
    assert size(db) > 1 << 20
    deliver(ctx, issue)
    assert size(db) <= 1 << 16
    assert ledger(ctx, issue) == {"a": ("sent", "")}


def test_when_the_queue_is_in_use_tidying_waits_for_nobody_and_harms_nothing(db: Database) -> None:
    if not db.is_postgresql:
        return
    large(db)
    with db.write() as session:
        session.execute(text("LOCK TABLE delivery_queue IN SHARE UPDATE EXCLUSIVE MODE"))
        deliveries.tidy(db)
    broken: list[str] = []

    def no_vacuum(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("VACUUM"):
            broken.append(statement)
            raise_in_database(db)

    event.listen(db.engine, "before_cursor_execute", no_vacuum)
    deliveries.tidy(db)
    event.remove(db.engine, "before_cursor_execute", no_vacuum)
    assert broken
    with db.read() as session:
        assert session.execute(text("SHOW lock_timeout")).scalar() == "0"
    deliveries.tidy(db)
    assert size(db) <= 1 << 16


def raise_in_database(db: Database) -> None:
    """What a server that refuses says."""
    with db.read() as session:
        session.execute(text("SELECT 1 / 0"))


def large(db: Database) -> None:
    """A queue that another issue of twenty thousand readers has left."""
    with db.write() as session:
        session.execute(text("SET session_replication_role = replica"))  # its readers are not here
        session.execute(
            text(
                "INSERT INTO delivery_queue (issue_id, subscriber_id, subscription_id, attempts, state, reason, worker, "
                "provider_id) SELECT 99, g, g, 0, 'queued', '', '', '' FROM generate_series(1, 20000) AS g"
            )
        )
        session.execute(text("SET session_replication_role = DEFAULT"))
    with db.write() as session:
        session.execute(text("DELETE FROM delivery_queue WHERE issue_id = 99"))


def size(db: Database) -> int:
    with db.read() as session:
        return int(session.execute(text("SELECT pg_total_relation_size('delivery_queue')")).scalar_one())


@pytest.mark.parametrize("what", ["subscriber", "subscription", "issue"])
def test_nothing_that_a_waiting_mail_needs_can_be_deleted_from_under_it(ctx: Context, what: str) -> None:
    issue = publish(ctx)
    reader(ctx, "ann")
    plan_deliveries(ctx, issue)
    others = "DELETE FROM sent_article", "DELETE FROM sent_story", "DELETE FROM placement", "DELETE FROM fragment"
    with pytest.raises(IntegrityError), ctx.db.write() as session:
        for statement in (*others, f"DELETE FROM {what}"):  # what else refers to an issue is gone
            session.execute(text(statement))
