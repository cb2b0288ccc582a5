"""From a ``Newsroom`` to TOML files that ``read`` gives back equal."""

from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import tomlkit

from digest.domain.newsroom import Newsroom, Theme
from digest.newsroom.read import LISTS


def export(newsroom: Newsroom, folder: Path) -> list[Path]:
    """Write the newsroom into ``folder`` (made if needed) and return the files written.

    Values that are the defaults are left out, so that the files stay as short as a person would write them.
    """
    (folder / "newsletters").mkdir(parents=True, exist_ok=True)
    written = [_write(folder / "site.toml", {"site": _short(newsroom.site)})]
    for name in LISTS:
        rows = getattr(newsroom, name)
        if rows:
            written.append(_write(folder / f"{name}.toml", {name: [_short(row) for row in rows]}))
    letters = folder / "newsletters"
    return written + [_write(letters / f"{spec.slug}.toml", _short(spec)) for spec in newsroom.newsletters]


def _write(path: Path, data: dict[str, Any]) -> Path:
    path.write_text(tomlkit.dumps(data), encoding="utf-8")
    return path


def _short(row: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in fields(row):
        value = getattr(row, field.name)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        # A newsletter's theme is written whole if it has a name: what is left out would come from the theme's file.
        if value is None or (value == default and not (isinstance(row, Theme) and row.name)):
            continue
        values[field.name] = _plain(value)
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if hasattr(value, "__dataclass_fields__"):
        return _short(value) or asdict(value)
    return value
