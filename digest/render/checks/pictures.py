"""Checks of the mail's pictures."""

import re
from collections.abc import Iterator

from digest.domain.issue import LEAD
from digest.render.findings import Finding, Subject

WEIGHT_LIMIT = 1_000_000
"""Bytes of all pictures of a mail: what a phone on a train loads in a few seconds."""


def alt(subject: Subject) -> Iterator[Finding]:
    for where, image in subject.images:
        if not image.alt.strip():
            yield Finding("alt-text", "warning", where, "the picture has no alt text")
        elif re.fullmatch(r"(?i)[\w .()-]*\.(jpe?g|png|gif|webp)|article-image|image|photo|picture", image.alt.strip()):
            yield Finding("alt-text", "warning", where, f"{image.alt!r} says nothing of what the picture shows")


def hosted(subject: Subject) -> Iterator[Finding]:
    for where, image in subject.images:
        if not image.url.startswith("https://"):
            yield Finding(
                "image-https", "warning", where, "the picture is not served over https: most clients would not show it"
            )
        elif not image.url.startswith(f"{subject.document.public_url}/"):
            yield Finding(
                "image-hosted", "warning", where, "the picture lies on another server, which learns who reads the mail"
            )


def sizes(subject: Subject) -> Iterator[Finding]:
    """A picture without its measures makes the mail jump while it loads, and Outlook shows it at its own size."""
    for where, image in subject.images:
        if image.width <= 0 or image.height <= 0:
            yield Finding("image-measures", "warning", where, "the picture has no width and height")


def weight(subject: Subject) -> Iterator[Finding]:
    """Pictures weigh on whoever reads on the way; one lead is shown to each reader, the heaviest counts."""
    known = subject.world.files
    if known is None:
        return
    total, leads = 0, [0]
    for where, image in dict.fromkeys(subject.images):
        if not image.url.startswith(f"{subject.document.public_url}/media/"):
            continue
        size = known.get(image.url)
        if size is None:
            yield Finding("image-lost", "error", where, "the file of this picture is gone: draft the issue again")
        elif where.startswith(LEAD):
            leads.append(size)
        else:
            total += size
    total += max(leads)
    if total > WEIGHT_LIMIT:
        words = f"pictures weigh {total:,} bytes: more than {WEIGHT_LIMIT:,} takes long on a phone"
        yield Finding("image-weight", "warning", "issue", words)
