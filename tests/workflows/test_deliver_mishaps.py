"""The database goes away in the middle of a send, a worker is frozen past its lease, a clock jumps: nobody twice, nobody lost."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from digest.domain.mail import Message
from digest.store.database import Database
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver
from digest.workflows.reconcile import reconcile
from tests.conftest import Clock  # type: ignore[import-not-found]
from tests.workflows.world import FakeSender, context, issue_row, publish, reader  # type: ignore[import-not-found]

READERS = 60


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def ctx(db: Database, tmp_path: Path, sender: FakeSender, clock: Clock) -> Context:
    return context(db, tmp_path / "var", sender, clock)


def furnished(ctx: Context) -> int:
    issue = publish(ctx)
    for number in range(READERS):
        reader(ctx, f"r{number}@x.example")
    return issue


def after(sender: FakeSender, count: int, act: Callable[[], object]) -> Callable[[Message], None]:
    done: list[bool] = []

    def on_hand_over(_message: Message) -> None:
        if len(sender.taken) >= count and not done:
            done.append(True)
            act()

    return on_hand_over


@pytest.mark.parametrize("threads", [1, 4])
def test_connections_that_are_cut_in_mid_send_cost_nobody_a_mail(
    ctx: Context, sender: FakeSender, tmp_path: Path, threads: int
) -> None:
    if not ctx.db.is_postgresql:
        pytest.skip("SQLite has no connections that could be cut")
    issue = furnished(ctx)
    cutter = Database(ctx.db.engine.url.render_as_string(hide_password=False))

    def cut() -> None:
        with cutter.write() as session:
            mine = "datname = current_database() AND pid <> pg_backend_pid()"
            session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"))

    sender.on_hand_over = after(sender, 20, cut)
    for _ in range(5):
        try:
            deliver(ctx, issue, threads=threads)
        except SQLAlchemyError:
            continue
        break
    cutter.close()
    unknown = audit(ctx, issue)["unknown"]
    assert unknown <= threads
    assert audit(ctx, issue)["sent"] + unknown == READERS
    log = tmp_path / "mail.log"
    log.write_text("\n".join(f"took {message.message_id}" for message in sender.taken))
    reconcile(ctx, issue, "ann", logs=[log], word="resend", why="not in the log")
    deliver(ctx, issue)
    assert audit(ctx, issue)["sent"] == READERS
    assert set(Counter(sender.recipients).values()) == {1}


def test_a_worker_frozen_past_its_lease_sends_nothing_when_it_wakes(
    ctx: Context, sender: FakeSender, clock: Clock, tmp_path: Path
) -> None:
    issue = furnished(ctx)
    others = FakeSender()
    elsewhere = replace(ctx, sender=others, var=tmp_path / "another machine")

    def freeze() -> None:
        clock.advance(minutes=20)
        deliver(elsewhere, issue)  # finds leases that have ended, and no journal: those rows are held as unknown

    sender.on_hand_over = after(sender, 10, freeze)
    deliver(ctx, issue, threads=1)
    deliver(ctx, issue, threads=1)
    numbers = audit(ctx, issue)
    assert max(Counter(sender.recipients + others.recipients).values()) == 1
    assert numbers["sent"] + numbers["unknown"] == READERS
    assert numbers["sent"] == len(sender.taken) + len(others.taken), "what it had sent before, it still says"
    log = tmp_path / "mail.log"
    log.write_text("\n".join(f"took {message.message_id}" for message in sender.taken + others.taken))
    reconcile(ctx, issue, "ann", logs=[log], word="resend", why="not in the log")
    deliver(ctx, issue)
    assert audit(ctx, issue)["sent"] == READERS
    assert set(Counter(sender.recipients + others.recipients).values()) == {1}
    assert issue_row(ctx, issue).state == "sent"


@pytest.mark.parametrize("jump", [timedelta(hours=3), timedelta(hours=-3)])
def test_a_clock_that_jumps_in_mid_send_sends_nobody_a_second_mail(
    ctx: Context, sender: FakeSender, clock: Clock, jump: timedelta
) -> None:
    issue = furnished(ctx)
    sender.on_hand_over = after(sender, 10, lambda: clock.advance(seconds=jump.total_seconds()))
    for _ in range(3):
        deliver(ctx, issue, threads=2)
    assert audit(ctx, issue)["sent"] == READERS
    assert set(Counter(sender.recipients).values()) == {1}


def test_a_full_disk_stops_before_anything_leaves_and_goes_on_when_there_is_room(
    ctx: Context, sender: FakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = furnished(ctx)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.posix_fallocate", full)
        with pytest.raises(OSError, match="No space left"):
            deliver(ctx, issue)
    assert sender.taken == []
    deliver(ctx, issue)
    assert audit(ctx, issue)["sent"] == READERS
