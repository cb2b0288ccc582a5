"""Mails outside the issues: queued with the deed that they speak of, sent until they are taken.

A notice may reach somebody twice if the process dies at the wrong moment: unlike an issue, a second copy of a
link is better than none. Both copies bear the same Message-ID.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from digest.domain.mail import Message
from digest.errors import ConfigError, MessageError, PassingError, RenderError, SenderRefused
from digest.render.notices import NoticeSender, notice
from digest.store import newsletters, notices, subscribers
from digest.store import newsroom as newsroom_tables
from digest.store.notices import ClaimedNotice
from digest.workflows.context import Context
from digest.workflows.outflow import Wait
from digest.workflows.printing import renderer
from digest.workflows.turns import Turns

BATCH = 50
CLAIM = timedelta(minutes=10)
"""How long a process is left alone with the notices it took."""

RETRY = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""Waits after an attempt that may succeed later; the last one repeats. Somebody waits for these mails."""

HORIZON = timedelta(hours=24)
"""A notice that could not be sent for so long has failed: its link has lost its sense."""

SUPPRESSED = "the address is suppressed"


@dataclass
class NoticeReport:
    """How many notices were sent, will be tried again, and never will be."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        """For ``--json``."""
        return {"sent": self.sent, "waiting": self.waiting, "failed": self.failed}


def queue_notice(session: Session, now: datetime, kind: str, address: str, payload: Mapping[str, Any]) -> None:
    """Queue a notice in the caller's transaction: it goes out if and only if what it speaks of happened.

    Args:
        kind: see :data:`digest.render.notices.KINDS`.
        payload: see :func:`digest.render.notices.notice`; ``newsletter`` (a slug) says in whose name.
    """
    notices.add(session, now, kind, address, dict(payload))


def send_notices(ctx: Context) -> NoticeReport:
    """Send the notices that are due.

    Raises:
        SenderUnavailable, SenderRefused: the server's words; the notices stay queued and are tried again.
        ConfigError: there is no newsletter, so nobody in whose name to write.
    """
    report = NoticeReport()
    while claimed := _claim(ctx):
        _send(ctx, claimed, report)
    return report


def _claim(ctx: Context) -> list[ClaimedNotice]:
    now = ctx.clock()
    with ctx.db.write() as session:
        return notices.claim(session, now, now + CLAIM, BATCH)


def _send(ctx: Context, claimed: Sequence[ClaimedNotice], report: NoticeReport) -> None:
    mails: list[tuple[ClaimedNotice, Message]] = []
    turns = Turns(ctx)
    waiting = {row.id: row for row in claimed}

    def settle(row: ClaimedNotice, state: str, words: str = "") -> None:
        waiting.pop(row.id)
        with ctx.db.write() as session:
            notices.finish(session, row.id, state, ctx.clock(), words)
        setattr(report, state, getattr(report, state) + 1)

    trouble = ""
    try:
        for row in claimed:
            if (wait := turns.far(row.address)) is not None:
                waiting.pop(row.id)
                _make_wait(ctx, row, wait, report)
                continue
            try:
                mails.append((row, _mail(ctx, row)))
            except (MessageError, RenderError) as error:
                settle(row, "failed", str(error))
        by_message = {mail.message_id: row for row, mail in mails}
        for result in ctx.sender.send([mail for _, mail in mails], turns.take):
            turns.learn(result)
            row, words = by_message[result.message.message_id], f"{result.code} {result.detail}".strip()
            if result.outcome == "sent":
                settle(row, "sent")
            elif result.outcome == "failed":
                settle(row, "failed", words)
            else:
                trouble = words
    except (PassingError, SenderRefused, ConfigError) as error:
        trouble = str(error)
        raise
    finally:
        _put_off(ctx, list(waiting.values()), trouble, report)


def _mail(ctx: Context, row: ClaimedNotice) -> Message:
    """The finished notice.

    Raises:
        MessageError: the address can't be written to, or must not.
        RenderError: nothing can be made of its kind and payload.
    """
    with ctx.db.read() as session:
        if subscribers.is_suppressed(session, ctx.signer, row.address):
            raise MessageError(SUPPRESSED)
        sender = _in_whose_name(session, str(row.payload.get("newsletter", "")))
    domain = sender.from_address.rpartition("@")[2]
    return notice(
        renderer(ctx, str(row.payload.get("newsletter", ""))),
        row.kind,
        row.payload,
        sender,
        address=row.address,
        # Issues are numbered from 1, so 0 is free for the mails outside them.
        message_id=ctx.signer.message_id(0, row.id, domain),
        date=row.created_at,
    )


def _in_whose_name(session: Session, slug: str) -> NoticeSender:
    specs = newsroom_tables.newsletters(session)
    if not specs:
        raise ConfigError("there is no newsletter, so no address to write from: run `digest newsroom apply`")
    spec = next((spec for spec in specs if spec.slug == slug), specs[0])
    name = spec.name if spec.slug == slug else newsletters.site(session).name
    return NoticeSender(name, spec.from_address, spec.postal_address, spec.locale, spec.theme)


def _make_wait(ctx: Context, row: ClaimedNotice, wait: Wait, report: NoticeReport) -> None:
    """Let a notice wait for its domain, which is no attempt."""
    with ctx.db.write() as session:
        notices.put_off(session, [row.id], wait.until, wait.reason)
    report.waiting += 1


def _put_off(ctx: Context, rows: Sequence[ClaimedNotice], words: str, report: NoticeReport) -> None:
    """Try again later what is left, or give it up when it is too old."""
    now = ctx.clock()
    with ctx.db.write() as session:
        for row in rows:
            if now - row.created_at >= HORIZON:
                notices.finish(session, row.id, "failed", now, words)
                report.failed += 1
            else:
                wait = RETRY[min(row.attempts, len(RETRY)) - 1]
                notices.put_off(session, [row.id], now + wait, words)
                report.waiting += 1
