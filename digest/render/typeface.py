"""The typeface of drawn charts: Source Sans Pro (SIL Open Font License), for Latin, Greek and Cyrillic scripts."""

from functools import lru_cache
from importlib import resources
from typing import Literal

from PIL import ImageFont

Weight = Literal["Regular", "Semibold"]


@lru_cache(maxsize=32)
def font(size: int, weight: Weight = "Regular") -> ImageFont.FreeTypeFont:
    """The face at ``size`` pixels."""
    name = f"files/SourceSansPro-{weight}.ttf"
    with resources.as_file(resources.files("font_source_sans_pro") / name) as path:
        return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _draws(char: str) -> bool:
    face = font(32)
    return bytes(face.getmask(char)) != bytes(face.getmask("\uffff"))


def drawable(text: str) -> bool:
    """Whether the face has every letter of the text; if not, the text must stand beside the picture."""
    return all(char == " " or _draws(char) for char in text)


def tidy(text: str) -> str:
    """The text with the spaces and signs of figures that the face knows, and without marks of direction."""
    for mark, plain in (("\u00a0", " "), ("\u202f", " "), ("\u200e", ""), ("\u200f", ""), ("\u061c", "")):
        text = text.replace(mark, plain)
    return text
