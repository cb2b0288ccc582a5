"""A large issue is handed out by two processes: nobody gets two copies, nobody none, whichever of them dies."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.domain.audience import Signer
from digest.domain.limits import Limits
from digest.domain.mail import DELIVERY_STATES
from digest.engine.helpers import Helpers, by_command
from digest.engine.journal import living
from digest.senders.open import open_sender
from digest.store.database import Database
from digest.store.migrate import migrate
from digest.store.tables import Subscriber, Subscription
from digest.workflows.approve import hold
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver
from tests.cli.conftest import ROOT, environment
from tests.conftest import Clock
from tests.senders.misbehaving import MailServer
from tests.workflows.world import context, issue_row, publish, reader

KEY = "a secret of thirty-two characters"
HELPER = by_command([sys.executable, "-m", "digest.cli.helper"])
READERS = 800
"""More than a caller claims before the first mail is answered."""


@dataclass
class House:
    """An approved issue, and what a process needs that is to help with it."""

    ctx: Context
    issue: int
    env: dict[str, str]

    def with_sink(self, sink: MailServer, monkeypatch: pytest.MonkeyPatch, **helpers: object) -> Context:
        """The service with two processes that deliver over two connections each."""
        dsn = f"smtp://127.0.0.1:{sink.port}?tls=none"
        self.env["DIGEST_SENDER"] = dsn
        for name, value in self.env.items():
            monkeypatch.setenv(name, value)
        wanted = {"start": HELPER, "most": 2, "worthwhile": 1, **helpers}
        return replace(self.ctx, sender=open_sender(dsn), helpers=Helpers(**wanted))  # type: ignore[arg-type]

    def numbers(self) -> dict[str, int]:
        found = audit(self.ctx, self.issue)
        assert found["audience"] == sum(found[state] for state in DELIVERY_STATES) == READERS
        return found


@pytest.fixture
def house(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.chdir(ROOT)
    db = Database(database_url)
    migrate(db)
    ctx = context(db, tmp_path / "var", open_sender("console://"), Clock(datetime.now(UTC)))
    ctx = replace(ctx, signer=Signer(KEY.encode()), clock=lambda: datetime.now(UTC), rest=time.sleep)
    issue = publish(ctx)
    people(ctx)
    env = environment(
        tmp_path, database_url=database_url, engine="embedded", secret_key=KEY, public_url=ctx.public_url,
        newsroom=str(ROOT / "config" / "newsroom"),
    )  # fmt: skip
    yield House(ctx, issue, env)
    db.close()


def test_a_helper_takes_its_share_and_everybody_gets_one_mail(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    with MailServer(pipelining=True, crowd=3) as sink:  # two connections are the caller's
        ctx = house.with_sink(sink, monkeypatch)
        report = deliver(ctx, house.issue, progress=lambda done, total: told.append((done, total)))
        by_connection = Counter(mail.connection for mail in sink.accepted)
    assert (report.sent, report.waiting, report.problem) == (READERS, 0, "")
    assert Counter(sink.recipients) == Counter(f"r{number}@x.example" for number in range(READERS))
    assert sum(by_connection.values()) - sum(n for _, n in by_connection.most_common(2)) > 0, "a third one was used"
    assert house.numbers()["sent"] == READERS
    assert issue_row(ctx, house.issue).state == "sent"
    assert told == sorted(told)
    assert told[-1] == (READERS, READERS)


def test_a_helpers_mails_are_the_same_bytes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer(pipelining=True, crowd=3) as sink:
        deliver(house.with_sink(sink, monkeypatch), house.issue)
    links = {mail.connection: b"https://mail.ledger.example/unsubscribe/" in mail.data for mail in sink.accepted}
    assert len(links) > 2
    assert all(links.values())


def test_what_a_helper_had_in_hand_when_it_was_killed_is_settled(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []

    def kill_the_helper(_done: int, _total: int) -> None:
        others = [int(name.rsplit("-", 2)[1]) for name in living(house.ctx.var / "journal")]
        for pid in set(others) - {os.getpid()} - set(killed):
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    with MailServer(pipelining=True, crowd=3) as sink:
        report = deliver(house.with_sink(sink, monkeypatch), house.issue, progress=kill_the_helper)
        got = Counter(sink.recipients)
    numbers = house.numbers()
    assert len(killed) == 1
    assert max(got.values()) == 1, "nobody has two copies"
    assert numbers["unknown"] <= 2, "one for each of its connections"
    assert numbers["sent"] <= len(got) <= numbers["sent"] + numbers["unknown"] == READERS
    assert report.problem == ""


def test_a_helper_ends_with_a_caller_that_is_killed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer(pipelining=True, crowd=3) as sink:
        ctx = house.with_sink(sink, monkeypatch)
        caller = subprocess.Popen(
            [sys.executable, "-m", "tests.workflows.lone_caller", str(house.issue)], cwd=ROOT, env=dict(house.env)
        )
        try:
            until(lambda: len(sink.recipients) > 20 and len(living(ctx.var / "journal")) == 2)
        finally:
            caller.kill()
            caller.wait()
        until(lambda: not living(ctx.var / "journal"))  # a lock lasts as long as its process
        deliver(replace(ctx, helpers=Helpers()), house.issue)
        got = Counter(sink.recipients)
    numbers = house.numbers()
    assert max(got.values()) == 1, "nobody has two copies"
    assert numbers["unknown"] <= 4
    assert numbers["sent"] <= len(got) <= numbers["sent"] + numbers["unknown"] == READERS


def test_a_server_without_a_place_for_a_helper_is_not_taken_to_be_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailServer(pipelining=True, places=2, crowd=3) as sink:
        report = deliver(house.with_sink(sink, monkeypatch), house.issue)
        assert sink.connections >= 3, "the helper came, and was turned away"
    assert (report.sent, report.problem) == (READERS, "")
    row = issue_row(house.ctx, house.issue)
    assert (row.state, row.reason, row.rests_until) == ("sent", "", None)


def test_who_stops_the_caller_stops_its_helpers(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer(pipelining=True, crowd=3) as sink:
        ctx = house.with_sink(sink, monkeypatch)
        deliver(ctx, house.issue, stop=lambda: len(sink.recipients) > 50)
        got = Counter(sink.recipients)
    numbers = house.numbers()
    assert living(ctx.var / "journal") == frozenset()
    assert max(got.values()) == 1
    assert numbers["sent"] == len(got) < READERS
    assert numbers["queued"] == READERS - len(got), "what was claimed is given back"


def test_an_issue_that_is_held_meanwhile_is_held_for_all(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def hold_it(_done: int, _total: int) -> None:
        if issue_row(house.ctx, house.issue).state == "sending":
            hold(house.ctx, house.issue, "ann", "a mistake")

    with MailServer(pipelining=True, crowd=3) as sink:
        deliver(house.with_sink(sink, monkeypatch), house.issue, progress=hold_it)
        got = Counter(sink.recipients)
    numbers = house.numbers()
    assert issue_row(house.ctx, house.issue).state == "held"
    assert numbers["sent"] == len(got)
    assert (numbers["sending"], numbers["unknown"]) == (0, 0)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"worthwhile": READERS + 1}, id="few readers"),
        pytest.param({"most": 1}, id="one process"),
        pytest.param({"start": by_command(["/no/such/program"])}, id="no process to be had"),
        pytest.param({"start": by_command([sys.executable, "-c", "raise SystemExit(1)"])}, id="it dies at once"),
    ],
)
def test_without_helpers_the_caller_does_all(
    house: House, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    with MailServer(pipelining=True) as sink:
        report = deliver(house.with_sink(sink, monkeypatch, **changes), house.issue)
    assert (report.sent, report.problem, len(sink.recipients)) == (READERS, "", READERS)


def test_who_has_one_connection_keeps_it(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mark = tmp_path / "was called"
    with MailServer(pipelining=True) as sink:
        ctx = house.with_sink(sink, monkeypatch, start=by_command(["/usr/bin/touch", str(mark)]))
        report = deliver(ctx, house.issue, threads=1)
        assert (sink.connections, len(sink.recipients)) == (1, READERS)
    assert (report.sent, report.problem) == (READERS, "")
    assert not mark.exists()


@pytest.mark.parametrize("limits", [Limits(rate=10_000), Limits(domain_parallel=4)], ids=["rate", "domain"])
def test_who_has_to_wait_for_a_turn_calls_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limits: Limits
) -> None:
    mark = tmp_path / "was called"
    with MailServer(pipelining=True) as sink:
        ctx = house.with_sink(sink, monkeypatch, start=by_command(["/usr/bin/touch", str(mark)]))
        deliver(replace(ctx, limits=limits), house.issue)
        assert len(sink.recipients) == READERS
    assert not mark.exists()


def people(ctx: Context) -> None:
    """Everybody reads everything, as the one who is made first."""
    like = reader(ctx, "r0@x.example")
    with ctx.db.write() as session:
        first = session.get_one(Subscription, like).model_dump(exclude={"id", "subscriber_id"})
        for number in range(1, READERS):
            address = f"r{number}@x.example"
            person = Subscriber(address=address, address_key=address, created_at=ctx.clock(), zone="UTC")
            session.add(person)
            session.flush()
            session.add(Subscription(**first, subscriber_id=person.id))


def until(so: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.01)
