"""Wishes to leave that come by mail (RFC 2369, the ``mailto:`` of List-Unsubscribe): read, acted on, and marked.

A mail counts by the token in its subject alone, never by its sender, which anybody can forge and which is often another
address than the one that was written to. All other mail is left as it lies. A mail that was acted on is marked as
answered, so that who came back since is not sent away again when the folder is read once more.
"""

import mailbox
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.errors import MessageError as MalformedMail
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Protocol

from digest.errors import InvalidToken, PassingError, UsageError
from digest.workflows.context import Context
from digest.workflows.subscribe import membership_of, unsubscribe

MAX_HEADER = 256 * 1024
"""Bytes of a mail that are looked at; a header is never that long."""

MAX_SUBJECT = 2_000
MAX_TOKENS = 4
"""A subject may hold more words that look like tokens than the one that is; no more than these are tried."""

_FLAGS = ("Status", "X-Status")
"""Where an mbox file keeps its marks; other bytes than ASCII in them are no text to Python."""

_TOKEN = re.compile(r"(?<![\w-])[A-Za-z0-9_-]{32}(?![\w-])", re.ASCII)


class Readable(Protocol):
    """Bytes of one mail."""

    def read(self, size: int, /) -> bytes:
        """At most so many of them."""
        ...


@dataclass
class InboxReport:
    """What was in an inbox.

    Attributes:
        read: mails looked at.
        left: readers who got the newsletter until now.
        again: wishes of readers who had left already.
    """

    read: int = 0
    left: int = 0
    again: int = 0

    @property
    def others(self) -> int:
        """Mails that are no wish to leave; nothing was done with them."""
        return self.read - self.left - self.again

    def as_dict(self) -> dict[str, int]:
        """The ``--json`` contract of ``digest inbox``."""
        return {"read": self.read, "left": self.left, "again": self.again, "others": self.others}

    @property
    def words(self) -> str:
        """One line for people."""
        return (
            f"{self.read} mails read: {self.left} unsubscribed, {self.again} had left already, {self.others} left alone"
        )


def read_one(ctx: Context, mail: Readable) -> InboxReport:
    """Act on one mail, as a mail server pipes it in."""
    report = InboxReport()
    _act(ctx, mail, report)
    return report


def read_inbox(ctx: Context, path: Path) -> InboxReport:
    """Act on all mails of a Maildir or an mbox file that are not marked as answered, and mark those that were acted on.

    Raises:
        UsageError: there is no such folder or file, it can't be read or written, or the folder is no Maildir.
        PassingError: another program holds the mbox file.
    """
    report = InboxReport()
    try:
        if path.is_dir():
            _read_maildir(ctx, path, report)
        else:
            _read_mbox(ctx, path, report)
    except (OSError, mailbox.NoSuchMailboxError) as error:
        raise UsageError(f"{path} can't be read as an inbox: {error}") from None
    return report


def _read_maildir(ctx: Context, path: Path, report: InboxReport) -> None:
    if not all((path / name).is_dir() for name in ("cur", "new", "tmp")):
        raise UsageError(f"{path} is no Maildir: it lacks one of the folders cur, new and tmp")
    for file in sorted([*(path / "new").iterdir(), *(path / "cur").iterdir()]):
        name, _, flags = file.name.partition(":2,")
        if name.startswith(".") or "R" in flags:
            continue
        # Somebody may take a mail away at any moment: then there is nothing to read, or nothing to mark.
        with suppress(FileNotFoundError):
            with file.open("rb") as mail:
                is_ours = _act(ctx, mail, report)
            if is_ours:
                file.rename(path / "cur" / f"{name}:2,{''.join(sorted({*flags, 'R'}))}")


def _read_mbox(ctx: Context, path: Path, report: InboxReport) -> None:
    box = mailbox.mbox(path, create=False)
    try:
        box.lock()
        for key in box.iterkeys():
            with box.get_file(key) as whole:  # of which only the header is read: it may be of hundreds of megabytes
                if _is_answered(whole.read(MAX_HEADER)):
                    continue
                whole.seek(0)
                is_ours = _act(ctx, whole, report)
            if is_ours:
                box[key] = _answered(box.get_message(key))
    except mailbox.ExternalClashError:
        raise PassingError(f"{path} is held by another program: try again later") from None
    finally:
        box.close()  # writes the file anew if a mail was marked, and lets go of it


def _is_answered(head: bytes) -> bool:
    header = BytesHeaderParser().parsebytes(head)
    return any("A" in str(header.get(name, "")) for name in _FLAGS)


def _answered(mail: mailbox.mboxMessage) -> mailbox.mboxMessage:
    """The mail with the mark, also where somebody wrote flags that are none."""
    for name in _FLAGS:
        if not isinstance(mail.get(name, ""), str):
            del mail[name]
    mail.add_flag("A")
    return mail


def _act(ctx: Context, mail: Readable, report: InboxReport) -> bool:
    """Count a mail and do what it wishes; whether it was a wish to leave."""
    report.read += 1
    for token in _tokens(mail.read(MAX_HEADER)):
        try:
            was_active = membership_of(ctx, token).active
            unsubscribe(ctx, token, reason="by mail")
        except InvalidToken:
            continue
        if was_active:
            report.left += 1
        else:
            report.again += 1
        return True
    return False


def _tokens(head: bytes) -> Iterator[str]:
    # The header ends at the first empty line; what follows may be megabytes, and anybody's words.
    for subject in BytesHeaderParser().parsebytes(head).get_all("Subject", [])[:1]:
        for number, found in enumerate(_TOKEN.finditer(_read(str(subject)[:MAX_SUBJECT]))):
            if number == MAX_TOKENS:
                return
            yield found[0]


def _read(subject: str) -> str:
    """A subject as people see it, unfolded; as it came where it can't be decoded."""
    try:
        return " ".join(str(make_header(decode_header(subject))).split())
    except (LookupError, ValueError, MalformedMail):
        return " ".join(subject.split())
