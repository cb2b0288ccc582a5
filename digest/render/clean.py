"""Text from outside made harmless before it meets a template: whole documents, single lines, links.

mrml raises on control characters, ``EmailMessage`` and mail clients choke on line separators, and
bidirectional overrides turn the text around them. All of it goes here, once, for every field of a document.
"""

import dataclasses
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit

from digest.domain.issue import IssueDocument

HEADLINE = 240
"""Characters of a headline that are shown; the rest of a longer one is cut at a word."""
DEK = 600
"""Characters of a dek that are shown."""
LIMITS = {"headline": HEADLINE, "title": HEADLINE, "dek": DEK, "blurb": DEK, "summary": DEK, "why": DEK, "text": DEK,
          "source": 80, "author": 120, "reporter": 80, "kicker": 80, "alt": 300, "credit": 160, "name": 160, "label": 80,
          "venue": 200, "address": 200, "attribution": 160, "advertiser": 120}  # fmt: skip
TEMPLATES = {"subject", "preheader", "title"}
"""Fields of an issue that hold templates: they keep their braces and are never cut."""

LINE_ENDS = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# C0 and C1 controls, bidirectional embeddings, overrides and isolates, the byte order mark, interlinear
# annotations, what stands for letters that were lost, noncharacters, unpaired surrogates.
UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\uffff\ufdd0-\ufdef\ud800-\udfff]"
)
# What mail providers would fill in or trip over: {{x}}, {% x %}, %recipient.x%, *|X|*.
FILLABLE = re.compile(r"(?<=\{)(?=[{%])|(?<=[}%])(?=\})|(?<=%)(?=recipient\.)|(?<=\*)(?=\|)|(?<=\|)(?=\*)")
SCHEME = re.compile(r"(?i)(https?)://[^/\s?#]+|mailto:[^\s@]+@[^\s@]+$")

Value = TypeVar("Value")


def clean_text(text: str) -> str:
    """The text in NFC with ``\\n`` line ends and without control, override and noncharacter code points."""
    return UNWANTED.sub("", LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text)))


def clean_line(text: str) -> str:
    """The text on one line, white space collapsed."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())  # names and addresses: this runs for every reader
    line = " ".join(clean_text(text).split())
    # Nothing but joiners and spaces of no width is nothing.
    return line if any(char.isprintable() and char != " " for char in line) else ""


def unfillable(text: str) -> str:
    """The text with a word joiner inside whatever a mail provider might take for a placeholder of its own."""
    return FILLABLE.sub("\u2060", text)


def clip(text: str, limit: int) -> str:
    """The text, cut at the last word that leaves room for an ellipsis within ``limit`` characters."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ")
    # A text without a space near the limit is cut where it stands.
    if space > limit // 2:
        head = head[:space]
    return head.rstrip(" ,;:–—-(«“\"'") + "…"


def href(url: str) -> str:
    """The URL if a reader may be sent there (http, https, mailto), with stray characters escaped; else ""."""
    url = clean_line(url)
    if not SCHEME.match(url):
        return ""
    try:
        urlsplit(url)
    except ValueError:
        return ""
    return quote(url, safe="%/:?#[]@!$&'()*+,;=-._~")


def cleaned(value: Value) -> Value:
    """A copy of a dataclass (a document, an item …) whose strings are all cleaned and kept to their limits.

    Bodies in Markdown keep their line breaks; everything else becomes one line.
    """
    return cast("Value", _cleaned(value, ""))


def _cleaned(value: Any, name: str) -> Any:
    if isinstance(value, str):
        if name in ("body", "answer"):
            return unfillable(clean_text(value).strip())
        line = clean_line(value) if name == "url" else unfillable(clean_line(value))
        return clip(line, LIMITS[name]) if name in LIMITS else line
    if isinstance(value, tuple):
        return tuple(_cleaned(entry, name) for entry in value)
    if isinstance(value, Mapping):
        return {key: _cleaned(entry, name) for key, entry in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {}
        for field in dataclasses.fields(value):
            old = getattr(value, field.name)
            is_template = isinstance(value, IssueDocument) and field.name in TEMPLATES
            new = clean_line(old) if is_template else _cleaned(old, field.name)
            if new is not old and new != old:
                changes[field.name] = new
        return dataclasses.replace(value, **changes) if changes else value
    return value
