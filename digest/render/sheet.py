"""A newsletter's theme as a style sheet for pages, in the names that ``web/static/base.css`` gives its own colours."""

from digest.domain.newsroom import Theme
from digest.errors import RenderError
from digest.render.palette import contrast, mixed, palette

READABLE, VISIBLE = 4.5, 3.0
"""Least contrast of text and of the edges of fields (WCAG 2.2, 1.4.3 and 1.4.11)."""


def sheet_of(theme: Theme) -> str:
    """The sheet: it goes behind ``base.css``, and outweighs it.

    Raises:
        RenderError: a theme that can't be rendered, or whose text could not be read. Files are checked when they are
            loaded; this holds for what is in the database, however it came there.
    """
    values = palette(theme)
    light, dark = _colours(values, ""), _colours(values, "dark_")
    fonts = f"--serif: {values['serif']}; --sans: {values['sans']};"
    return (
        f":root:root {{ {light} {fonts} --logo-plate: {values['paper']}; }}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:root:not([data-theme="light"]) {{ {dark} }} }}\n'
    )


def _colours(values: dict[str, str], prefix: str) -> str:
    ink, paper, muted, accent = (values[prefix + name] for name in ("ink", "paper", "muted", "accent"))
    accent_ink = values[prefix + "accent_ink"]
    for name, front, ground in (("ink", ink, paper), ("muted", muted, paper), ("accent", accent, paper), ("accent_ink", accent_ink, accent)):  # fmt: skip
        if contrast(front, ground) < READABLE:
            raise RenderError(
                f"theme.{prefix}{name}: {front} can't be read on {ground}: it needs a contrast of {READABLE}"
            )
    colours = {
        "ink": ink,
        "paper": paper,
        "muted": muted,
        "accent": accent,
        "accent-ink": accent_ink,
        "line": values[prefix + "line"],
        "positive": values[prefix + "positive"],
        "negative": values[prefix + "negative"],
        "accent-deep": mixed(accent, ink, 0.25),
        # As much of a plate as leaves everything that may stand on it readable.
        "plate": next(
            plate
            for share in (0.05, 0.03, 0.015, 0.0)
            if min(contrast(front, plate := mixed(paper, ink, share)) for front in (muted, accent)) >= READABLE or not share
        ),
        "edge": next(
            edge for share in range(30, 101, 5) if contrast(edge := mixed(paper, ink, share / 100), paper) >= VISIBLE
        ),
    }  # fmt: skip
    return " ".join(f"--{name}: {value};" for name, value in colours.items())
