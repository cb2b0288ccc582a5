"""Quoted-printable (RFC 2045 6.7) whose every line is complete, with tokens that stand alone.

A piece ends in a soft (``=CRLF``) or hard (``CRLF``) line break, so pieces may be joined in any order, and
no line starts with a dot (``=2E`` instead), so nothing has to be stuffed when it is sent (RFC 5321 4.5.2).
A token is the line ``@@NAME@@=``; no literal text ever encodes to ``@@``, so replacing a token after
encoding can hit nothing else.
"""

import re
from collections.abc import Callable, Mapping

from digest.errors import RenderError

WIDTH = 76
SOFT = b"=\r\n"
HARD = b"\r\n"
TOKEN = re.compile(rb"@@([A-Z]+)@@=\r\n")

_LINK = re.compile(rb"[!-<>?A-~]+(?:@[!-<>?A-~]+)?")
_PLAIN = re.compile(rb"(?!\.|From )(?:(?!@@)[!-<>-~]| (?! |$))*")
_TABLE = [bytes([code]) if 32 <= code <= 126 and code != 0x3D else b"=%02X" % code for code in range(256)]


def _line(line: bytes) -> bytes:
    """One line of text as encoded lines of at most 76 characters, the last without its end."""
    if _LINK.fullmatch(line):  # links and addresses: this runs for every reader
        if len(line) < WIDTH and line[0] != 0x2E:
            return line
        lines = [line[at : at + WIDTH - 1] for at in range(0, len(line), WIDTH - 1)]
        if not any(each[0] == 0x2E for each in lines):
            return SOFT.join(lines)
    elif len(line) < WIDTH and _PLAIN.fullmatch(line):
        return line
    encoded = b"".join(map(_TABLE.__getitem__, line)).replace(b"@@", b"=40=40")
    if encoded.endswith(b" "):
        encoded = encoded[:-1] + b"=20"
    chunks = []
    start, end = 0, len(encoded)
    while start < end:
        escaped, room = b"", WIDTH - 1
        # "From " at the start of a line is for mbox readers what a dot is for SMTP.
        if encoded[start] == 0x2E or encoded.startswith(b"From ", start):
            escaped, start, room = b"=%02X" % encoded[start], start + 1, room - 3
        stop = min(start + room, end)
        if stop < end:
            # Never through the middle of =XX.
            if encoded[stop - 1] == 0x3D:
                stop -= 1
            elif encoded[stop - 2] == 0x3D:
                stop -= 2
        chunks.append(escaped + encoded[start:stop])
        start = stop
    return SOFT.join(chunks)


def encode(text: str) -> bytes:
    """The text as complete lines: its line feeds become hard breaks, an unfinished last line a soft one.

    ``@@`` in the text never becomes a token.
    """
    body = text.encode()
    if b"\n" not in body:
        return _line(body) + SOFT if body else b""
    lines = [_line(line) for line in body.split(b"\n")]
    last = lines.pop()
    return b"".join(line + HARD for line in lines) + (last + SOFT if last else b"")


def token(name: str) -> bytes:
    """The line that stands for a value to come."""
    return b"@@" + name.encode() + b"@@" + SOFT


def pieces(text: str, sentinel: "re.Pattern[str]") -> bytes:
    """The text encoded, with every match of ``sentinel`` (group 1 is the name) as a token of its own line."""
    parts = sentinel.split(text)
    return b"".join(token(part) if index % 2 else encode(part) for index, part in enumerate(parts))


def fill(body: bytes, values: Mapping[str, str], escape: Callable[[str], str] = str) -> bytes:
    """The encoded body with its tokens replaced by encoded values.

    Raises:
        RenderError: a token without a value.
    """
    for name, value in values.items():
        body = body.replace(token(name), encode(escape(value)))
    missing = TOKEN.search(body)
    if missing:
        raise RenderError(f"the mail needs a value for {missing[1].decode()}")
    return body
