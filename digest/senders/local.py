"""Senders that stay on this machine: a Maildir and a console."""

import os
import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import TextIO

from digest.domain.mail import Message, SendResult
from digest.errors import SenderUnavailable
from digest.senders.base import HandOver
from digest.senders.dsn import Dsn, wrong

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class MaildirSender:
    """Puts every message into a Maildir, as a file named after its Message-ID.

    Sending a Message-ID again replaces its file, so nothing is ever unknown or twice. Files are written to
    ``tmp``, synced, and moved to ``new``: a reader never sees half a message.
    """

    name = "maildir"
    idempotent = True
    batch = 200

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def from_dsn(cls, dsn: Dsn) -> "MaildirSender":
        """``file:///PATH``.

        Raises:
            ConfigError: a host instead of an absolute path, or an option.
        """
        dsn.allow()
        if dsn.host or not dsn.path.startswith("/") or dsn.path == "/":
            raise wrong("write file:///PATH with three slashes and an absolute path")
        return cls(Path(dsn.path))

    def send(self, messages: Iterable[Message], hand_over: HandOver) -> Iterator[SendResult]:
        """See :class:`digest.senders.base.Sender`.

        Raises:
            SenderUnavailable: the folder can't be written.
        """
        try:
            read_before = self._prepare()
            for message in messages:
                name = file_name(message.message_id)
                # A mail program moves what was read to cur/, under a name that begins with the same words.
                target = read_before.get(name, self.folder / "new" / name)
                draft = self._draft(name, message.data)
                try:
                    hand_over(message)
                    os.replace(draft, target)
                finally:
                    draft.unlink(missing_ok=True)
                _sync_folder(target.parent)
                yield SendResult(message, "sent", code="250", provider_id=name)
        except OSError as error:
            raise SenderUnavailable(f"can't write mail to {self.folder}: {error.strerror or error}") from error

    def close(self) -> None:
        """Nothing is open."""

    def _prepare(self) -> dict[str, Path]:
        for part in ("tmp", "new", "cur"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        return {path.name.partition(":")[0]: path for path in (self.folder / "cur").iterdir()}

    def _draft(self, name: str, data: bytes) -> Path:
        draft = self.folder / "tmp" / f"{name}.{os.getpid()}"
        with open(draft, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return draft


def file_name(message_id: str) -> str:
    """The file that holds a Message-ID: its part before the ``@``, and ``.eml`` for people and their tools."""
    return re.sub(r"[^A-Za-z0-9_.=-]", "_", message_id.strip("<>").partition("@")[0]).lstrip(".") + ".eml"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ConsoleSender:
    """Writes headers and the text part to a stream, for people who try things out."""

    name = "console"
    idempotent = False
    batch = 50

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, messages: Iterable[Message], hand_over: HandOver) -> Iterator[SendResult]:
        """See :class:`digest.senders.base.Sender`.

        Raises:
            SenderUnavailable: the stream is closed.
        """
        for message in messages:
            shown = _readable(message)
            hand_over(message)
            try:
                self._stream.write(shown)
                self._stream.flush()
            except (OSError, ValueError) as error:
                raise SenderUnavailable(f"can't write to the console: {error}") from error
            yield SendResult(message, "sent", code="250")

    def close(self) -> None:
        """The stream belongs to whoever passed it in."""


def _readable(message: Message) -> str:
    mail = message_from_bytes(message.data, policy=policy.default)
    part = mail.get_body(preferencelist=("plain",))
    headers = "\n".join(f"{name}: {value}" for name, value in mail.items())
    text = str(part.get_content()).rstrip("\n") if part else "(no text part)"
    # Escape sequences in a subject could rewrite what a terminal shows.
    headers, text = (_CONTROL.sub("\N{REPLACEMENT CHARACTER}", part) for part in (headers, text.replace("\r\n", "\n")))
    rule = "─" * 78
    return f"{rule}\nEnvelope: {message.envelope_from} → {message.recipient}\n{headers}\n\n{text}\n{rule}\n"
