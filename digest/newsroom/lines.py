"""Where a key stands in a TOML file: tomllib tells values but not their lines."""

import re
from collections.abc import Sequence

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""^\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*[=.]""")

Path = tuple[str | int, ...]


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The 1-based line of the key at ``path`` (such as ``("blocks", 2, "type")``), or of its nearest parent.

    None if not even the first part of the path is written in the file.
    """
    wanted = tuple(path)
    best: tuple[int, int] | None = None  # (how much of the path is matched, line)
    for number, where in _keys(text):
        matched = min(len(where), len(wanted))
        if where[:matched] == wanted[:matched] and (best is None or matched > best[0]):
            best = (matched, number)
    return best[1] if best else None


def _keys(text: str) -> list[tuple[int, Path]]:
    found: list[tuple[int, Path]] = []
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            names = [part.strip().strip("\"'") for part in header[2].split(".")]
            table = ()
            for name in names[:-1]:
                table = _into(counts, (*table, name))
            table = (*table, names[-1])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.append((number, table))
        elif key := _KEY.match(line):
            found.append((number, (*table, key[1].strip("\"'"))))
    return found


def _into(counts: dict[Path, int], table: Path) -> Path:
    """Inside an array of tables, its newest element."""
    return (*table, counts[table]) if table in counts else table
