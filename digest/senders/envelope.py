"""Addresses and bytes as they may stand on the wire; nothing else is ever written to a server."""

import re
from functools import lru_cache

import idna

from digest.domain.mail import Message
from digest.errors import MessageError

# A dot-atom (RFC 5321 4.1.2) of ASCII or, with SMTPUTF8, of other printable characters (RFC 6531 3.3).
# Quoted local parts are legal and refused: no real reader has one, and they are the door to header tricks.
_ATOM = r"[^\s\x00-\x20\x7f-\x9f()<>@,;:\\\"\[\].\u2028\u2029]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")


def wire_address(address: str) -> str:
    """The address with its domain as A-labels (RFC 5890), as MAIL and RCPT carry it.

    Raises:
        MessageError: no address that can be mailed; nothing in it can end a command line early.
    """
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local.encode()) > 64:
        raise MessageError(f"{address!r} is no address that can be mailed")
    if not (ascii_domain := _wire_domain(domain)):
        raise MessageError(f"{address!r} has no domain that can be mailed")
    return f"{local}@{ascii_domain}"


@lru_cache(maxsize=1024)
def _wire_domain(domain: str) -> str:
    """In A-labels; "" if it can't be mailed. A few domains have most of the readers."""
    try:
        labels = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return ""
    return labels if _DOMAIN.fullmatch(labels) else ""


def check_lines(message: Message) -> None:
    """Refuse bare CR or LF: a relay that reads one as a line end can be made to see a second message.

    Raises:
        MessageError: the message's lines don't all end in CRLF (RFC 5321 2.3.8).
    """
    if message.prepared:
        return
    data = message.data
    pairs = data.count(b"\r\n")
    if not pairs or data.count(b"\r") != pairs or data.count(b"\n") != pairs:
        raise MessageError("the message holds a bare CR or LF: every line must end in CRLF")
