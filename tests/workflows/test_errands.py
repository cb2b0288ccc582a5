"""What rows ask for is told to the engine, and each job does it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from digest.errors import SenderUnavailable
from digest.store import notices
from digest.store.database import Database
from digest.store.tables import Feed
from digest.workflows.approve import pause, resume
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver
from digest.workflows.errands import PARTS, handlers, part_of, sweep
from tests.conftest import NOW, Clock  # type: ignore[import-not-found]
from tests.workflows.world import FakeSender, context, issue_row, publish, reader  # type: ignore[import-not-found]


@dataclass
class Told:
    """An engine that only remembers."""

    jobs: list[tuple[str, Mapping[str, int]]] = field(default_factory=list)

    def tell(
        self, session: Session, queue: str, name: str, arguments: Mapping[str, int], *, key: str, alone: bool = False,
        at: datetime | None = None,
    ) -> None:  # fmt: skip
        self.jobs.append((name, dict(arguments)))

    def take(self) -> list[tuple[str, Mapping[str, int]]]:
        jobs, self.jobs = self.jobs, []
        return jobs


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def ctx(sqlite_db: Database, tmp_path: Path, sender: FakeSender, clock: Clock, told: Told) -> Context:
    return replace(context(sqlite_db, tmp_path / "var", sender, clock), jobs=told)


def test_an_issue_is_told_while_there_is_something_to_do_for_it_and_no_longer(
    ctx: Context, sender: FakeSender, told: Told, clock: Clock
) -> None:
    issue = publish(ctx)
    reader(ctx, "a@x.example")
    sweep(ctx)
    assert told.take() == [("digest.advance", {"issue": issue})]
    sender.script["*"] = SenderUnavailable("away")
    handlers(ctx, lambda: False, 1)["digest.advance"](issue=issue)
    assert told.take() == [("digest.advance", {"issue": issue})], "another worker may help"
    sweep(ctx)
    assert told.take() == [], "its rows wait for the mail server"
    clock.advance(minutes=1)
    sender.script.clear()
    sweep(ctx)
    assert told.take() == [("digest.advance", {"issue": issue})]
    handlers(ctx, lambda: False, 1)["digest.advance"](issue=issue)
    told.take()
    assert (audit(ctx, issue)["sent"], issue_row(ctx, issue).state) == (1, "sent")
    sweep(ctx)
    assert told.take() == []


def test_an_issue_whose_last_worker_died_before_closing_it_is_told(ctx: Context, told: Told) -> None:
    issue = publish(ctx)
    reader(ctx, "a@x.example")
    deliver(ctx, issue)
    with ctx.db.write() as session:
        session.get_one(type(issue_row(ctx, issue)), issue).state = "sending"
    told.take()
    sweep(ctx)
    assert told.take() == [("digest.advance", {"issue": issue})]


def test_resuming_tells_at_once(ctx: Context, told: Told) -> None:
    issue = publish(ctx)
    pause(ctx, issue, "ann")
    sweep(ctx)
    assert told.take() == []
    resume(ctx, issue, "ann")
    assert told.take() == [("digest.advance", {"issue": issue})]


def test_notices_and_the_due_feeds_are_told_each_apart(ctx: Context, told: Told) -> None:
    hosts = ["a.example", "b.example", "c.example"]
    with ctx.db.write() as session:
        notices.add(session, NOW, "confirm", "a@x.example", {"url": "https://x.example"})
        session.add_all(Feed(name=host, url=f"https://{host}/feed") for host in hosts)
        session.add(Feed(name="later", url="https://later.example/feed", next_check_at=NOW + timedelta(days=1)))
    sweep(ctx)
    parts = sorted({part_of(host) for host in hosts})
    assert told.take() == [("digest.notices", {}), *(("digest.gather", {"part": part}) for part in parts)]


def test_a_host_belongs_to_one_part_whoever_asks() -> None:
    assert {part_of(f"host{number}.example") for number in range(200)} == set(range(PARTS))
    assert part_of("news.example") == 7
