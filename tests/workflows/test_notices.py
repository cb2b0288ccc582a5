"""Mails outside the issues: sent when the deed is committed, tried again, and given up in the end."""

import email
from datetime import timedelta
from email import policy
from pathlib import Path

import pytest
from sqlmodel import col, select, update

from digest.domain.mail import SendResult
from digest.errors import ConfigError, SenderRefused, SenderUnavailable
from digest.store.database import Database
from digest.store.tables import Notice
from digest.workflows.context import Context
from digest.workflows.notices import queue_notice, send_notices
from tests.conftest import NOW, Clock  # type: ignore[import-not-found]
from tests.workflows.world import FakeSender, context, publish, suppress  # type: ignore[import-not-found]

URL = "https://mail.ledger.example/confirm/abc"


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def ctx(db: Database, tmp_path: Path, sender: FakeSender, clock: Clock) -> Context:
    made = context(db, tmp_path / "var", sender, clock)
    publish(made)
    return made


def queue(ctx: Context, address: str, kind: str = "confirm", **payload: str) -> None:
    with ctx.db.write() as session:
        values = {"newsletter": "ledger", "name": "The Ledger", "url": URL, **payload}
        queue_notice(session, ctx.clock(), kind, address, values)


def rows(ctx: Context) -> list[Notice]:
    with ctx.db.read() as session:
        return list(session.exec(select(Notice).order_by(col(Notice.id))))


def test_a_notice_is_sent_once_in_the_newsletters_name_and_its_link_is_forgotten(
    ctx: Context, sender: FakeSender
) -> None:
    queue(ctx, "a@x.example")
    assert send_notices(ctx).as_dict() == {"sent": 1, "waiting": 0, "failed": 0}
    assert send_notices(ctx).as_dict() == {"sent": 0, "waiting": 0, "failed": 0}
    mail = email.message_from_bytes(sender.taken[0].data, policy=policy.default)
    assert mail["To"] == "a@x.example"
    assert mail["From"] == "The Ledger <ann@ledger.example>"
    assert URL in mail.get_body(("plain",)).get_content()
    (row,) = rows(ctx)
    assert (row.state, row.sent_at, row.payload) == ("sent", NOW, {})


def test_a_deed_that_is_rolled_back_sends_nothing(ctx: Context, sender: FakeSender) -> None:
    with pytest.raises(LookupError), ctx.db.write() as session:
        queue_notice(session, NOW, "confirm", "a@x.example", {"url": URL})
        raise LookupError
    assert send_notices(ctx).sent == 0


def test_a_server_that_is_away_is_asked_again_later_with_the_same_message_id(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    queue(ctx, "a@x.example")
    sender.script["*"] = SenderUnavailable("can't reach it")
    with pytest.raises(SenderUnavailable, match="can't reach it"):
        send_notices(ctx)
    (row,) = rows(ctx)
    assert (row.state, row.error, row.not_before) == ("queued", "can't reach it", NOW + timedelta(minutes=1))
    sender.script.clear()
    assert send_notices(ctx).sent == 0
    clock.advance(minutes=1)
    assert send_notices(ctx).sent == 1
    assert sender.taken[0].message_id == ctx.signer.message_id(0, 1, "ledger.example")


def test_what_can_not_be_sent_fails_with_its_reason_and_keeps_nobody_else(ctx: Context, sender: FakeSender) -> None:
    queue(ctx, "hard@x.example")
    queue(ctx, "jörg@x.example")
    queue(ctx, "odd@x.example", kind="no-such-kind")
    queue(ctx, "complained@x.example")
    queue(ctx, "fine@x.example")
    suppress(ctx, "complained@x.example")
    sender.script["hard@x.example"] = SendResult(None, "failed", "550 5.1.1", "no such user")  # type: ignore[arg-type]
    report = send_notices(ctx)
    assert report.as_dict() == {"sent": 1, "waiting": 0, "failed": 4}
    states = {row.address.split("@")[0]: (row.state, row.error) for row in rows(ctx)}
    assert states["hard"] == ("failed", "550 5.1.1 no such user")
    assert states["complained"] == ("failed", "the address is suppressed")
    assert "SMTPUTF8" in states["jörg"][1]
    assert "no-such-kind" in states["odd"][1]
    assert states["fine"] == ("sent", "")


def test_a_notice_that_is_put_off_for_a_day_is_given_up(ctx: Context, sender: FakeSender, clock: Clock) -> None:
    queue(ctx, "a@x.example")
    sender.script["*"] = SendResult(None, "deferred", "450", "later")  # type: ignore[arg-type]
    tries = 0
    while rows(ctx)[0].state == "queued":
        send_notices(ctx)
        clock.advance(hours=1)
        tries += 1
    assert rows(ctx)[0].state == "failed"
    assert rows(ctx)[0].error == "450 later"
    assert 24 <= tries <= 26


def test_a_refused_sender_leaves_them_queued(ctx: Context, sender: FakeSender) -> None:
    queue(ctx, "a@x.example")
    sender.script["*"] = SenderRefused("535 wrong password")
    with pytest.raises(SenderRefused, match="535"):
        send_notices(ctx)
    assert (rows(ctx)[0].state, rows(ctx)[0].error) == ("queued", "535 wrong password")


def test_what_a_dead_process_had_in_hand_is_taken_up_again(ctx: Context, sender: FakeSender, clock: Clock) -> None:
    queue(ctx, "a@x.example")
    with ctx.db.write() as session:
        session.execute(update(Notice).values(claimed_until=NOW + timedelta(minutes=10)))
    assert send_notices(ctx).sent == 0
    clock.advance(minutes=11)
    assert send_notices(ctx).sent == 1


def test_without_a_newsletter_it_says_what_to_do(
    sqlite_db: Database, tmp_path: Path, sender: FakeSender, clock: Clock
) -> None:
    empty = context(sqlite_db, tmp_path, sender, clock)
    queue(empty, "a@x.example", kind="sign-in-link")
    with pytest.raises(ConfigError, match="digest newsroom apply"):
        send_notices(empty)
    assert rows(empty)[0].state == "queued"
