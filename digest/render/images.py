"""Pictures from outside made fit for a mail: decoded within bounds, cropped, shrunk to twice their shown size."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from digest.errors import ParseError

MOST_PIXELS = 50_000_000
"""A picture that would decode to more is refused unread: 50 megapixels take 150 MB as RGB."""
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
QUALITY = 82


@dataclass(frozen=True, slots=True)
class Fitted:
    """A picture ready to be hosted.

    Attributes:
        width, height: CSS pixels at which it is shown; the file has up to twice as many.
        extension: ``jpg`` or ``png``.
    """

    data: bytes
    width: int
    height: int
    extension: str


def fit(data: bytes, width: int, height: int = 0) -> Fitted:
    """The picture as JPEG (PNG if it is transparent) without metadata.

    Args:
        width: CSS pixels at which it will be shown.
        height: if given, the picture is cropped around its centre to this proportion, else it keeps its own.

    Raises:
        ParseError: no picture, a broken one, one of an odd kind, or one that is too large to decode.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of decompression bombs where it should refuse.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            if picture.width * picture.height > MOST_PIXELS:
                raise ParseError(f"the picture has {picture.width} × {picture.height} pixels: more than can be decoded")
            # Large JPEGs are decoded at a fraction of their size at once.
            picture.draft("RGB", (width * 4, (height or width) * 4))
            picture.load()
            # Exif orientation is obeyed before metadata is dropped.
            upright = ImageOps.exif_transpose(picture)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise ParseError(f"this is no picture that can be read: {error}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ParseError(f"the picture is too large to decode: {error}") from error
    transparent = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    upright = upright.convert("RGBA" if transparent else "RGB")
    if transparent and upright.getchannel("A").getextrema() == (255, 255):
        upright, transparent = upright.convert("RGB"), False
    scale = min(2.0, upright.width / width)
    if height:
        scale = min(scale, upright.height / height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        shown = ImageOps.fit(upright, size, Image.Resampling.LANCZOS)
        shown_height = height
    else:
        shown_height = max(1, round(upright.height * width / upright.width))
        size = (max(1, round(width * scale)), max(1, round(shown_height * scale)))
        shown = upright.resize(size, Image.Resampling.LANCZOS)
    # A fresh image holds pixels and nothing else: no Exif, no colour profile, no comment.
    clean = Image.new(shown.mode, shown.size)
    clean.paste(shown)
    out = io.BytesIO()
    if transparent:
        clean.save(out, "PNG", optimize=True)
    else:
        clean.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return Fitted(out.getvalue(), width, shown_height, "png" if transparent else "jpg")
