"""Workers are killed at random moments, again and again: nobody gets a second copy, and nobody is lost unseen."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from sqlmodel import select

from digest.domain.mail import DELIVERY_STATES
from digest.store.database import Database
from digest.store.tables import Delivery, Subscriber, Subscription
from digest.workflows.deliver import THREADS, audit
from tests.conftest import Clock  # type: ignore[import-not-found]
from tests.senders.misbehaving import MailServer  # type: ignore[import-not-found]
from tests.workflows.world import FakeSender, context, issue_row, ledger, publish  # type: ignore[import-not-found]

READERS = 1000
KILLS = 14
ROOT = Path(__file__).resolve().parents[2]


def test_after_any_number_of_kills_everybody_has_one_copy_or_is_known_as_unknown(
    db: Database, database_url: str, tmp_path: Path, clock: Clock
) -> None:
    chance = random.Random(database_url.partition(":")[0])
    ctx = context(db, tmp_path / "var", FakeSender(), clock)
    issue = publish(ctx)
    _many_readers(ctx.db)
    kills = unknown = 0
    with MailServer(pipelining=True) as sink, _workers(database_url, sink.port, tmp_path / "var") as workers:
        assert workers.stdin is not None
        assert workers.stdout is not None
        for _ in range(4 * KILLS):
            if issue_row(ctx, issue).state == "sent":
                break
            before = len(sink.recipients)
            workers.stdin.write("go\n")
            workers.stdin.flush()
            pid = int(workers.stdout.readline())
            if kills < KILLS:
                _wait_for(sink, before + chance.randrange(1, 25), seconds=5)
                time.sleep(chance.uniform(0, 0.02))  # so that it falls anywhere between two messages
                with contextlib.suppress(ProcessLookupError):  # it had nothing left to do
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
            assert workers.stdout.readline() == "ended\n"
            numbers = audit(ctx, issue)
            assert numbers["audience"] == sum(numbers[state] for state in DELIVERY_STATES)
            assert numbers["audience"] in (0, READERS)
            assert numbers["unknown"] - unknown <= THREADS, "at most one for each connection of a killed worker"
            unknown = numbers["unknown"]
            assert max(Counter(sink.recipients).values(), default=1) == 1
        got = set(sink.recipients)
    assert kills > KILLS // 2, "the work was over before the workers were killed: nothing is proved"
    found = ledger(ctx, issue)
    assert {state for state, _ in found.values()} <= {"sent", "unknown"}
    sent = {f"{name}@x.example" for name, (state, _) in found.items() if state == "sent"}
    held = {f"{name}@x.example" for name, (state, _) in found.items() if state == "unknown"}
    assert sent <= got <= sent | held, "whoever counts as sent has it, and whoever has it counts as sent or unknown"
    assert len(sent) + len(held) == READERS
    assert not list((tmp_path / "var" / "journal").iterdir())


def _many_readers(db: Database) -> None:
    with db.write() as session:
        newsletter = 1
        session.add_all(
            Subscriber(address=f"r{n}@x.example", address_key=f"r{n}@x.example", created_at=Clock()())
            for n in range(READERS)
        )
        session.flush()
        session.add_all(
            Subscription(subscriber_id=person, newsletter_id=newsletter, state="active", created_at=Clock()())
            for person in session.exec(select(Subscriber.id))
        )
    with db.read() as session:
        assert session.exec(select(Delivery)).first() is None


def _workers(url: str, port: int, var: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.workflows.doomed_workers", url, str(port), str(var)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _wait_for(sink: MailServer, messages: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while len(sink.recipients) < messages and time.monotonic() < end:
        time.sleep(0.001)
