"""Themes by name: a newsroom's own ones in ``themes/``, then those that come with the code."""

from pathlib import Path

from digest.assets import assets


def theme_files(folder: Path) -> dict[str, Path]:
    """The theme files that a newsroom's newsletters may name, by name.

    Args:
        folder: the newsroom's; its own ``themes/NAME.toml`` stands in for a shipped one of the same name.
    """
    found: dict[str, Path] = {}
    for place in (assets() / "config" / "themes", folder / "themes"):
        found.update({path.stem: path for path in sorted(place.glob("*.toml"))})
    return found
