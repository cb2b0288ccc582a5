"""What is unknown is settled by evidence, then by somebody's word, and it is kept who said so and why."""

from pathlib import Path

import pytest

from digest.domain.mail import SendResult
from digest.errors import StateConflict, UsageError
from digest.senders.local import MaildirSender
from digest.store import issues
from digest.store.audit_log import about, issue_subject
from digest.store.database import Database
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver
from digest.workflows.evidence import in_log
from digest.workflows.reconcile import reconcile, unknown
from tests.conftest import NOW, Clock  # type: ignore[import-not-found]
from tests.workflows.world import (  # type: ignore[import-not-found]
    FakeSender,
    context,
    issue_row,
    ledger,
    publish,
    reader,
)

LOST = SendResult(None, "unknown", "", "no answer")  # type: ignore[arg-type]


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender(script={"lost1@x.example": LOST, "lost2@x.example": LOST})


@pytest.fixture
def ctx(db: Database, tmp_path: Path, sender: FakeSender, clock: Clock) -> Context:
    return context(db, tmp_path / "var", sender, clock)


@pytest.fixture
def issue(ctx: Context) -> int:
    """An issue that was sent; of two mails nobody knows whether they arrived."""
    number: int = publish(ctx)
    for name in ("fine", "lost1", "lost2"):
        reader(ctx, f"{name}@x.example")
    deliver(ctx, number)
    assert issue_row(ctx, number).state == "sent"
    return number


def message_ids(ctx: Context, issue: int) -> dict[str, str]:
    return {row.address.split("@")[0]: row.message_id for row in unknown(ctx, issue)}


def test_alone_it_shows_what_is_unknown_and_settles_nothing(ctx: Context, sender: FakeSender, issue: int) -> None:
    before = ledger(ctx, issue)
    report = reconcile(ctx, issue, "ann")
    assert report.words == "2 still unknown"
    assert [(row.address, row.attempts, row.since) for row in report.left] == [
        ("lost1@x.example", 1, NOW),
        ("lost2@x.example", 1, NOW),
    ]
    assert ledger(ctx, issue) == before
    with ctx.db.read() as session:
        assert about(session, issue_subject(issue)) == []


def test_a_message_id_in_a_log_shows_that_the_mail_was_taken(ctx: Context, issue: int, tmp_path: Path) -> None:
    log = tmp_path / "sink.log"
    log.write_text(f"Mar 12 11:00:01 mx accepted id={message_ids(ctx, issue)['lost1']} size=5120\n")
    report = reconcile(ctx, issue, "ann", logs=[log])
    assert report.words == "1 found, so sent, 1 still unknown"
    assert ledger(ctx, issue)["lost1"] == ("sent", "found in sink.log (ann)")
    assert ledger(ctx, issue)["lost2"] == ("unknown", "no answer")
    with ctx.db.read() as session:
        (entry,) = about(session, issue_subject(issue))
    assert (entry.action, entry.actor, entry.before) == ("reconcile", "ann", {"unknown": 2})
    assert entry.after == {
        "found": 1, "resent": 0, "considered_sent": 0, "unknown": 1, "evidence": ["sink.log"], "why": "",
    }  # fmt: skip


def test_a_mail_in_a_maildir_was_sent(ctx: Context, issue: int, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    (folder / "new").mkdir(parents=True)
    (folder / "cur").mkdir()
    (folder / "cur" / "1:2,S").write_text(f"From: a@b.example\nMessage-Id: {message_ids(ctx, issue)['lost2']}\n\nHello")
    (folder / "new" / "2").write_text(
        f"From: a@b.example\n\nMessage-Id: {message_ids(ctx, issue)['lost1']} in a body\n"
    )
    assert reconcile(ctx, issue, "ann", maildirs=[folder]).found == 1
    assert ledger(ctx, issue)["lost2"] == ("sent", "found in inbox (ann)")
    with pytest.raises(UsageError, match="no Maildir"):
        reconcile(ctx, issue, "ann", maildirs=[tmp_path])


@pytest.mark.parametrize(
    ("lines", "taken"),
    [
        (["postfix/cleanup[7]: 4D1: message-id={id}", "postfix/qmgr[8]: 4D1: from=<a@b>, size=9 (queue active)"], True),
        (["postfix/submission/cleanup[7]: 4D1: message-id={id}", "postfix/smtp[8]: 4D1: to=<c@d>, status=sent"], True),
        (["postfix/cleanup[7]: 4D1: message-id={id}", "postfix/smtpd[6]: lost connection after DATA"], False),
        (["postfix/cleanup[7]: 4D1: message-id={id}", "postfix/qmgr[8]: 5E2: from=<a@b> (queue active)"], False),
        (["delivered {id} to box 3"], True),
        (["delivered {id}x to box 3", "something else"], True),
        (["delivered <other@ledger.example>"], False),
    ],
)
def test_postfix_must_have_taken_it_into_its_queue(tmp_path: Path, lines: list[str], taken: bool) -> None:
    message_id, log = "<abc@ledger.example>", tmp_path / "mail.log"
    log.write_text("".join(f"Mar 12 11:00:01 mx {line.format(id=message_id)}\n" for line in lines))
    assert in_log(log, {message_id}) == ({message_id} if taken else set())


def test_by_word_the_rest_is_sent_again_with_the_same_message_id(
    ctx: Context, sender: FakeSender, issue: int, tmp_path: Path
) -> None:
    ids = message_ids(ctx, issue)
    log = tmp_path / "sink.log"
    log.write_text(ids["lost1"])
    report = reconcile(ctx, issue, "ann", logs=[log], word="resend", why="the relay's log is whole")
    assert report.words == "1 found, so sent, 1 queued again"
    assert ledger(ctx, issue)["lost2"] == ("queued", "sent again by ann: the relay's log is whole")
    sender.script.clear()
    sender.taken.clear()
    deliver(ctx)
    assert [(mail.recipient, mail.message_id) for mail in sender.taken] == [("lost2@x.example", ids["lost2"])]
    assert audit(ctx, issue)["sent"] == 3
    assert issue_row(ctx, issue).state == "sent"


def test_by_word_the_rest_is_considered_sent(ctx: Context, sender: FakeSender, issue: int) -> None:
    assert reconcile(ctx, issue, "ann", word="consider-sent", why="readers answered").considered_sent == 2
    assert ledger(ctx, issue)["lost1"] == ("sent", "considered sent by ann: readers answered")
    assert reconcile(ctx, issue, "ann").words == f"nothing of issue {issue} is unknown"
    assert len(sender.taken) == 1


def test_a_word_needs_a_reason_and_a_cancelled_issue_is_not_sent_again(ctx: Context, issue: int) -> None:
    with pytest.raises(UsageError, match="say why"):
        reconcile(ctx, issue, "ann", word="resend", why=" ")
    with ctx.db.write() as session:
        issues.move(session, issue, ["sent"], "cancelled")
    with pytest.raises(StateConflict, match="is cancelled: nothing of it is sent again"):
        reconcile(ctx, issue, "ann", word="resend", why="please")


def test_what_the_service_put_into_a_maildir_is_found_there(
    sqlite_db: Database, tmp_path: Path, clock: Clock, sender: FakeSender
) -> None:
    ctx = context(sqlite_db, tmp_path / "var", sender, clock)
    number = publish(ctx)
    reader(ctx, "lost1@x.example")
    box = MaildirSender(tmp_path / "outbox")

    def lose(messages, hand_over):  # type: ignore[no-untyped-def]
        for result in box.send(messages, hand_over):
            yield SendResult(result.message, "unknown", "", "no answer")

    sender.send = lose  # type: ignore[method-assign]
    deliver(ctx, number)
    assert reconcile(ctx, number, "ann", maildirs=[tmp_path / "outbox"]).found == 1
