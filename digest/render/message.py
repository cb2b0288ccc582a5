"""A cut addressed to one person: header bytes and pre-encoded parts joined by hand.

Nothing is parsed, encoded or escaped here per reader but three short values, so a message costs microseconds.
Headers: RFC 5322, 2047, 2369, 2919, 3834, 8058; Gmail's Feedback-ID.
"""

import html as html_entities
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from digest.domain.issue import LEAD, IssueDocument, StoryItem
from digest.domain.mail import Cut, Fragment
from digest.errors import MessageError, RenderError
from digest.render import clean, headers, quoted, wording

SUBJECT_LIMIT = 120
PREHEADER_LEAST, PREHEADER_MOST = 30, 150

# Editors write subject templates: no attribute of Python is reachable from them.
_LINES = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


class Addressee(NamedTuple):  # a tuple, as one is made for every mail
    """One person and what is theirs alone in a message.

    Attributes:
        message_id: with angle brackets; the same on every attempt.
        date: aware time of the Date field, fixed at the first attempt.
        unsubscribe_url: https, opens on GET, acts on POST (RFC 8058).
    """

    delivery_id: int | None
    message_id: str
    address: str
    date: datetime
    unsubscribe_url: str
    preferences_url: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """Subject and preheader of everyone whose top story is the same."""

    subject: str
    preheader: str
    subject_field: bytes
    preheader_html: bytes
    preheader_text: bytes


@dataclass(frozen=True)
class Head:
    """What all messages of an issue share: made once, used for every reader."""

    envelope_from: str
    opening: bytes
    closing: bytes
    boundary: bytes
    lines: Mapping[int | None, Lines]
    leaving_mail: str = ""
    """A ``mailto:`` whose last word is to be a reader's token; "" if no mail takes a wish to leave."""

    @classmethod
    def of(cls, document: IssueDocument, *, test: bool = False) -> "Head":
        """The head of an issue.

        Args:
            test: mark the subject with ``[Test]`` and keep the mail out of Gmail's statistics of the newsletter.

        Raises:
            RenderError: a subject or preheader template that can't be filled.
            MessageError: a sender address that can't stand in a mail.
        """
        document = clean.cleaned(document)
        sender = headers.address(document.from_address)
        domain = headers.domain_of(sender)
        items = {
            placed.item.story_id: placed.item
            for block in document.blocks
            if block.section is not None
            for placed in block.section.items
        }
        lines: dict[int | None, Lines] = {story: _lines(document, item, test) for story, item in items.items()}
        lines[None] = _lines(document, None, test)
        boundary = f"=_{sha256(f'{document.newsletter}/{document.issue_id}'.encode()).hexdigest()[:24]}"
        list_name = headers.phrase(document.name)
        kind = "test" if test else "issue"
        opening = b"".join(
            (
                headers.mailbox("From", document.name, sender),
                f"List-Id: {list_name}\r\n <{document.newsletter}.{domain}>\r\n".encode(),
                headers.plain("List-Archive", f"<{document.archive_url}>"),
                headers.plain("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
                headers.plain("Feedback-ID", f"{document.issue_id}:{document.newsletter}:{kind}:{sender_id(domain)}"),
                headers.plain("Precedence", "bulk"),
                headers.plain("Auto-Submitted", "auto-generated"),
                headers.plain("MIME-Version", "1.0"),
                f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'.encode(),
            )
        )
        leaving_mail = headers.leaving_mail(document.unsubscribe_by_mail) if document.unsubscribe_by_mail else ""
        return cls(sender, opening, parts_closing(boundary), boundary.encode(), lines, leaving_mail)

    def lines_for(self, fragments: Sequence[Fragment], cut: Cut) -> Lines:
        """Subject and preheader of a cut, from its own top story."""
        bits = cut.bits
        first: Fragment | None = None
        for fragment in fragments:
            if fragment.role == "item" and bits >> fragment.position & 1:
                if fragment.group == LEAD:
                    return self.lines[fragment.story_id]
                first = first or fragment
        return self.lines[first.story_id if first else None]


def tokens(head: Head, fragments: Sequence[Fragment], cut: Cut, addressee: Addressee) -> dict[str, str]:
    """The values of a message's tokens, for showing it again (see ``cut.html_of``)."""
    return {
        "PREHEADER": head.lines_for(fragments, cut).preheader,
        "UNSUBSCRIBE": addressee.unsubscribe_url,
        "PREFERENCES": addressee.preferences_url,
        "ADDRESS": addressee.address,
    }


def joined(fields: bytes, boundary: bytes, text: bytes, page: bytes, closing: bytes) -> bytes:
    """Header fields and two encoded parts as one multipart/alternative, text first (RFC 2046 5.1.4)."""
    return b"".join(
        (
            fields,
            b"\r\n--", boundary, TEXT_PART, text,
            b"\r\n--", boundary, HTML_PART, page, closing,
        )
    )  # fmt: skip


TEXT_PART = b"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
HTML_PART = b"\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"


def parts_closing(boundary: str) -> bytes:
    """What stands behind the last part. Encoded parts end in a line break, so no empty line is needed."""
    return f"--{boundary}--\r\n".encode()


def sender_id(domain: str) -> str:
    """The SenderId of Feedback-ID: 5 to 15 characters, the same for all mail of a domain."""
    letters = re.sub(r"[^a-z0-9]", "", domain)[:15]
    return letters if len(letters) >= 5 else f"{letters}{sha256(domain.encode()).hexdigest()[:6]}"


_LINK = re.compile(r"https?://[!-;=?-~]+")


def link(url: str) -> str:
    """The URL, if it may stand in a header and in a mail.

    Raises:
        MessageError: no http(s) URL of printable ASCII.
    """
    if not _LINK.fullmatch(url):
        raise MessageError(f"{url[:80]!r} is no link that can stand in a mail")
    return url


def _lines(document: IssueDocument, item: StoryItem | None, test: bool) -> Lines:
    place = wording.locale_of(document.locale)
    names = {
        "top": item or {"headline": document.name, "dek": document.tagline, "source": "", "kicker": ""},
        "newsletter": document.name,
        "date": wording.long_date(document.day, place),
        "number": document.number,
    }
    subject = clean.clean_line(f"{document.mark} {_filled(document.subject, names, 'subject')}") or document.name
    subject = ("[Test] " if test else "") + clean.clip(subject, SUBJECT_LIMIT - (7 if test else 0))
    preheader = preheader_of(_filled(document.preheader, names, "preheader"), document)
    return Lines(
        subject=subject,
        preheader=preheader,
        subject_field=headers.unstructured("Subject", subject),
        preheader_html=quoted.encode(html_entities.escape(preheader)),
        preheader_text=quoted.encode(preheader),
    )


def preheader_of(line: str, document: IssueDocument) -> str:
    """30 to 150 characters: a longer line is cut at a word, a shorter one goes on with name and promise."""
    line = clean.clip(clean.clean_line(line), PREHEADER_MOST)
    for more in (document.name, document.tagline, wording.long_date(document.day, wording.locale_of(document.locale))):
        if len(line) < PREHEADER_LEAST and more:
            line = f"{line} · {more}" if line else more
    return clean.clip(line, PREHEADER_MOST)


def _filled(template: str, names: Mapping[str, object], name: str) -> str:
    try:
        return clean.clean_line(_compiled(template).render(names))
    except TemplateError as error:
        raise RenderError(f"the {name} template {template!r} can't be filled: {error}") from error


@lru_cache(maxsize=64)
def _compiled(template: str) -> Template:
    return _LINES.from_string(template)
