"""A whole service around the sample newsroom, with a clock to travel with."""

import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from digest.domain.audience import Signer
from digest.feeds.fetch import Fetcher
from digest.newsroom import read
from digest.sample.server import SampleServer
from digest.senders.open import open_sender
from digest.settings import assets
from digest.store.database import Database
from digest.store.migrate import migrate
from digest.workflows import newsroom as newsroom_workflow
from digest.workflows.autopilot import Step, advance, plan_due
from digest.workflows.context import Context
from digest.workflows.gather import GatherReport, gather
from digest.workflows.notices import send_notices
from digest.workflows.subscribe import import_csv
from tests.conftest import Clock

SAMPLE = assets() / "config" / "sample"


@dataclass
class Service:
    """The service, and what a day's work of it leaves behind."""

    ctx: Context
    clock: Clock
    outbox: Path

    def gather(self) -> GatherReport:
        return gather(self.ctx, due_only=True)

    def work(self) -> list[Step]:
        """What the embedded service does in one tick."""
        self.gather()
        plan_due(self.ctx)
        steps = advance(self.ctx)
        send_notices(self.ctx)
        return steps

    def mails(self) -> list[EmailMessage]:
        """Everything in the outbox."""
        files = sorted((self.outbox / "new").iterdir()) if (self.outbox / "new").is_dir() else []
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]  # type: ignore[misc]


@pytest.fixture
def service(database_url: str, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The sample newsroom in force, with its readers; nothing gathered yet. Its slow feed is not slow here."""
    monkeypatch.setattr(SampleServer, "wait", lambda _self, _seconds: None)
    server = SampleServer(SAMPLE, 0, tmp_path / "sample.json", clock)
    server.start()
    db = Database(database_url)
    migrate(db)
    outbox = tmp_path / "outbox"
    wanted = read.load(SAMPLE, {"sample": server.base})
    ctx = Context(
        db=db,
        sender=open_sender(f"file://{outbox}"),
        fetcher=Fetcher(allow=frozenset({server.base.removeprefix("http://")}), user_agent="test"),
        signer=Signer(b"a secret that is long enough for tests"),
        clock=clock,
        public_url=wanted.site.public_url,
        var=tmp_path,
        templates=assets() / "templates",
    )
    newsroom_workflow.apply(ctx, wanted)
    with (SAMPLE / "subscribers.csv").open(encoding="utf-8", newline="") as file:
        import_csv(ctx, file)
    yield Service(ctx, clock, outbox)
    ctx.sender.close()
    ctx.fetcher.close()
    db.close()
    server.stop()
