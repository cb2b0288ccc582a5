"""A worker's journal: what it was about to hand over, and what came of it.

The database learns of results in bulk, so a worker that is killed leaves rows of which the database knows only
that they were in its hands. Its journal knows more, message by message:

- "about 7" is written before message 7 can no longer be taken back, "done 7 …" when the answer is there;
- a lock on the file (flock) lasts exactly as long as the process, whatever ends it;
- whoever finds a journal without its lock settles what the dead worker left.

The file is mapped into memory (mmap, shared): what is written there belongs to the kernel at once and survives the
death of the process (SIGKILL included) as a write(2) does, without a system call for every message. Its room is taken
from the disk beforehand, so that a full disk is an error when a journal begins and never one in the middle. Nothing is
synced to the disk: after a power failure the database may have lost its latest commits just as well, and rows
that come back as "sending" without a journal are held as unknown, never sent again by themselves.
"""

import fcntl
import json
import mmap
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from digest.domain.mail import Outcome

SUFFIX = ".journal"
ROOM = 1 << 18
"""Bytes of a new journal. One that is full begins again with what is still unsettled, larger if need be."""


class Answer(NamedTuple):
    """What came of a message, as far as the ledger needs it."""

    delivery_id: int
    outcome: Outcome
    code: str = ""
    detail: str = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Estate:
    """What a dead worker left.

    Attributes:
        idempotent: whether its sender leaves one copy when a message is sent again.
        answered: results, of which the database may have recorded any or none.
        unanswered: messages that were about to leave, or left, without an answer.
    """

    worker: str
    idempotent: bool
    answered: dict[int, Answer] = field(default_factory=dict)
    unanswered: frozenset[int] = frozenset()


class Journal:
    """The journal of one living worker; its methods may be called from several threads.

    Args:
        folder: made if it is not there; it must be on a local file system (flock).
        worker: the name that the worker's rows bear in the ledger; never used before.
        idempotent: see :class:`Estate`.
    """

    def __init__(self, folder: Path, worker: str, *, idempotent: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.worker = worker
        self._path = folder / (worker + SUFFIX)
        self._lock = threading.Lock()
        self._header = _line("worker", worker, idempotent)
        # The last word on every message of which the database does not know everything yet.
        self._unsettled: dict[int, bytes] = {}
        self._file = -1
        self._map: mmap.mmap
        self._end, self._room = 0, ROOM
        self._begin()

    def about(self, delivery_id: int) -> None:
        """Note that a message is about to become irrevocable. It may leave only when this has returned.

        Raises:
            OSError: there is no room on the disk: the message must not leave.
        """
        self._note(delivery_id, b'["about",%d]\n' % delivery_id)

    def done(self, answer: Answer) -> None:
        """Note what came of a message."""
        words = _written(answer.outcome, answer.code, answer.detail[:500], answer.provider_id)
        self._note(answer.delivery_id, b'["done",%d,%s]\n' % (answer.delivery_id, words))

    def taken_back(self, delivery_ids: Iterable[int]) -> None:
        """Note that messages were surely not accepted after all: they may be sent again."""
        for delivery_id in delivery_ids:
            self._note(delivery_id, b'["back",%d]\n' % delivery_id)

    def recorded(self, delivery_ids: Iterable[int]) -> None:
        """The database has committed what there is to know of these: they need no journal any more."""
        with self._lock:
            for delivery_id in delivery_ids:
                self._unsettled.pop(delivery_id, None)

    def close(self, *, keep: bool = False) -> None:
        """Give the lock back. A journal with something unrecorded stays, for whoever settles it.

        Args:
            keep: rows may still be in the worker's hands: leave them to be settled too.
        """
        with self._lock:
            if not self._unsettled and not keep:
                self._path.unlink(missing_ok=True)
            self._map.close()
            os.close(self._file)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(keep=error is not None)

    def _note(self, delivery_id: int, line: bytes) -> None:
        with self._lock:
            if self._end + len(line) > self._room:
                self._begin()
            self._map[self._end : self._end + len(line)] = line
            self._end += len(line)
            self._unsettled[delivery_id] = line

    def _begin(self) -> None:
        """Put a new file, with what is unsettled, in the place of the old one."""
        kept = b"".join([self._header, *self._unsettled.values()])
        while self._room < 2 * len(kept):
            self._room *= 2
        # It gets its name only when it is locked and complete: nobody can take it for a dead worker's, or for empty.
        unnamed = self._path.with_suffix(".new")
        file = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            os.posix_fallocate(file, 0, self._room)
            mapped = mmap.mmap(file, self._room)
            mapped[: len(kept)] = kept
            os.replace(unnamed, self._path)
        except BaseException:
            os.close(file)
            unnamed.unlink(missing_ok=True)
            raise
        if self._file >= 0:
            self._map.close()
            os.close(self._file)
        self._file, self._map, self._end = file, mapped, len(kept)


def settle_dead(folder: Path) -> Iterator[Estate]:
    """What each dead worker left, while its journal is locked against everybody else.

    A journal is removed when the next estate is asked for: apply an estate to the database, and commit, before
    going on. If the caller breaks off or raises, the journal stays for another time.
    """
    for path in sorted(folder.glob("*" + SUFFIX)):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue  # somebody else was quicker
        try:
            if _is_free(descriptor):
                with os.fdopen(os.dup(descriptor), "rb") as file:
                    estate = _read(file, path.name.removesuffix(SUFFIX))
                yield estate
                path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def living(folder: Path) -> frozenset[str]:
    """Names of the workers on this machine that hold their journal at this moment."""
    names = set()
    for path in folder.glob("*" + SUFFIX):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            if not _is_free(descriptor):
                names.add(path.name.removesuffix(SUFFIX))
        finally:
            os.close(descriptor)
    return frozenset(names)


def _is_free(descriptor: int) -> bool:
    """Take the lock if nobody has it; a file that lost its name meanwhile was settled by somebody else."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(descriptor).st_nlink > 0


def _read(lines: Iterable[bytes], worker: str) -> Estate:
    idempotent = False
    answered: dict[int, Answer] = {}
    unanswered: set[int] = set()
    for line in lines:
        try:
            kind, *rest = json.loads(line)
        except ValueError:
            continue  # torn by the death of its writer: what it was to say did not happen yet
        if kind == "worker":
            idempotent = bool(rest[1])
        elif kind == "about":
            unanswered.add(rest[0])
            answered.pop(rest[0], None)
        elif kind == "back":
            unanswered.discard(rest[0])
        elif kind == "done":
            unanswered.discard(rest[0])
            answered[rest[0]] = Answer(*rest)
    return Estate(worker, idempotent, answered, frozenset(unanswered))


# Kept: json.dumps would make a new one for every line.
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


@lru_cache(maxsize=64)
def _written(*words: str) -> bytes:
    """The words as JSON, without brackets. Most servers say the same to everybody."""
    return _encode(words)[1:-1].encode()


def _line(*words: object) -> bytes:
    return _encode(words).encode() + b"\n"
