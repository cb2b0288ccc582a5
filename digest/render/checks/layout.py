"""Checks of the mail as a whole: its size, its parts, what the law wants in it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from html import unescape
from quopri import decodestring

from digest.domain.mail import Fragment
from digest.errors import DigestError
from digest.render import clean
from digest.render.budget import LIMIT, RESERVE, largest, size
from digest.render.checks.words import PLACEHOLDER
from digest.render.cut import in_cut, whole
from digest.render.findings import Finding, Subject
from digest.render.message import Head
from digest.render.palette import contrast

HTML_LIMIT = LIMIT - RESERVE
HTML_ROOM = 90_000
TEXT_LEAST = 200
"""Characters of text without which a mail with its pictures off says nothing."""


def html_size(subject: Subject) -> Iterator[Finding]:
    """No reader's cut is larger than everything with the longest lead variant."""
    bytes_ = largest(subject.fragments)
    if bytes_ > HTML_LIMIT:
        words = f"{bytes_:,} bytes of HTML: Gmail cuts a mail off after {HTML_LIMIT:,}; drop or shorten items"
        yield Finding("html-size", "error", "issue", words)
    elif bytes_ > HTML_ROOM:
        words = f"{bytes_:,} bytes of HTML: little room is left below {HTML_LIMIT:,}"
        yield Finding("html-size", "warning", "issue", words)


def cut_sizes(subject: Subject) -> Iterator[Finding]:
    """Every distinct cut among the readers is weighed."""
    sizes = sizes_of(subject.fragments, subject.world.cuts)
    large = {cut: weight for cut, weight in sizes.items() if weight > HTML_LIMIT}
    if large:
        readers = sum(subject.world.cuts[cut] for cut in large)
        words = (
            f"{len(large)} of {len(sizes)} cuts ({readers:,} readers) are larger than {HTML_LIMIT:,} bytes, the largest "
            f"{max(large.values()):,}: Gmail would cut them off; drop or shorten items"
        )
        yield Finding("cut-size", "error", "issue", words)


def sizes_of(fragments: Sequence[Fragment], cuts: Mapping[int, int]) -> dict[int, int]:
    """Bytes of HTML of each cut (as bits), before a reader's own links are in it (``RESERVE`` is kept for them)."""
    sizes = [(fragment.position, size(fragment)) for fragment in fragments]
    return {bits: sum(weight for position, weight in sizes if bits >> position & 1) for bits in cuts}


def stories(subject: Subject) -> Iterator[Finding]:
    if not any(True for _ in subject.items):
        yield Finding("no-stories", "error", "issue", "the issue holds no story")


def empty_section(subject: Subject) -> Iterator[Finding]:
    for block in subject.document.blocks:
        if block.type in ("lead", "section") and (block.section is None or not block.section.items):
            yield Finding("empty-section", "warning", block.key, "has no story and will not be shown")


def masthead(subject: Subject) -> Iterator[Finding]:
    types = [block.type for block in subject.document.blocks]
    if types.count("masthead") != 1:
        yield Finding(
            "masthead",
            "error",
            "layout",
            f"{types.count('masthead')} mastheads: the mail needs exactly one, it holds the main heading",
        )
    if "footer" not in types:
        yield Finding("footer", "error", "layout", "no footer: the law asks for an address and a way out in every mail")


def unsubscribe(subject: Subject) -> Iterator[Finding]:
    shown = in_cut(subject.fragments, whole(subject.fragments))
    for name, part in (("HTML", b"".join(f.html for f in shown)), ("text", b"".join(f.text for f in shown))):
        if b"@@UNSUBSCRIBE@@" not in part:
            yield Finding("unsubscribe", "error", f"{name} part", "has no unsubscribe link")
        if b"@@PREFERENCES@@" not in part:
            yield Finding("preferences", "warning", f"{name} part", "has no link to the reader's preferences")


def postal_address(subject: Subject) -> Iterator[Finding]:
    address = clean.clean_line(subject.document.postal_address)
    if not address:
        yield Finding(
            "postal-address", "error", "newsletter", "no postal address: CAN-SPAM and CASL ask for one in every mail"
        )
        return
    if PLACEHOLDER.search(address):
        yield Finding("postal-address", "error", "newsletter", f"the postal address is a placeholder: {address!r}")
    for name, parts in (("HTML", [f.html for f in subject.fragments]), ("text", [f.text for f in subject.fragments])):
        shown = " ".join(unescape(decodestring(b"".join(parts)).decode()).split())
        if address not in shown:
            yield Finding("postal-address", "error", f"{name} part", "the postal address does not stand in it")


def sender(subject: Subject) -> Iterator[Finding]:
    try:
        Head.of(subject.document)
    except DigestError as problem:
        yield Finding("head", "error", "newsletter", str(problem))
    if re.match(r"(?i)(no-?_?reply|donotreply)", subject.document.from_address):
        yield Finding("no-reply", "warning", "newsletter", "readers can't answer a no-reply address")


def colours(subject: Subject) -> Iterator[Finding]:
    theme = subject.document.theme
    names = {field.name for field in fields(theme)}
    for prefix in ("", "dark_"):
        paper = getattr(theme, f"{prefix}paper")
        pairs = [
            (name, getattr(theme, f"{prefix}{name}"), paper)
            for name in ("ink", "muted", "accent", "positive", "negative")
        ]
        pairs.append(("accent_ink", getattr(theme, f"{prefix}accent_ink"), getattr(theme, f"{prefix}accent")))
        for name, one, other in pairs:
            try:
                ratio = contrast(one, other)
            except ValueError:
                yield Finding(
                    "theme-colour", "error", f"theme.{prefix}{name}", f"{one!r} is no colour: write it as #rrggbb"
                )
                continue
            if ratio < 4.5 and f"{prefix}{name}" in names:
                yield Finding(
                    "contrast",
                    "error",
                    f"theme.{prefix}{name}",
                    f"contrast {ratio:.1f} of {one} on {other}: readers need at least 4.5",
                )


def fragment_bytes(subject: Subject) -> Iterator[Finding]:
    for fragment in subject.fragments:
        for part in (fragment.html, fragment.text):
            if part and not part.endswith(b"\r\n"):
                yield Finding("fragment", "error", fragment.key, "is not made of whole lines: render the issue again")


def text_part(subject: Subject) -> Iterator[Finding]:
    """Whoever reads the text part finds every story there, with its link."""
    shown = in_cut(subject.fragments, whole(subject.fragments))
    text = decodestring(b"".join(fragment.text for fragment in shown)).decode()
    if len(text) < TEXT_LEAST:
        yield Finding(
            "text-part", "error", "text part", f"has {len(text)} characters: it says nothing without the HTML"
        )
    words = "".join(text.split())  # a long word may be broken
    for fragment in shown:
        headline = "".join(clean.clean_line(fragment.headline).split())
        if fragment.role == "item" and headline and headline not in words:
            yield Finding(
                "text-part", "warning", fragment.key, "does not stand in the text part: see the block's .txt template"
            )
