"""How common words are in news at large, so that a small window need not guess it from itself."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

WEIGHT = 0.1
"""What one background headline counts beside one article of the window."""


@cache
def background() -> tuple[int, Mapping[str, int]]:
    """The number of headlines counted, and for every term that stood in several of them in how many."""
    first, *lines = files(__package__).joinpath("background.tsv").read_text(encoding="utf-8").splitlines()
    return int(first), {term: int(count) for term, _, count in (line.partition("\t") for line in lines)}
