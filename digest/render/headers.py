"""Header fields as bytes: folded, encoded, refused where they can't stand (RFC 5322, RFC 2047, RFC 5890)."""

import base64
import re
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

import idna

from digest.errors import MessageError
from digest.render.clean import clean_line

FOLD = 76
"""Columns at which header lines are folded; RFC 5322 2.1.1 asks for 78 at most."""

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)

# What most addresses and names look like. These run for every reader: what they match needs no closer look.
_USUAL = re.compile(r"(?:[A-Za-z0-9_+-]+\.)*[A-Za-z0-9_+-]+@[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*")
_NAMES = re.compile(r"[A-Za-z0-9'-]+(?: [A-Za-z0-9'-]+)*")


def address(text: str) -> str:
    """A bare address fit for any server: ASCII local part, domain as A-labels.

    Raises:
        MessageError: no address, or a local part that only SMTPUTF8 servers take (RFC 6531).
    """
    if len(text) <= 64 and _USUAL.fullmatch(text):  # too short for a part of it to be too long
        return text
    local, _, domain = text.strip().rpartition("@")
    if not local.isascii():
        raise MessageError(f"{text!r}: letters outside ASCII before the @ need SMTPUTF8, which is not offered")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError as error:
            raise MessageError(f"{text!r} has no valid domain: {error}") from None
    if len(local) > 64 or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain) or len(domain) > 253:
        raise MessageError(f"{text!r} is no mail address that can be written to")
    return f"{local}@{domain}"


def domain_of(mail_address: str) -> str:
    """The domain of a bare address, in lower case."""
    return mail_address.rpartition("@")[2].lower()


def _words(text: str, room: int) -> list[str]:
    """The text as RFC 2047 words of at most 75 characters, the first of at most ``room``; no character is split."""
    words: list[str] = []
    chunk = b""
    for char in text:
        encoded = char.encode()
        # "=?utf-8?B?" and "?=" take 12 characters; base64 takes 4 for 3.
        if chunk and 12 + 4 * ((len(chunk) + len(encoded) + 2) // 3) > (75 if words else min(room, 75)):
            words.append(f"=?utf-8?B?{base64.b64encode(chunk).decode()}?=")
            chunk = b""
        chunk += encoded
    words.append(f"=?utf-8?B?{base64.b64encode(chunk).decode()}?=")
    return words


def unstructured(name: str, text: str) -> bytes:
    """``Name: text`` with text that may hold anything; encoded only where it must be, folded at spaces."""
    text = clean_line(text)
    first = f"{name}: "
    if text.isascii() and "=?" not in text:
        lines, line = [], first.rstrip()
        for word in text.split(" "):
            if len(line) + 1 + len(word) > FOLD and line.strip() and not line.endswith(":"):
                lines.append(line)
                line = ""
            line = f"{line} {word}"
        return "\r\n".join([*lines, line]).encode() + b"\r\n"
    return (first + "\r\n ".join(_words(text, FOLD - len(first)))).encode() + b"\r\n"


def phrase(text: str, room: int = FOLD) -> str:
    """A display name: bare, quoted, or as encoded words (RFC 5322 3.2.5, RFC 2047 5)."""
    text = clean_line(text)
    if not text.isascii() or "=?" in text or len(text) > 900:
        return "\r\n ".join(_words(text, room))
    if _ATOMS.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def mailbox(name: str, display: str, mail_address: str) -> bytes:
    """``Name: display <address>``; the address is never encoded.

    Raises:
        MessageError: see :func:`address`.
    """
    return mailbox_of(name, display, address(mail_address))


def mailbox_of(name: str, display: str, bare: str) -> bytes:
    """The same for an address that is known to be fit."""
    if not display:
        return f"{name}: {bare}\r\n".encode()
    if len(name) + len(display) + len(bare) + 5 <= FOLD and _NAMES.fullmatch(display):
        return f"{name}: {display} <{bare}>\r\n".encode()
    if not clean_line(display):
        return f"{name}: {bare}\r\n".encode()
    shown = phrase(display, FOLD - len(name) - 2)
    separator = "\r\n " if len(shown.rpartition("\n")[2]) + len(name) + len(bare) + 5 > FOLD else " "
    return f"{name}: {shown}{separator}<{bare}>\r\n".encode()


def dated(moment: datetime) -> bytes:
    """The Date field of an aware time."""
    return f"Date: {format_datetime(moment)}\r\n".encode()


def leaving_mail(mail_address: str) -> str:
    """A ``mailto:`` (RFC 6068) whose subject wants but a token behind it.

    Raises:
        MessageError: see :func:`address`.
    """
    return f"mailto:{quote(address(mail_address), safe='@+')}?subject=unsubscribe%20"


def unsubscribe(url: str, by_mail: str = "") -> bytes:
    """List-Unsubscribe (RFC 2369): the link (RFC 8058), and behind it, if it is offered, the mail.

    Args:
        url: fit for a header (``message.link``); it ends in the reader's token.
        by_mail: what :func:`leaving_mail` gave, "" for none; the token of the link goes to its end.
    """
    if not by_mail:
        return plain("List-Unsubscribe", f"<{url}>")
    return plain("List-Unsubscribe", f"<{url}>,")[:-2] + f"\r\n <{by_mail}{url.rpartition('/')[2]}>\r\n".encode()


def plain(name: str, value: str) -> bytes:
    """A structured field that is written as it is.

    Raises:
        MessageError: a value that is not printable ASCII, or too long for one line.
    """
    if not value.isascii() or not value.isprintable() or len(name) + len(value) > 990:
        raise MessageError(f"{name}: {value[:80]!r} can't stand in a header")
    return f"{name}: {value}\r\n".encode()
