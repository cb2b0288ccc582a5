"""Checks of where the mail leads."""

import re
from collections.abc import Iterator

from digest.render import clean
from digest.render.findings import Finding, Subject, level_of

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_TRACKING = re.compile(r"[?&](?:utm_[a-z]+|fbclid|gclid|mc_eid)=", re.IGNORECASE)


def links(subject: Subject) -> Iterator[Finding]:
    for where, url in subject.links:
        target, shown = clean.href(url), url[:80]
        if not target:
            relative = url.strip() and not _SCHEME.match(url.strip())
            words = "is relative: in a mail it leads nowhere; write" if relative else "leads nowhere: write"
            ident = "links-relative" if relative else "links-dead"
            yield Finding(ident, level_of(where), where, f"{shown or 'an empty link'!r} {words} an https address")
        elif target.startswith("http://"):
            yield Finding("links-https", "warning", where, f"{shown} is not https: some clients warn of it")
        elif re.match(r"(?i)https://(\d+\.\d+\.\d+\.\d+|localhost|\[)", target):
            yield Finding("links-public", level_of(where), where, f"{shown} can't be reached by readers")
        if _TRACKING.search(url) and level_of(where) == "warning":  # a sponsor counts on purpose
            yield Finding(
                "links-tracking", "warning", where, f"{shown} tells somebody else's counter who sent the reader"
            )


def unreachable(subject: Subject) -> Iterator[Finding]:
    """What looking the links up has shown, if somebody asked for it."""
    for where, url in subject.links:
        if why := subject.world.unreachable.get(clean.href(url)):
            yield Finding("links-unreachable", "warning", where, f"{url[:200]} does not answer: {why}")


def twice(subject: Subject) -> Iterator[Finding]:
    """Two stories that lead to the same page are one story."""
    seen: dict[str, int] = {}
    for where, item in subject.items:
        if item.url and seen.setdefault(item.url, item.story_id) != item.story_id:
            yield Finding("repeated-link", "warning", where, "another story leads to the same page")
