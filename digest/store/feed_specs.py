"""A feed's row and its ``FeedSpec``: the one place that knows how the one is the other."""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row

from digest.domain.newsroom import FeedSpec
from digest.store.tables import Feed

_SPEC: TypeAdapter[FeedSpec] = TypeAdapter(FeedSpec)
_IN_COLUMNS = ("url", "name", "kind", "weight", "full_text", "interval")


def spec_of(row: Feed | Row[Any]) -> FeedSpec:
    """What the newsroom says of a feed."""
    return _SPEC.validate_python({name: getattr(row, name) for name in _IN_COLUMNS} | (row.rules or {}))


def write_spec(row: Feed, spec: FeedSpec) -> None:
    """Make a row say what ``spec`` says; its history stays.

    Another way of reading makes the next fetch unconditional: what we have was read by the old rules.
    """
    values: dict[str, Any] = _SPEC.dump_python(spec, mode="json", exclude_defaults=True)
    rules = {name: value for name, value in values.items() if name not in _IN_COLUMNS}
    if (row.kind, row.rules or {}) != (spec.kind, rules):
        row.etag = row.last_modified = ""
    row.name, row.kind, row.weight = spec.name, spec.kind, spec.weight
    row.full_text, row.interval, row.rules = spec.full_text, spec.interval, rules
