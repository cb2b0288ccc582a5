"""What an answer makes of a row of the ledger: the words that are kept, and whose the row is afterwards."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import select

from digest.domain.mail import Outcome
from digest.engine.journal import Answer
from digest.store import deliveries
from digest.store.database import Database
from digest.store.tables import Delivery, QueueRow
from digest.workflows.deliver import plan_deliveries
from digest.workflows.pace import change_of
from tests.conftest import Clock  # type: ignore[import-not-found]
from tests.workflows.world import FakeSender, context, publish, reader  # type: ignore[import-not-found]

NOW = datetime(2026, 3, 12, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "code", "detail", "kept"),
    [
        ("sent", "250 2.0.0", "Ok", ""),
        ("sent", "250", "2.0.0 Ok", ""),
        ("sent", "250", "2.6.0 message taken, thank you", ""),
        ("sent", "250", "", ""),
        ("sent", "250 2.0.0", "Ok: queued as 4XyZ1k2", "250 2.0.0 Ok: queued as 4XyZ1k2"),
        ("sent", "250", "OK id=1rVt2Q-0004xx-2B", "250 OK id=1rVt2Q-0004xx-2B"),
        ("failed", "550 5.1.1", "no such user", "550 5.1.1 no such user"),
        ("deferred", "451 4.7.1", "Ok, but later", "451 4.7.1 Ok, but later"),
        ("unknown", "", "no answer", "no answer"),
    ],
)
def test_of_a_mail_that_was_taken_only_words_that_name_it_are_kept(
    outcome: Outcome, code: str, detail: str, kept: str
) -> None:
    assert change_of(Answer(1, outcome, code, detail), NOW, NOW).reason == kept


def test_a_finished_row_is_nobodys_and_one_that_was_given_up_takes_its_workers_word_still(
    db: Database, tmp_path: Path, clock: Clock
) -> None:
    ctx = context(db, tmp_path / "var", FakeSender(), clock)
    issue = publish(ctx)
    for number in range(4):
        reader(ctx, f"r{number}@x.example")
    plan_deliveries(ctx, issue)
    later = clock() + timedelta(days=1)
    with db.write() as session:
        deliveries.lock_issue(session, issue)
        session.execute(
            update(QueueRow).values(
                state="sending", worker="w1", lease_until=later, dated_at=later, attempts=1, not_before=None
            )
        )
    with db.write() as session:
        rows = sorted(row.id or 0 for row in session.exec(select(Delivery)).all())
        words: list[Outcome] = ["sent", "failed", "deferred", "unknown"]
        changes = [
            change_of(Answer(row, word, provider_id="p"), later, later) for row, word in zip(rows, words, strict=True)
        ]
        assert deliveries.record(session, "w1", changes) == 4
    assert held(db) == [("sent", "", "p"), ("failed", "", "p"), ("queued", "w1", ""), ("unknown", "w1", "p")]
    with db.write() as session:
        again = [change_of(Answer(row, "sent", provider_id="q"), later, later) for row in rows]
        assert deliveries.record(session, "w2", again) == 0
        assert deliveries.record(session, "w1", again) == 1
    assert held(db) == [("sent", "", "p"), ("failed", "", "p"), ("queued", "w1", ""), ("sent", "", "q")]


def held(db: Database) -> list[tuple[str, str, str]]:
    with db.read() as session:
        rows = session.exec(select(Delivery).order_by(Delivery.id)).all()  # type: ignore[arg-type]
        return [(row.state, row.worker, row.provider_id) for row in rows]
