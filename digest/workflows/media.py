"""Pictures for the mail: fetched within bounds, made fit, kept by the hash of their bytes, served by ourselves.

Readers' clients ask our server alone, so no outlet learns who reads what, and a picture that changes or
disappears at its source stays as the editor approved it.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from digest.domain.content import Image
from digest.domain.newsroom import NewsletterSpec, Quote
from digest.errors import DigestError
from digest.render import charts
from digest.render.images import fit
from digest.store import media
from digest.store.tables import Media
from digest.workflows.context import Context

MOST_BYTES = 8_000_000
"""A picture file larger than this is not fetched to its end."""
ACCEPT = "image/jpeg, image/png, image/webp, image/gif;q=0.8"
TRY_AGAIN = timedelta(hours=6)
"""How long a source that failed is left alone."""


def host_image(ctx: Context, image: Image, width: int, height: int = 0) -> Image | None:
    """The picture under our own address, or None if it can't be had; a failure is remembered, never raised.

    Args:
        width, height: CSS pixels at which it is shown; the file has up to twice as many. Height 0 keeps its shape.
    """
    if not image.url or image.url.startswith(f"{ctx.public_url}/media/"):
        return image if image.url else None
    key = _key(image.url, width, height)
    with ctx.db.read() as session:
        known = media.get(session, key)
    if known is None or (known.error and ctx.clock() - known.fetched_at >= TRY_AGAIN) or _lost(ctx, known):
        known = _fetch(ctx, key, image.url, width, height)
    return _shown(ctx, known, image)


def host_drawing(ctx: Context, data: bytes) -> str:
    """The address of a finished PNG under our own."""
    return f"{ctx.public_url}/media/{_keep(ctx.media, data, 'png')}"


def host_file(ctx: Context, path: Path, width: int, alt: str) -> Image | None:
    """A picture from the newsroom's own folder, such as a logo; None if it is none.

    Args:
        width: CSS pixels at which it is shown; it keeps its shape.
    """
    try:
        name, shown = _file_kept(ctx.media, path, path.stat().st_mtime_ns, width)
    except (OSError, DigestError):
        return None
    return Image(f"{ctx.public_url}/media/{name}", alt, width=shown[0], height=shown[1])


@lru_cache(maxsize=64)
def _file_kept(folder: Path, path: Path, _changed: int, width: int) -> tuple[str, tuple[int, int]]:
    """The name under which a file is hosted, and its size as it is shown; made fit once as long as it doesn't change."""
    fitted = fit(path.read_bytes(), width)
    return _keep(folder, fitted.data, fitted.extension), (fitted.width, fitted.height)


def hosted_logo(ctx: Context, spec: NewsletterSpec) -> Image | None:
    """A newsletter's logo, if it has one that is here already: pages never make their readers wait for other servers."""
    theme = spec.theme
    if not theme.logo:
        return None
    if theme.logo.startswith("https://"):
        with ctx.db.read() as session:
            row = media.get(session, _key(theme.logo, theme.logo_width))
        return _shown(ctx, row, Image(theme.logo, spec.name)) if row and not _lost(ctx, row) else None
    return host_file(ctx, logo_file(ctx, spec), theme.logo_width, spec.name) if ctx.newsroom else None


def logo_file(ctx: Context, spec: NewsletterSpec) -> Path:
    """Where a logo lies that is a file in the newsletter's own folder."""
    return (ctx.newsroom or Path()) / "newsletters" / spec.slug / spec.theme.logo


def host_chart(ctx: Context, quote: Quote, words: Mapping[str, str] = charts.ENGLISH, locale: str = "en-US") -> Image:
    """The sparkline of a quote's last days under our own address, with what it says as its alt text.

    Raises:
        ValueError: a quote without history.
    """
    data = charts.sparkline(quote.history, up=quote.history[-1] >= quote.history[0])
    return Image(
        url=host_drawing(ctx, data),
        alt=charts.says(quote.name, quote.history, words, locale),
        width=charts.WIDTH,
        height=charts.HEIGHT,
    )


def _fetch(ctx: Context, key: str, url: str, width: int, height: int) -> Media:
    try:
        answer = ctx.fetcher.get(url, accept=ACCEPT, max_bytes=MOST_BYTES)
        fitted = fit(answer.body, width, height)
        name = _keep(ctx.media, fitted.data, fitted.extension)
        row = Media(
            source_url=key,
            name=name,
            width=fitted.width,
            height=fitted.height,
            bytes=len(fitted.data),
            fetched_at=ctx.clock(),
        )
    except DigestError as problem:
        row = Media(source_url=key, error=str(problem), fetched_at=ctx.clock())
    try:
        with ctx.db.write() as session:
            media.remember(
                session,
                key,
                row.fetched_at,
                name=row.name,
                width=row.width,
                height=row.height,
                size=row.bytes,
                error=row.error,
            )
    except IntegrityError:
        # Another worker noted the same source in this moment: its file has the same name as ours.
        pass
    return row


def _shown(ctx: Context, row: Media, image: Image) -> Image | None:
    if row.error or not row.name:
        return None
    return replace(image, url=f"{ctx.public_url}/media/{row.name}", width=row.width, height=row.height)


def _key(url: str, width: int, height: int = 0) -> str:
    """Under what a picture is remembered that is shown in that size."""
    return f"{url}#{width}x{height}"


def _lost(ctx: Context, row: Media) -> bool:
    return bool(row.name) and not (ctx.media / row.name).is_file()


def _keep(folder: Path, data: bytes, extension: str) -> str:
    """Write the bytes under the name of their hash, whole or not at all. The same bytes are one file."""
    name = f"{sha256(data).hexdigest()}.{extension}"
    path = folder / name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        handle, rough = tempfile.mkstemp(dir=folder, prefix=".", suffix=f".{extension}")
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(rough, 0o644)
        os.replace(rough, path)
    return name
