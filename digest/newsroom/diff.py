"""What ``apply`` would change: the newsroom in files against the one in the tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from digest.domain.newsroom import Newsroom


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``fields`` names what differs, for a ``change``."""

    action: Literal["add", "change", "retire"]
    kind: str
    key: str
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        sign = {"add": "+", "change": "~", "retire": "-"}[self.action]
        detail = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{sign} {self.kind} {self.key}{detail}"


KINDS = {"feeds": "url", "topics": "slug", "newsletters": "slug", "sponsors": "slug", "events": "slug",
         "research": "slug", "epigraphs": "slug", "links": "slug", "charts": "slug", "letters": "slug"}  # fmt: skip


def plan(files: Newsroom, tables: Newsroom) -> tuple[Change, ...]:
    """The changes that make ``tables`` say what ``files`` say, in the order of the kinds."""
    changes: list[Change] = []
    if files.site != tables.site:
        changes.append(Change("change", "site", "site", _differing(files.site, tables.site)))
    for kind, key in KINDS.items():
        changes.extend(_changes(kind, _by(getattr(files, kind), key), _by(getattr(tables, kind), key)))
    return tuple(changes)


def _by(rows: Iterable[Any], key: str) -> dict[str, Any]:
    return {getattr(row, key): row for row in rows}


def _changes(kind: str, wanted: Mapping[str, Any], present: Mapping[str, Any]) -> Iterable[Change]:
    singular = kind if kind == "research" else kind.removesuffix("s")
    for key, row in wanted.items():
        if key not in present:
            yield Change("add", singular, key)
        elif row != present[key]:
            yield Change("change", singular, key, _differing(row, present[key]))
    for key in present:
        if key not in wanted:
            yield Change("retire", singular, key)


def _differing(one: Any, other: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(one) if getattr(one, field.name) != getattr(other, field.name))
