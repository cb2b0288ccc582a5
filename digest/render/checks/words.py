"""Checks of what the mail says: subject lines, headlines, placeholders, years."""

import re
from collections.abc import Iterator

from digest.domain.issue import LEAD
from digest.errors import DigestError
from digest.render import clean
from digest.render.findings import Finding, Subject, level_of
from digest.render.message import PREHEADER_LEAST, SUBJECT_LIMIT, Head

LONG_SUBJECT = 70
"""Characters of a subject that phones show."""


PLACEHOLDER = re.compile(
    r"\bTK\b|\bTKTK|\bTODO\b|\bFIXME\b|\bXXX\b|lorem ipsum|article-image|\[(?:insert|headline|link)[^\]]*\]|\{\{|\{%|\?\?\?|replace this|your (?:postal )?address here",
    re.IGNORECASE,
)
_STARTS_AGAIN = re.compile(r"(?i)^\s*(re|fwd?|aw|wg)\s*:")
_GENERIC_LINK = re.compile(r"(?i)\[\s*(click here|here|read more|more|link|this|learn more)\s*\]\(")


def lines(subject: Subject) -> Iterator[Finding]:
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
        if lines.preheader.casefold().rstrip(" .…").startswith(bare := _bare(lines.subject)) and bare:
            yield Finding(
                "preheader-repeats", "warning", where, "the preheader begins as the subject does: say something more"
            )
        if len(lines.preheader) < PREHEADER_LEAST:
            yield Finding("preheader", "warning", where, f"the preheader is shorter than {PREHEADER_LEAST} characters")


def _bare(subject: str) -> str:
    """The subject without the newsletter's mark, to compare."""
    return re.sub(r"^\W+", "", subject.casefold()).rstrip(" .…")


def _leads(subject: Subject, story: int) -> bool:
    return any(f.group == LEAD and f.story_id == story for f in subject.fragments)


def link_texts(subject: Subject) -> Iterator[Finding]:
    for where, text in subject.texts:
        match = _GENERIC_LINK.search(text)
        if match:
            yield Finding("link-text", "warning", where, f"“{match[1]}” does not say where it leads (WCAG 2.4.4)")


def placeholders(subject: Subject) -> Iterator[Finding]:
    for where, text in subject.texts:
        match = PLACEHOLDER.search(text)
        if match:
            yield Finding("placeholder", level_of(where), where, f"placeholder text: {match[0]!r}")


def stale_year(subject: Subject) -> Iterator[Finding]:
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


def repeated(subject: Subject) -> Iterator[Finding]:
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


def items(subject: Subject) -> Iterator[Finding]:
    for where, item in subject.items:
        if not item.headline.strip():
            yield Finding("no-headline", "warning", where or f"story {item.story_id}", "a story without a headline")
        elif len(item.headline) > clean.HEADLINE:
            yield Finding(
                "long-headline", "warning", where, f"{len(item.headline)} characters: cut at {clean.HEADLINE}"
            )
        letters = re.sub(r"[^A-Za-z]", "", item.headline)
        if len(letters) > 20 and letters.isupper():
            yield Finding("shouting", "warning", where, "a headline in capitals alone")
        if re.search(r"<[a-z/][^>]*>|&(?:amp|quot|lt|gt|nbsp|#\d+);", item.headline + item.dek):
            yield Finding("markup-shown", "warning", where, "readers would see tags or entities as text")
        if not item.source.strip():
            yield Finding("no-source", "warning", where, "does not say where it comes from")
