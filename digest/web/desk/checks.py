"""What preflight found, put together for reading: the same words once with all places, many of a kind behind a fold."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from digest.render.findings import Finding, Level

AT_ONCE = 3
"""Findings of one kind that are shown before the others wait behind a fold."""


@dataclass(frozen=True)
class Line:
    """One message, and all places that it speaks of."""

    message: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """All that one check found at one level: ``shown`` at once, ``folded`` when asked for."""

    id: str
    level: Level
    shown: tuple[Line, ...]
    folded: tuple[Line, ...]


def kinds(findings: Iterable[Finding]) -> tuple[Kind, ...]:
    """Errors first, otherwise in the order of the checks."""
    ordered = sorted(findings, key=lambda finding: finding.level != "error")
    return tuple(_kind(*key, list(found)) for key, found in groupby(ordered, lambda one: (one.level, one.id)))


def _kind(level: Level, ident: str, findings: list[Finding]) -> Kind:
    places: dict[str, list[str]] = {}
    for finding in findings:
        places.setdefault(finding.message, []).append(finding.where)
    lines = [Line(message, tuple(dict.fromkeys(where))) for message, where in places.items()]
    first = lines if len(lines) == AT_ONCE + 1 else lines[:AT_ONCE]  # a fold for one line saves nothing
    return Kind(ident, level, tuple(first), tuple(lines[len(first) :]))
