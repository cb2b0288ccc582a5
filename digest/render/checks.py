"""The checks of preflight, one function each; :mod:`digest.render.preflight` runs them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import timedelta
from html import unescape
from quopri import decodestring

from digest.errors import DigestError
from digest.render import clean
from digest.render.budget import LIMIT, RESERVE, largest
from digest.render.cut import LEAD, in_cut, whole
from digest.render.findings import Finding, Subject, level_of
from digest.render.message import PREHEADER_LEAST, SUBJECT_LIMIT, Head
from digest.render.palette import contrast

HTML_LIMIT = LIMIT - RESERVE
HTML_ROOM = 90_000
STALE_QUOTES = timedelta(hours=24)
LONG_SUBJECT = 70
"""Characters of a subject that phones show."""

_PLACEHOLDER = re.compile(
    r"\bTK\b|\bTKTK|\bTODO\b|\bFIXME\b|\bXXX\b|lorem ipsum|article-image|\[(?:insert|headline|link)[^\]]*\]|\{\{|\{%|\?\?\?|replace this|your (?:postal )?address here",
    re.IGNORECASE,
)
_STARTS_AGAIN = re.compile(r"(?i)^\s*(re|fwd?|aw|wg)\s*:")
_GENERIC_LINK = re.compile(r"(?i)\[\s*(click here|here|read more|more|link|this|learn more)\s*\]\(")


Check = Callable[[Subject], Iterator[Finding]]


def _html_size(subject: Subject) -> Iterator[Finding]:
    size = largest(subject.fragments)
    if size > HTML_LIMIT:
        yield Finding(
            "html-size",
            "error",
            "issue",
            f"{size:,} bytes of HTML: Gmail cuts a mail off after {HTML_LIMIT:,}; drop or shorten items",
        )
    elif size > HTML_ROOM:
        yield Finding(
            "html-size", "warning", "issue", f"{size:,} bytes of HTML: little room is left below {HTML_LIMIT:,}"
        )


def _stories(subject: Subject) -> Iterator[Finding]:
    if not any(True for _ in subject.items):
        yield Finding("no-stories", "error", "issue", "the issue holds no story")


def _empty_section(subject: Subject) -> Iterator[Finding]:
    for block in subject.document.blocks:
        if block.type in ("lead", "section") and (block.section is None or not block.section.items):
            yield Finding("empty-section", "warning", block.key, "has no story and will not be shown")


def _masthead(subject: Subject) -> Iterator[Finding]:
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


def _unsubscribe(subject: Subject) -> Iterator[Finding]:
    shown = in_cut(subject.fragments, whole(subject.fragments))
    for name, part in (("HTML", b"".join(f.html for f in shown)), ("text", b"".join(f.text for f in shown))):
        if b"@@UNSUBSCRIBE@@" not in part:
            yield Finding("unsubscribe", "error", f"{name} part", "has no unsubscribe link")
        if b"@@PREFERENCES@@" not in part:
            yield Finding("preferences", "warning", f"{name} part", "has no link to the reader's preferences")


def _postal_address(subject: Subject) -> Iterator[Finding]:
    address = clean.clean_line(subject.document.postal_address)
    if not address:
        yield Finding(
            "postal-address", "error", "newsletter", "no postal address: CAN-SPAM and CASL ask for one in every mail"
        )
        return
    if _PLACEHOLDER.search(address):
        yield Finding("postal-address", "error", "newsletter", f"the postal address is a placeholder: {address!r}")
    for name, parts in (("HTML", [f.html for f in subject.fragments]), ("text", [f.text for f in subject.fragments])):
        shown = " ".join(unescape(decodestring(b"".join(parts)).decode()).split())
        if address not in shown:
            yield Finding("postal-address", "error", f"{name} part", "the postal address does not stand in it")


def _sender(subject: Subject) -> Iterator[Finding]:
    try:
        Head.of(subject.document)
    except DigestError as problem:
        yield Finding("head", "error", "newsletter", str(problem))
    if re.match(r"(?i)(no-?_?reply|donotreply)", subject.document.from_address):
        yield Finding("no-reply", "warning", "newsletter", "readers can't answer a no-reply address")


def _lines(subject: Subject) -> Iterator[Finding]:
    try:
        head = Head.of(subject.document)
    except DigestError:
        return
    for story, lines in head.lines.items():
        if story is None:
            continue
        where = f"story {story}"
        if len(lines.subject) >= SUBJECT_LIMIT or lines.subject.endswith("…"):
            yield Finding(
                "subject-length", "warning", where, f"the subject is cut at {SUBJECT_LIMIT} characters: {lines.subject}"
            )
        elif len(lines.subject) > LONG_SUBJECT and _leads(subject, story):
            yield Finding(
                "subject-length",
                "warning",
                where,
                f"the subject has {len(lines.subject)} characters; phones show about {LONG_SUBJECT}",
            )
        letters = re.sub(r"[^A-Za-z]", "", lines.subject)
        if (
            _STARTS_AGAIN.match(lines.subject)
            or (len(letters) > 6 and letters.isupper())
            or lines.subject.count("!") > 1
        ):
            yield Finding(
                "subject-honest",
                "warning",
                where,
                f"the subject reads like spam (Re:, capitals or !!): {lines.subject}",
            )
        if len(lines.preheader) < PREHEADER_LEAST:
            yield Finding("preheader", "warning", where, f"the preheader is shorter than {PREHEADER_LEAST} characters")


def _leads(subject: Subject, story: int) -> bool:
    return any(f.group == LEAD and f.story_id == story for f in subject.fragments)


def _links(subject: Subject) -> Iterator[Finding]:
    for where, url in subject.links:
        target = clean.href(url)
        if not target:
            yield Finding(
                "links-dead",
                level_of(where),
                where,
                f"{url[:80] or 'an empty link'!r} leads nowhere: write an https address",
            )
        elif target.startswith("http://"):
            yield Finding("links-https", "warning", where, f"{url[:80]} is not https: some clients warn of it")
        elif re.match(r"(?i)https://(\d+\.\d+\.\d+\.\d+|localhost|\[)", target):
            yield Finding("links-public", level_of(where), where, f"{url[:80]} can't be reached by readers")


def _link_texts(subject: Subject) -> Iterator[Finding]:
    for where, text in subject.texts:
        match = _GENERIC_LINK.search(text)
        if match:
            yield Finding("link-text", "warning", where, f"“{match[1]}” does not say where it leads (WCAG 2.4.4)")


def _alt(subject: Subject) -> Iterator[Finding]:
    for where, image in subject.images:
        if not image.alt.strip():
            yield Finding("alt-text", "warning", where, "the picture has no alt text")
        elif re.fullmatch(r"(?i)[\w .()-]*\.(jpe?g|png|gif|webp)|article-image|image|photo|picture", image.alt.strip()):
            yield Finding("alt-text", "warning", where, f"{image.alt!r} says nothing of what the picture shows")


def _hosted(subject: Subject) -> Iterator[Finding]:
    for where, image in subject.images:
        if not image.url.startswith("https://"):
            yield Finding(
                "image-https", "warning", where, "the picture is not served over https: most clients would not show it"
            )
        elif not image.url.startswith(f"{subject.document.public_url}/"):
            yield Finding(
                "image-hosted", "warning", where, "the picture lies on another server, which learns who reads the mail"
            )


def _placeholders(subject: Subject) -> Iterator[Finding]:
    for where, text in subject.texts:
        match = _PLACEHOLDER.search(text)
        if match:
            yield Finding("placeholder", level_of(where), where, f"placeholder text: {match[0]!r}")


def _stale_year(subject: Subject) -> Iterator[Finding]:
    last = str(subject.document.day.year - 1)
    if subject.document.day.month <= 2:
        for block in subject.document.blocks:
            if block.type in ("letter", "promo", "footer", "masthead") and last in f"{block.title} {block.body}":
                yield Finding("stale-year", "warning", block.key, f"speaks of {last}: meant?")
    if (
        re.search(r"©\s*(19|20)\d\d", subject.document.postal_address + subject.document.tagline)
        and str(subject.document.day.year) not in subject.document.postal_address + subject.document.tagline
    ):
        yield Finding("stale-year", "warning", "footer", "the copyright year is not this year's")


def _sponsor(subject: Subject) -> Iterator[Finding]:
    for block in subject.document.blocks:
        if block.sponsor is None:
            continue
        if not block.sponsor.approved:
            yield Finding(
                "sponsor-approved", "error", block.key, f"the text of {block.sponsor.advertiser} is not approved"
            )
        if not block.sponsor.starts <= subject.document.day <= block.sponsor.ends:
            yield Finding(
                "sponsor-dates",
                "error",
                block.key,
                f"{block.sponsor.advertiser} is booked from {block.sponsor.starts} to {block.sponsor.ends}, not for this day",
            )
        if not block.sponsor.advertiser.strip():
            yield Finding("sponsor-label", "error", block.key, "a sponsor without a name can't be labelled")


def _events(subject: Subject) -> Iterator[Finding]:
    for block in subject.document.blocks:
        for event in block.events:
            if event.ends < subject.document.day:
                yield Finding("event-past", "error", f"{block.key}: {event.name}", f"ended on {event.ends}")


def _quotes(subject: Subject) -> Iterator[Finding]:
    for block in subject.document.blocks:
        for quote in block.quotes:
            if abs((quote.as_of.date() - subject.document.day).days) * timedelta(days=1) > STALE_QUOTES:
                yield Finding(
                    "quotes-stale", "warning", f"{block.key}: {quote.symbol}", f"the price is of {quote.as_of:%Y-%m-%d}"
                )
            if quote.price <= 0:
                yield Finding(
                    "quotes-price",
                    "warning",
                    f"{block.key}: {quote.symbol}",
                    f"a price of {quote.price} can't be right",
                )


def _repeated(subject: Subject) -> Iterator[Finding]:
    seen: dict[int, str] = {}
    titles: dict[str, int] = {}
    for where, item in subject.items:
        group = where.partition(": ")[0]
        if group != LEAD:
            if item.story_id in seen and seen[item.story_id] != where:
                yield Finding(
                    "repeated-story", "error", where, f"stands in {seen[item.story_id].rpartition(': ')[0]} too"
                )
            seen[item.story_id] = where
        key = " ".join(item.headline.casefold().split())
        if titles.setdefault(key, item.story_id) != item.story_id:
            yield Finding("repeated-headline", "warning", where, "two stories have the same headline")


def _items(subject: Subject) -> Iterator[Finding]:
    for where, item in subject.items:
        if not item.headline.strip():
            yield Finding("no-headline", "warning", where or f"story {item.story_id}", "a story without a headline")
        elif len(item.headline) > clean.HEADLINE:
            yield Finding(
                "long-headline", "warning", where, f"{len(item.headline)} characters: cut at {clean.HEADLINE}"
            )
        if not item.source.strip():
            yield Finding("no-source", "warning", where, "does not say where it comes from")


def _contrast(subject: Subject) -> Iterator[Finding]:
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


def _fragment_bytes(subject: Subject) -> Iterator[Finding]:
    for fragment in subject.fragments:
        for part in (fragment.html, fragment.text):
            if part and not part.endswith(b"\r\n"):
                yield Finding("fragment", "error", fragment.key, "is not made of whole lines: render the issue again")


CHECKS: tuple[Check, ...] = (
    _stories, _masthead, _unsubscribe, _postal_address, _sender, _lines, _html_size, _empty_section, _items, _repeated,
    _links, _link_texts, _alt, _hosted, _placeholders, _stale_year, _sponsor, _events, _quotes, _contrast, _fragment_bytes,
)  # fmt: skip
