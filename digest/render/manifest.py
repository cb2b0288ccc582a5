"""What an issue was printed from, kept with it, and what became different when it is printed again.

The same document, templates, code and libraries give the same bytes. A manifest names all four, so that a difference
found later can be laid at somebody's door.
"""

import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from itertools import zip_longest
from pathlib import Path
from quopri import decodestring

from lxml import etree

from digest.domain import content, issue, newsroom
from digest.domain.issue import IssueDocument
from digest.domain.mail import Fragment

LIBRARIES = (
    "jinja2", "markupsafe", "mjml-python", "premailer", "cssutils", "cssselect", "lxml", "markdown-it-py", "nh3", "babel",
)  # fmt: skip
"""Packages whose version can change the bytes of a mail."""

_AROUND = 40
"""Characters shown on both sides of the first different byte."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that decided the bytes of an approved issue.

    Attributes:
        printed_at: when it was approved, by the service's clock.
        document: articles, words, theme and locale: what was rendered.
        weights: how stories were ranked, as the newsletter had it; for the record, the order is in the document.
        templates, program: SHA-256 of each file, by name.
        libraries: version of each package, of Python and of libxml2.
        fragments: SHA-256 of each fragment's HTML and text, in order.
        key: fingerprint of the secret that signs its links and Message-IDs.
    """

    printed_at: datetime
    document: IssueDocument
    weights: Mapping[str, float]
    templates: Mapping[str, str]
    program: Mapping[str, str]
    libraries: Mapping[str, str]
    fragments: tuple[str, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a second printing went.

    Attributes:
        fragments: how many are the same as before, from the first one on.
        difference: where the first other byte stands and what was there, "" if every byte is the same.
        fragment: the key of the fragment it is in.
        part: ``html`` or ``text``, "" if a whole fragment is missing or new.
        byte: how many bytes of that part are still the same.
        reasons: what has changed since, that may explain it; worth knowing even where the bytes are the same.
    """

    fragments: int
    difference: str = ""
    fragment: str = ""
    part: str = ""
    byte: int = 0
    reasons: tuple[str, ...] = field(default=())

    @property
    def same(self) -> bool:
        """Whether every byte is as it was."""
        return not self.difference


def compared(before: Sequence[Fragment], after: Sequence[Fragment], reasons: Sequence[str] = ()) -> Comparison:
    """The first difference between two printings."""
    for index, (old, new) in enumerate(zip_longest(before, after)):
        if old is None or new is None or old.key != new.key:
            was, now = (fragment.key if fragment else "nothing" for fragment in (old, new))
            words = f"where {was} stood is now {now}"
            return Comparison(index, words, was if old else now, reasons=tuple(reasons))
        for part in ("html", "text"):
            one, other = getattr(old, part), getattr(new, part)
            if one != other:
                at = _first_difference(one, other)
                words = (
                    f"byte {at} of the {part} of {old.key}: it was {_excerpt(one, at)}, it is now {_excerpt(other, at)}"
                )
                return Comparison(index, words, old.key, part, at, tuple(reasons))
    return Comparison(len(before), reasons=tuple(reasons))


def changes(then: Manifest, now: Manifest) -> tuple[str, ...]:
    """What decides the bytes and is not as it was, one sentence each."""
    found = []
    for what, old, new in (
        ("the template", then.templates, now.templates),
        ("the program's file", then.program, now.program),
        ("the library", then.libraries, now.libraries),
    ):
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) == new.get(name):
                continue
            if what == "the library":
                found.append(f"the library {name} was {old.get(name, 'not there')} and is {new.get(name, 'not there')}")
            else:
                verb = "is new" if name not in old else "is gone" if name not in new else "was changed"
                found.append(f"{what} {name} {verb}")
    return tuple(found)


def tampered(manifest: Manifest, fragments: Sequence[Fragment]) -> str:
    """The key of the first kept fragment that is not the one that was approved, "" if all are."""
    for kept, was in zip_longest(fragments, manifest.fragments):
        if kept is None:
            return "the end of the mail"
        if was is None or fingerprint(kept) != was:
            return str(kept.key)
    return ""


def fingerprint(fragment: Fragment) -> str:
    """SHA-256 over a fragment's two parts."""
    return sha256(b"%d:" % len(fragment.html) + fragment.html + fragment.text).hexdigest()


def libraries() -> dict[str, str]:
    """Versions of all that takes part in rendering."""
    found = {"python": ".".join(map(str, sys.version_info[:3])), "unicode": unicodedata.unidata_version}
    found["libxml2"] = ".".join(map(str, etree.LIBXML_VERSION))
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@lru_cache(maxsize=1)
def program() -> dict[str, str]:
    """SHA-256 of the files of this program that take part in rendering."""
    folder = Path(__file__).parent
    files = [*folder.glob("*.py"), *(Path(str(module.__file__)) for module in (content, issue, newsroom))]
    return {f"{file.parent.name}/{file.name}": sha256(file.read_bytes()).hexdigest() for file in sorted(files)}


def _first_difference(one: bytes, other: bytes) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _excerpt(encoded: bytes, at: int) -> str:
    """What a reader would see around a place in quoted-printable bytes."""
    start = encoded.rfind(b"\n", 0, max(0, at - _AROUND)) + 1
    around = decodestring(encoded[start : at + _AROUND])
    shown = re.sub(r"\s+", " ", around.decode(errors="replace"))
    return repr(shown[-2 * _AROUND :]) if shown.strip() else "nothing"
