"""A cut addressed to one person, by the thousand: what readers share is joined once, what is theirs is laid between.

When the issue is taken up, every fragment is split at its tokens and looked through for what no mail server may be
shown. A cut is a mask; each four fragments that stand together are joined beforehand in all sixteen ways, and a digit
of the mask in hexadecimal says which of them it is. That takes eight times the bytes of the issue, once. A message is
one such piece for every digit with a few places filled, joined: no body is searched, escaped or encoded per reader.
"""

import html as html_entities
import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from operator import getitem, itemgetter
from typing import NamedTuple

from digest.domain.issue import LEAD
from digest.domain.mail import Cut, Fragment, Message
from digest.errors import MessageError, RenderError
from digest.render import headers, quoted
from digest.render.message import HTML_PART, TEXT_PART, Addressee, Head, Lines, link

LONGEST_LINE = 998
"""RFC 5322 2.1.1, without the CRLF."""

Piece = bytes | str
"""Bytes as they are, or the name of the value that goes here."""

KNOWN = 10_000
"""Cuts whose pieces are kept in order, half a kilobyte each."""

TOKENS = ("PREHEADER", "UNSUBSCRIBE", "PREFERENCES", "ADDRESS")

_DIGITS = "0123456789abcdef"
_NOTHING = dict.fromkeys(_DIGITS, b"")
_FIELDS = 5
"""Header fields that are a reader's own; they stand first."""

_MARKUP = re.compile("[&<>\"']")
# What links and addresses mostly are: no letter that HTML or quoted-printable writes in another way.
_AS_IT_IS = re.compile(r"[A-Za-z0-9][A-Za-z0-9/:_~.-]*(?:@[A-Za-z0-9/:_~.-]+)?")


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
        last = max((fragment.position for fragment in fragments), default=0)
        # One more digit, which is the first, stands for what is in every message.
        always = (last // 4 + 1) * 4
        self._mask, self._always = (1 << last + 1) - 1, 1 << always
        row: list[tuple[int, Piece]] = [(always, head.opening + b"\r\n--" + head.boundary + TEXT_PART)]
        for fragment in fragments:
            row += [(fragment.position, _renamed(piece, "text:")) for piece in split(fragment.text)]
        row.append((always, b"--" + head.boundary + HTML_PART))
        for fragment in fragments:
            row += [(fragment.position, _renamed(piece, "html:")) for piece in split(fragment.html)]
        row.append((always, head.closing))
        self._tables, digits, self._gaps = _tables(row)
        self._digits = itemgetter(*(always // 4 - digit for digit in digits))
        self._laid: dict[int, _Laid] = {}

    def message(self, cut: Cut, addressee: Addressee) -> Message:
        """The finished mail. The same arguments give the same bytes.

        Raises:
            MessageError: an address, Message-ID or link that can't stand in a mail.
        """
        if (laid := self._laid.get(cut.bits)) is None:
            laid = self._lay(cut.bits)
        lines = laid.lines
        address = headers.address(addressee.address)
        unsubscribe, preferences = link(addressee.unsubscribe_url), link(addressee.preferences_url)
        values = (
            lines.preheader_text, lines.preheader_html, *_written(unsubscribe), *_written(preferences),
            *_written(addressee.address),
        )  # fmt: skip
        pieces = [
            headers.mailbox_of("To", addressee.name, address), lines.subject_field, _dated(addressee.date),
            headers.plain("Message-ID", addressee.message_id), headers.unsubscribe(unsubscribe, self._head.leaving_mail),
            *laid.pieces,
        ]  # fmt: skip
        for index, slot in laid.gaps:
            pieces[index] = values[slot]
        return Message(
            addressee.delivery_id, addressee.message_id, self._head.envelope_from, address, b"".join(pieces),
            prepared=True,
        )  # fmt: skip

    def _lay(self, cut_bits: int) -> "_Laid":
        """The pieces of a cut, as its next reader gets them too. They are named, not copied."""
        bits = cut_bits & self._mask | self._always
        laid = _Laid(
            tuple(map(getitem, self._tables, self._digits(f"{bits:x}"))),
            tuple((index, slot) for index, slot, position in self._gaps if bits >> position & 1),
            next((lines for position, lines in self._tops if bits >> position & 1), self._head.lines[None]),
        )
        if len(self._laid) >= KNOWN:
            self._laid.clear()
        self._laid[cut_bits] = laid
        return laid


class _Laid(NamedTuple):
    """What the messages of one cut have in common.

    Attributes:
        pieces: what stands behind the fields that are a reader's own.
        gaps: index among a message's pieces, and slot of the value that goes there.
    """

    pieces: tuple[bytes, ...]
    gaps: tuple[tuple[int, int], ...]
    lines: Lines


_SLOTS = [f"{part}:{token}" for token in TOKENS for part in ("text", "html")]
"""In the order of a message's values."""


def _tables(
    row: Sequence[tuple[int, Piece]],
) -> tuple[list[dict[str, bytes]], list[int], list[tuple[int, int, int]]]:
    """The pieces of an issue by the digits of a mask.

    Returns:
        For each place in a message what stands there by digit; which digit that is, counted from the lowest; and the
        gaps: index among a message's pieces, slot of the value, position of the fragment.
    """
    runs: list[tuple[int, list[tuple[int, bytes]]]] = []
    gaps = []
    joins = False
    for position, piece in row:
        digit = position // 4
        if isinstance(piece, str):
            gaps.append((_FIELDS + len(runs), _SLOTS.index(piece), position))
            runs.append((digit, []))
        elif joins and runs[-1][0] == digit:
            runs[-1][1].append((position % 4, piece))
        else:
            runs.append((digit, [(position % 4, piece)]))
        joins = isinstance(piece, bytes)
    tables = [
        {
            name: b"".join(piece for position, piece in run if number >> position & 1)
            for number, name in enumerate(_DIGITS)
        }
        if run else _NOTHING
        for _, run in runs
    ]  # fmt: skip
    return tables, [digit for digit, _ in runs], gaps


def _written(value: str) -> tuple[bytes, bytes]:
    """A reader's own value as complete quoted-printable lines of the text part and of the HTML part."""
    if len(value) < quoted.WIDTH and _AS_IT_IS.fullmatch(value):
        line = value.encode() + quoted.SOFT
        return line, line
    line = quoted.encode(value)
    return line, quoted.encode(html_entities.escape(value)) if _MARKUP.search(value) else line


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
