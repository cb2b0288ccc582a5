"""What every feed format is read into, and the bounds that all of them share."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from digest.domain.content import Entry
from digest.feeds.clean import clipped, one_line, without_trailers

MAX_BYTES = 10_000_000
MAX_ENTRIES = 2_000
CONTENT_LENGTH = 600
"""A description longer than this, in an item without content, is taken as the content as well."""
SUMMARY_LENGTH, _TITLE_LENGTH, _GUID_LENGTH, _TAGS = 2_000, 500, 1_000, 30
_SHORT = 100
"""Characters of a word beyond which what comes of it is not kept."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}")


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """What a feed says.

    Attributes:
        title: the feed's own name, plain text.
        entries: in the feed's order, at most ``MAX_ENTRIES``.
        ttl_minutes: how long the source asks us to wait between fetches (RSS ``ttl``, RSS 1.0 ``sy:``), if it does.
    """

    title: str
    entries: tuple[Entry, ...]
    ttl_minutes: int | None = None


def guid_of(text: str) -> str:
    """An id as it is kept."""
    return one_line(text)[:_GUID_LENGTH]


def title_of(text: str) -> str:
    """A title as it is kept."""
    return clipped(one_line(text), _TITLE_LENGTH)


def summary_of(text: str) -> str:
    """A summary as it is kept: one line, without what publishing systems hang on its end."""
    return clipped(without_trailers(one_line(text)), SUMMARY_LENGTH)


def distinct(words: Iterable[str]) -> tuple[str, ...]:
    """The words cleaned, without empty ones, addresses and repetitions (case aside)."""
    found: dict[str, str] = {}
    for word in words:
        folded, clean = _word(word) if len(word) <= _SHORT else _word.__wrapped__(word)
        if clean:
            found.setdefault(folded, clean)
            if len(found) == _TAGS:
                break
    return tuple(found.values())


@lru_cache(maxsize=4096)
def _word(word: str) -> tuple[str, str]:
    """A word without regard to case, and cleaned; both empty if it is an address. The same come again and again."""
    clean = one_line(word)[:100]
    return ("", "") if clean.startswith(("http://", "https://")) else (clean.casefold(), clean)


def language_tag(text: str) -> str:
    """A BCP 47 tag, "" if it is none."""
    tag = text.strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else ""
