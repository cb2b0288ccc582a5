"""A cut addressed to one person, by the thousand: what readers share is cut up once, what is theirs is laid between.

Every fragment is split at its tokens when the issue is taken up, and looked through then for what no mail server may
be shown. A cut is a list of references to those pieces, kept for the next reader of the same cut; a message is one
copy of that list with a few places filled, joined. No body is searched, escaped or encoded per reader.
"""

import html as html_entities
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import compress
from operator import itemgetter

from digest.domain.mail import Cut, Fragment, Message
from digest.errors import MessageError, RenderError
from digest.render import headers, quoted
from digest.render.cut import LEAD
from digest.render.message import HTML_PART, TEXT_PART, Addressee, Head, link

SEEN_CUTS = 100_000
"""Cuts of which it is remembered that they occurred; each takes some 80 bytes."""

KNOWN_CUTS = 2048
"""Cuts whose lists are kept at most; a list of 100 references takes about 1 kB."""

LONGEST_LINE = 998
"""RFC 5322 2.1.1, without the CRLF."""

Piece = bytes | str
"""Bytes as they are, or the name of the value that goes here."""

TOKENS = frozenset(("PREHEADER", "UNSUBSCRIBE", "PREFERENCES", "ADDRESS"))

ALWAYS = -1
"""The position of what is in every message."""

_MARKUP = re.compile("[&<>\"']")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A cut's message but for its personal values: ``pieces``, of which those at ``gaps`` are still to come."""

    pieces: list[bytes]
    gaps: list[tuple[int, str]]


class Stitcher:
    """Makes the messages of one approved issue. Safe to use from several threads.

    Raises:
        MessageError: fragments that are not quoted-printable lines: whatever made them is at fault.
        RenderError: a token that the templates use and nobody fills.
    """

    def __init__(self, head: Head, fragments: Sequence[Fragment]) -> None:
        self._head = head
        # A cut's subject is that of its lead, else of its first item.
        items = [fragment for fragment in fragments if fragment.role == "item"]
        items.sort(key=lambda fragment: (fragment.group != LEAD, fragment.position))
        self._tops = [(fragment.position, head.lines[fragment.story_id]) for fragment in items]
        self._bits = 1 + max((fragment.position for fragment in fragments), default=0)
        self._patterns: dict[int, Pattern] = {}
        self._seen: set[int] = set()
        # The whole issue as one row of pieces. Each belongs to a fragment, or (ALWAYS) to every message.
        row: list[tuple[int, Piece]] = [
            (ALWAYS, piece) for piece in (*_FIELDS, head.opening, b"\r\n--", head.boundary, TEXT_PART)
        ]
        for fragment in fragments:
            row += [(fragment.position, _renamed(piece, "text:")) for piece in split(fragment.text)]
        row += [(ALWAYS, piece) for piece in (b"--", head.boundary, HTML_PART)]
        for fragment in fragments:
            row += [(fragment.position, _renamed(piece, "html:")) for piece in split(fragment.html)]
        row.append((ALWAYS, head.closing))
        self._pieces = [b"" if isinstance(piece, str) else piece for _, piece in row]
        self._gaps = [(index, piece) for index, (_, piece) in enumerate(row) if isinstance(piece, str)]
        self._chosen = itemgetter(*(position for position, _ in row))

    def message(self, cut: Cut, addressee: Addressee) -> Message:
        """The finished mail. The same arguments give the same bytes.

        Raises:
            MessageError: an address, Message-ID or link that can't stand in a mail.
        """
        pattern = self._patterns.get(cut.bits) or self._new_pattern(cut.bits)
        address = headers.address(addressee.address)
        unsubscribe, preferences = link(addressee.unsubscribe_url), link(addressee.preferences_url)
        values = {
            "To": headers.mailbox_of("To", addressee.name, address),
            "Date": _dated(addressee.date),
            "Message-ID": headers.plain("Message-ID", addressee.message_id),
            "List-Unsubscribe": headers.plain("List-Unsubscribe", f"<{unsubscribe}>"),
        }
        for name, value in (("UNSUBSCRIBE", unsubscribe), ("PREFERENCES", preferences), ("ADDRESS", addressee.address)):
            values[f"text:{name}"] = values[f"html:{name}"] = quoted.encode(value)
            if _MARKUP.search(value):
                values[f"html:{name}"] = quoted.encode(html_entities.escape(value))
        pieces = pattern.pieces.copy()
        for index, name in pattern.gaps:
            pieces[index] = values[name]
        return Message(
            addressee.delivery_id, addressee.message_id, self._head.envelope_from, address, b"".join(pieces),
            prepared=True,
        )  # fmt: skip

    def _new_pattern(self, bits: int) -> Pattern:
        """Readers who share no cut pay for this each, so nothing is done piece by piece."""
        lines = next((lines for position, lines in self._tops if bits >> position & 1), self._head.lines[None])
        shared = {
            "Subject": lines.subject_field, "text:PREHEADER": lines.preheader_text,
            "html:PREHEADER": lines.preheader_html,
        }  # fmt: skip
        # One byte for every fragment, in order, and one for what is in every message: 1 if it is in this cut.
        flags = f"{bits:0{self._bits}b}"[: -self._bits - 1 : -1].encode().translate(_ZERO_ONE) + b"\1"
        chosen = bytes(self._chosen(flags))
        pieces = list(compress(self._pieces, chosen))
        gaps = []
        for index, name in self._gaps:
            if chosen[index]:
                at = chosen.count(1, 0, index)
                if name in shared:
                    pieces[at] = shared[name]
                else:
                    gaps.append((at, name))
        pattern = Pattern(pieces, gaps)
        # A cut is kept from its second reader on: where everybody has their own, keeping them costs more than it saves.
        if bits not in self._seen:
            if len(self._seen) >= SEEN_CUTS:
                self._seen.clear()
            self._seen.add(bits)
        elif len(self._patterns) < KNOWN_CUTS:
            self._patterns[bits] = pattern
        return pattern


_ZERO_ONE = bytes.maketrans(b"01", b"\0\1")
_FIELDS: tuple[Piece, ...] = ("To", "Subject", "Date", "Message-ID", "List-Unsubscribe")


def _renamed(piece: Piece, prefix: str) -> Piece:
    return prefix + piece if isinstance(piece, str) else piece


def message(head: Head, fragments: Sequence[Fragment], cut: Cut, addressee: Addressee) -> Message:
    """One mail: as :meth:`Stitcher.message`, for those who need no second one."""
    return Stitcher(head, fragments).message(cut, addressee)


def split(body: bytes) -> list[Piece]:
    """A fragment's bytes at its tokens.

    Raises:
        MessageError: a line that does not end in CRLF, begins with a dot, is too long or holds 8-bit bytes
            (RFC 5321 2.3.8, 4.5.2, RFC 5322 2.1.1). A server could read it as the end of a message.
        RenderError: a token that has no value in a mail.
    """
    pieces: list[Piece] = []
    for index, part in enumerate(quoted.TOKEN.split(body)):
        if index % 2:
            name = part.decode()
            if name not in TOKENS:
                raise RenderError(f"the mail needs a value for {name}")
            pieces.append(name)
        elif part:
            _check(part)
            pieces.append(part)
    return pieces


def _check(part: bytes) -> None:
    pairs = part.count(b"\r\n")
    if part.count(b"\r") != pairs or part.count(b"\n") != pairs or (part and not part.endswith(b"\r\n")):
        raise MessageError("a fragment holds a line that does not end in CRLF")
    if not part.isascii() or part.startswith(b".") or b"\n." in part:
        raise MessageError("a fragment is not quoted-printable as it must be")
    if any(len(line) > LONGEST_LINE for line in part.split(b"\r\n")):
        raise MessageError(f"a fragment holds a line of more than {LONGEST_LINE} characters")


@lru_cache(maxsize=64)
def _dated(moment: datetime) -> bytes:
    # Rows that are claimed together bear the same date.
    return headers.dated(moment)
