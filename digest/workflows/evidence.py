"""Where a Message-ID shows that a mail arrived: in a Maildir, or in the log of a mail server."""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from digest.errors import UsageError

HEADERS = 65_536
"""Bytes of a mail in which its headers are looked for."""

_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^<>\r\n]+>)", re.IGNORECASE | re.MULTILINE)
_IN_LOG = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")
_POSTFIX = re.compile(r"\bpostfix\S*/(\w+)\[\d+\]: ([0-9A-Za-z]+): (.*)")
"""A line of Postfix: daemon, queue id, words. Its queue id ties the line that names the Message-ID to what came of it."""


def in_maildir(folder: Path, wanted: Collection[str]) -> set[str]:
    """Which of these Message-IDs lie in ``new`` or ``cur`` of a Maildir.

    Raises:
        UsageError: the folder is no Maildir.
    """
    parts = [folder / part for part in ("new", "cur")]
    if not all(part.is_dir() for part in parts):
        raise UsageError(f"{folder} is no Maildir: it has no new/ and cur/")
    found: set[str] = set()
    for part in parts:
        for path in part.iterdir():
            with path.open("rb") as file:
                head = file.read(HEADERS).partition(b"\r\n\r\n")[0].partition(b"\n\n")[0]
            if (match := _MESSAGE_ID.search(head)) is not None:
                found.add(match[1].decode("ascii", "replace"))
    return found & set(wanted)


def in_log(path: Path, wanted: Collection[str]) -> set[str]:
    """Which of these Message-IDs a mail server's log names as accepted.

    Postfix names the Message-ID while it still reads the mail, so there the queue id must come up again: taken into
    the queue, or on its way. In any other log a line that holds the Message-ID counts.

    Raises:
        UsageError: the file can't be read.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            return set(_named(lines, frozenset(wanted)))
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}") from error


def _named(lines: Iterable[str], wanted: frozenset[str]) -> Iterator[str]:
    being_read: dict[str, str] = {}
    for line in lines:
        postfix = _POSTFIX.search(line)
        if postfix is None:
            yield from wanted.intersection(_IN_LOG.findall(line))
            continue
        daemon, queue_id, words = postfix.groups()
        if daemon == "cleanup" and words.startswith("message-id="):
            if (message_id := words.removeprefix("message-id=").strip()) in wanted:
                being_read[queue_id] = message_id
        elif queue_id in being_read and ("queue active" in words or "status=sent" in words):
            yield being_read.pop(queue_id)
