"""Every way in which a mail server can misbehave, through the real delivery: each mail ends in the right state."""

import random
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from digest.senders.smtp import SmtpSender
from digest.store.database import Database
from digest.store.tables import Delivery, Subscriber
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver
from tests.conftest import NOW, Clock  # type: ignore[import-not-found]
from tests.workflows.faulty import Faulty, faulty  # type: ignore[import-not-found]
from tests.workflows.world import context, issue_row, ledger, publish, reader  # type: ignore[import-not-found]

DEADLINE = 30
"""Seconds that a delivery may take here. Its sender waits one second for a step, ten for the answer to a mail."""

AT_FIRST = {
    "ok-1": ("sent", "250"),
    "ok-2": ("sent", "250"),
    "ok-3": ("sent", "250"),
    "hard": ("failed", "550 5.1.1 no such user"),
    "full": ("failed", "552 5.2.2 mailbox full"),
    "soft": ("queued", "450 4.2.0 greylisted, retry in 300 s"),
    "once": ("queued", "450 4.7.1 greylisted"),
    "insuf": ("queued", "452 4.3.1 insufficient storage"),
    "toomany": ("sent", "250"),  # one recipient a message: never too many
    "busy": ("queued", "421 4.7.0 too many connections"),
    "quota": ("queued", "421 4.7.28 unusual rate of mail from your IP"),
    "drop": ("unknown", "no answer to the whole message"),
    "dropbefore": ("unknown", "no answer to the whole message"),
    "late": ("sent", "250"),
    "data554": ("failed", "554 5.7.1 message refused by policy"),
    "data421": ("queued", "421 4.3.0 try later"),
    "garbage": ("queued", "the connection was lost: an answer that is no SMTP: 'what?'"),
    "spam": ("failed", "550 5.7.1 blocked, see https://example.invalid/b"),
}
"""State and the beginning of the reason after the first attempt. A server that hangs up in the middle of a short body
(dropbefore) is mostly found out only when the whole mail has left: that is as unknown as a hang-up after it."""

NOTICED_BEFORE = ("queued", "the server broke off in the middle of the message")
"""What is known of ``dropbefore`` when the hang-up arrives before our final dot has left: then it is simply tried again."""

IN_THE_END = {
    "soft": ("failed", "given up after"),
    "once": ("sent", "250"),
    "insuf": ("failed", "given up after"),
    "busy": ("failed", "given up after"),
    "quota": ("failed", "given up after"),
    "data421": ("failed", "given up after"),
    "garbage": ("failed", "given up after"),
}


def service(db: Database, tmp_path: Path, clock: Clock, server: Faulty, **options: object) -> Context:
    sender = SmtpSender(
        "127.0.0.1", server.port, **{"timeout": 1, "final_timeout": 10, "ehlo": "client.example", **options}  # type: ignore[arg-type]
    )  # fmt: skip
    return context(db, tmp_path / "var", sender, clock)


def send(ctx: Context, issue: int) -> float:
    """Deliver what is due; the seconds that it took."""
    begun = time.monotonic()
    deliver(ctx, issue, threads=3, chance=random.Random(1), at_once=True)
    return time.monotonic() - begun


def not_before(ctx: Context) -> dict[str, datetime]:
    query = select(Subscriber.address, Delivery.not_before).join(Delivery, col(Delivery.subscriber_id) == Subscriber.id)
    with ctx.db.read() as session:
        return {
            address.split("@")[0]: at for address, at in session.exec(query.where(Delivery.state == "queued")) if at
        }


def shortened(found: dict[str, tuple[str, str]], like: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """What the ledger says, each reason cut to the length of the one that it is compared with."""
    return {name: (state, reason[: len(like[name][1])]) for name, (state, reason) in found.items()}


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "step-by-step"])
@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_every_recipient_ends_as_the_server_says_and_in_time(
    sqlite_db: Database, tmp_path: Path, clock: Clock, tls: bool, pipelining: bool
) -> None:
    with faulty(tmp_path / "server", tls=tls, pipelining=pipelining) as server:
        ctx = service(sqlite_db, tmp_path, clock, server, tls="required" if tls else "none")
        issue = publish(ctx)
        # The one that answers after eight seconds is asked once only.
        at_first = {name: row for name, row in AT_FIRST.items() if name != "late" or (pipelining and not tls)}
        for name in at_first:
            reader(ctx, f"{name}@{name}.example")  # each at its own domain, as some of them slow their domain down
        assert send(ctx, issue) < DEADLINE
        # What ended a connection without an answer may have cost others their turn: they wait for the server a moment.
        for _ in range(12):
            if issue_row(ctx, issue).rests_until is None:
                break
            assert send(ctx, issue) < DEADLINE
        was_noticed = ledger(ctx, issue)["dropbefore"] == NOTICED_BEFORE
        if was_noticed:
            at_first["dropbefore"] = NOTICED_BEFORE
        assert shortened(ledger(ctx, issue), at_first) == at_first
        for name, at in not_before(ctx).items():
            assert timedelta(minutes=5) <= at - NOW <= timedelta(minutes=80), f"{name} comes back at {at}"
        assert server.over_tls == {tls}

        last = issue_row(ctx, issue)
        for _ in range(40):
            if last.state == "sent":
                break
            clock.advance(hours=4)
            assert send(ctx, issue) < DEADLINE
            last = issue_row(ctx, issue)
        found, expected = ledger(ctx, issue), {**at_first, **IN_THE_END}
        if was_noticed:  # the next hang-up may come a moment later, or as early as the first each time
            expected["dropbefore"] = (
                AT_FIRST["dropbefore"] if found["dropbefore"][0] == "unknown" else ("failed", "given up after")
            )
        assert shortened(found, expected) == expected
        assert last.state == "sent"
        assert clock.now - NOW <= timedelta(hours=60), "nothing is tried for ever"
        assert server.accepted == sorted(name for name, (state, _) in found.items() if state == "sent")
        assert all(b"\r\n" in mail and b"\n" not in mail.replace(b"\r\n", b"") for mail in server.mails)


def test_a_mail_whose_answer_comes_too_late_is_unknown_and_not_sent_again(
    sqlite_db: Database, tmp_path: Path, clock: Clock
) -> None:
    with faulty(tmp_path / "server") as server:
        ctx = service(sqlite_db, tmp_path, clock, server, tls="none", final_timeout=0.5)
        issue = publish(ctx)
        for name in ("late", "ok-1"):
            reader(ctx, f"{name}@x.example")
        assert send(ctx, issue) < DEADLINE
        clock.advance(hours=1)
        assert send(ctx, issue) < DEADLINE
        assert {name: state for name, (state, _) in ledger(ctx, issue).items()} == {"late": "unknown", "ok-1": "sent"}
        assert server.accepted == ["ok-1"]


MODES = [
    # mode, TLS offered, policy, what is said; "" if all is well
    ("multiline", False, "opportunistic", ""),
    ("noehlo", False, "opportunistic", ""),
    ("noehlo", True, "required", "does not offer STARTTLS"),
    ("ok", False, "required", "does not offer STARTTLS"),
    ("ok", False, "opportunistic", ""),
    ("ok", True, "opportunistic", ""),
    ("badcert", True, "required", ""),
    ("badcert", True, "verified", "can't be trusted"),
    ("banner421", False, "opportunistic", "421 4.3.2 service shutting down"),
    ("dropconnect", False, "opportunistic", "can't reach"),
    ("tarpit", False, "opportunistic", "did not answer within 1 s"),
    ("tarpit", True, "verified", "did not answer within 1 s"),
    ("slowtls", True, "required", "did not answer within 1 s"),
    ("slowtls", True, "opportunistic", "did not answer within 1 s"),
]


@pytest.mark.parametrize(("mode", "offered", "policy", "words"), MODES)
def test_a_connection_that_can_not_be_made_keeps_everybody_queued_and_says_why(
    sqlite_db: Database, tmp_path: Path, clock: Clock, mode: str, offered: bool, policy: str, words: str
) -> None:
    with faulty(tmp_path / "server", mode, tls=offered) as server:
        ctx = service(sqlite_db, tmp_path, clock, server, tls=policy)
        issue = publish(ctx)
        for number in range(6):
            reader(ctx, f"ok-{number}@x.example")
        assert send(ctx, issue) < DEADLINE
        numbers, row = audit(ctx, issue), issue_row(ctx, issue)
        if words:
            assert (numbers["queued"], numbers["audience"], server.accepted) == (6, 6, [])
            assert words in row.reason
            refused = "does not offer" in words or "trusted" in words
            assert row.state == ("held" if refused else "sending"), "a person must act, or time will"
        else:
            assert (numbers["sent"], row.state) == (6, "sent")
            assert server.over_tls == {offered}
