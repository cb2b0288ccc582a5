"""Mails outside the issues: confirm an address, open one's preferences, sign in to the desk, hear of failing feeds.

They are transactional: nobody unsubscribes from them, and nothing in them advertises. Each kind is a folder
under ``templates/email`` with subject.txt, body.mjml and body.txt.
"""

import html as html_entities
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Literal, get_args

from digest.domain.mail import Message
from digest.domain.newsroom import Theme
from digest.errors import RenderError
from digest.render import clean, headers, quoted
from digest.render.message import joined, link, parts_closing, sender_id
from digest.render.pipeline import Renderer

NoticeKind = Literal["confirm", "preferences-link", "sign-in-link", "feed-alert"]
KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)

FOR_EDITORS = ("sign-in-link", "feed-alert")

DEFAULTS: Mapping[str, object] = {
    "name": "", "tagline": "", "days": 0, "minutes": 0,
    "headline": "", "ours": False, "failing": (), "ended": (), "recovered": (), "more": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoticeSender:
    """In whose name a notice is written.

    Attributes:
        name: of the newsletter or of the site; signs the mail.
        postal_address: may be empty for mails to editors.
    """

    name: str
    from_address: str
    postal_address: str = ""
    locale: str = "en-US"
    theme: Theme = field(default_factory=Theme)


def notice(
    renderer: Renderer,
    kind: str,
    payload: Mapping[str, object],
    sender: NoticeSender,
    *,
    address: str,
    message_id: str,
    date: datetime,
) -> Message:
    """The finished notice for one address. The same arguments give the same bytes.

    Args:
        payload: ``url`` always; ``name`` of the newsletter for ``confirm`` and ``preferences-link``; if known
            ``tagline`` and ``days`` (until a pending address is forgotten) or ``minutes`` (life of a sign-in link).
            For ``feed-alert`` the ``headline``, lines on ``failing``, ``ended`` and ``recovered`` feeds, how many
            ``more`` there are, and ``ours`` if the trouble is likely our own.

    Raises:
        RenderError: an unknown kind, or a payload without its link.
        MessageError: an address or link that can't stand in a mail.
    """
    if kind not in KINDS:
        raise RenderError(f"there is no notice called {kind!r}: use one of {', '.join(KINDS)}")
    known = {key: _clean(value) for key, value in payload.items()}
    url = link(str(known.get("url", "")))
    names = {"payload": {**DEFAULTS, "name": sender.name, **known}, "sender": clean.cleaned(sender)}
    # What editors get is written in English alone, and so it must not be set as another language.
    locale = "en-US" if kind in FOR_EDITORS else renderer.spoken(sender.locale)
    subject = clean.clip(renderer.line(f"{kind}/subject.txt", names, locale), 120)
    page, text = renderer.whole(f"{kind}/body", {**names, "subject": subject}, locale, sender.theme)
    bare_sender, bare_address = headers.address(sender.from_address), headers.address(address)
    domain = headers.domain_of(bare_sender)
    boundary = f"=_{sha256(message_id.encode()).hexdigest()[:24]}"
    fields = b"".join(
        (
            headers.mailbox("To", "", bare_address),
            headers.unstructured("Subject", subject),
            headers.dated(date),
            headers.plain("Message-ID", message_id),
            headers.mailbox("From", sender.name, bare_sender),
            headers.plain("Feedback-ID", f"{kind}:{sender_id(domain)}"),
            headers.plain("Auto-Submitted", "auto-generated"),
            headers.plain("MIME-Version", "1.0"),
            f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'.encode(),
        )
    )
    values = {"URL": url}
    data = joined(
        fields,
        boundary.encode(),
        quoted.fill(text, values),
        quoted.fill(page, values, html_entities.escape),
        parts_closing(boundary),
    )
    return Message(None, message_id, bare_sender, bare_address, data)


def _clean(value: object) -> object:
    if isinstance(value, str):
        return clean.clean_line(value)
    return [clean.clean_line(str(each)) for each in value] if isinstance(value, list | tuple) else value
