"""Figures in words: one sum, however it is written, is one term."""

_SCALES = {
    "k": 1e3, "thousand": 1e3,
    "m": 1e6, "mn": 1e6, "mln": 1e6, "million": 1e6,
    "b": 1e9, "bn": 1e9, "bln": 1e9, "billion": 1e9,
    "t": 1e12, "tn": 1e12, "trillion": 1e12,
}  # fmt: skip

ROUNDED = 1e6
"""A sum from here on is known by its first two digits: outlets round, each in its own way."""


def is_figure(word: str) -> bool:
    """Whether a word of a text is a number, perhaps with its scale: ``1,480``, ``3.5``, ``835m``."""
    return word[:1].isdigit() and word[:1].isascii()


def is_scale(word: str) -> bool:
    """Whether a word behind a number multiplies it."""
    return word in _SCALES


def is_year(word: str) -> bool:
    """``1900`` to ``2099``: tells the time, not a sum."""
    return len(word) == 4 and word.isdigit() and word[:2] in ("19", "20")


def amount(word: str, scale: str = "") -> str:
    """The term of a figure: ``835.6`` million, ``836m`` and ``835,600,000`` are ``8.4e+08``, ``5k`` is ``5000``.

    Args:
        word: as :func:`digest.curation.text.words` gives it.
        scale: the word behind it, where that multiplies it.
    """
    bare = word.replace(",", "")
    number = bare.rstrip("kmbnlt")
    scale = bare[len(number) :] or scale
    if is_year(word) and not scale:
        return word
    try:
        value = float(number) * (_SCALES[scale] if scale else 1.0)
    except (ValueError, KeyError):
        return word
    if ROUNDED <= value < 1e18:
        return f"{value:.1e}"
    return f"{value:g}" if scale else bare
