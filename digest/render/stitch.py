"""A cut addressed to one person, by the thousand: what readers share is cut up once, what is theirs is laid between.

Every fragment is split at its tokens when the issue is taken up, and looked through then for what no mail server may
be shown. A cut is a list of references to those pieces, kept for the next reader of the same cut; a message is one
copy of that list with a few places filled, joined. No body is searched, escaped or encoded per reader.
"""

import html as html_entities
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from digest.domain.mail import Cut, Fragment, Message
from digest.errors import MessageError, RenderError
from digest.render import headers, quoted
from digest.render.message import HTML_PART, TEXT_PART, Addressee, Head, link

KNOWN_CUTS = 8192
"""Cuts whose lists are kept at most; a list of 100 references takes about 1 kB."""

LONGEST_LINE = 998
"""RFC 5322 2.1.1, without the CRLF."""

Piece = bytes | str
"""Bytes as they are, or the name of the value that goes here."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A cut's message but for its personal values: ``pieces``, of which those at ``gaps`` are still to come."""

    pieces: list[bytes]
    gaps: tuple[tuple[int, str], ...]


class Stitcher:
    """Makes the messages of one approved issue. Safe to use from several threads.

    Raises:
        MessageError: fragments that are not quoted-printable lines: whatever made them is at fault.
    """

    def __init__(self, head: Head, fragments: Sequence[Fragment]) -> None:
        self._head = head
        self._fragments = fragments
        self._text = [split(fragment.text) for fragment in fragments]
        self._html = [split(fragment.html) for fragment in fragments]
        self._patterns: dict[int, Pattern] = {}

    def message(self, cut: Cut, addressee: Addressee) -> Message:
        """The finished mail. The same arguments give the same bytes.

        Raises:
            MessageError: an address, Message-ID or link that can't stand in a mail.
            RenderError: a token that the templates use and nobody fills.
        """
        pattern = self._patterns.get(cut.bits) or self._new_pattern(cut)
        address = headers.address(addressee.address)
        unsubscribe, preferences = link(addressee.unsubscribe_url), link(addressee.preferences_url)
        values = {
            "To": headers.mailbox("To", addressee.name, address) if addressee.name else _to(address),
            "Date": _dated(addressee.date),
            "Message-ID": headers.plain("Message-ID", addressee.message_id),
            "List-Unsubscribe": headers.plain("List-Unsubscribe", f"<{unsubscribe}>"),
        }
        personal = (("UNSUBSCRIBE", unsubscribe), ("PREFERENCES", preferences), ("ADDRESS", addressee.address))
        for name, value in personal:
            escaped = html_entities.escape(value)
            values[name] = values[f"html:{name}"] = quoted.encode(value)
            if escaped != value:
                values[f"html:{name}"] = quoted.encode(escaped)
        pieces = pattern.pieces.copy()
        for index, name in pattern.gaps:
            pieces[index] = values[name]
        return Message(
            addressee.delivery_id, addressee.message_id, self._head.envelope_from, address, b"".join(pieces),
            prepared=True,
        )  # fmt: skip

    def _new_pattern(self, cut: Cut) -> Pattern:
        head, lines = self._head, self._head.lines_for(self._fragments, cut)
        chosen = [index for index, fragment in enumerate(self._fragments) if fragment.position in cut]
        fields: list[Piece] = [
            "To", lines.subject_field, "Date", "Message-ID", "List-Unsubscribe", head.opening, b"\r\n",
        ]  # fmt: skip
        pieces: list[Piece] = [
            *fields, b"--" + head.boundary + TEXT_PART,
            *_body((self._text[index] for index in chosen), lines.preheader_text, str),
            b"--" + head.boundary + HTML_PART,
            *_body((self._html[index] for index in chosen), lines.preheader_html, "html:{}".format),
            head.closing,
        ]  # fmt: skip
        gaps = tuple((index, piece) for index, piece in enumerate(pieces) if isinstance(piece, str))
        for _, name in gaps:
            if name.removeprefix("html:") not in _PERSONAL:
                raise RenderError(f"the mail needs a value for {name.removeprefix('html:')}")
        pattern = Pattern([b"" if isinstance(piece, str) else piece for piece in pieces], gaps)
        if len(self._patterns) >= KNOWN_CUTS:
            self._patterns.clear()
        self._patterns[cut.bits] = pattern
        return pattern


_PERSONAL = frozenset(("To", "Date", "Message-ID", "List-Unsubscribe", "UNSUBSCRIBE", "PREFERENCES", "ADDRESS"))


def message(head: Head, fragments: Sequence[Fragment], cut: Cut, addressee: Addressee) -> Message:
    """One mail: as :meth:`Stitcher.message`, for those who need no second one."""
    return Stitcher(head, fragments).message(cut, addressee)


def split(body: bytes) -> tuple[Piece, ...]:
    """A fragment's bytes at its tokens.

    Raises:
        MessageError: a line that does not end in CRLF, begins with a dot, is too long or holds 8-bit bytes
            (RFC 5321 2.3.8, 4.5.2, RFC 5322 2.1.1). A server could read it as the end of a message.
    """
    parts = quoted.TOKEN.split(body)
    for part in parts[::2]:
        _check(part)
    return tuple(part.decode() if index % 2 else part for index, part in enumerate(parts) if part)


def _check(part: bytes) -> None:
    pairs = part.count(b"\r\n")
    if part.count(b"\r") != pairs or part.count(b"\n") != pairs or (part and not part.endswith(b"\r\n")):
        raise MessageError("a fragment holds a line that does not end in CRLF")
    if not part.isascii() or part.startswith(b".") or b"\n." in part:
        raise MessageError("a fragment is not quoted-printable as it must be")
    if any(len(line) > LONGEST_LINE for line in part.split(b"\r\n")):
        raise MessageError(f"a fragment holds a line of more than {LONGEST_LINE} characters")


def _body(parts: Iterable[tuple[Piece, ...]], preheader: bytes, named: Callable[[str], str]) -> Iterable[Piece]:
    for part in parts:
        for piece in part:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield preheader if piece == "PREHEADER" else named(piece)


def _to(address: str) -> bytes:
    return f"To: {address}\r\n".encode()


@lru_cache(maxsize=64)
def _dated(moment: datetime) -> bytes:
    # Rows that are claimed together bear the same date.
    return headers.dated(moment)
