"""A page that is about one newsletter looks like it: its name or logo on top, its colours and fonts."""

from dataclasses import dataclass
from hashlib import sha256

import structlog

from digest.domain.newsroom import Theme
from digest.errors import RenderError
from digest.render.sheet import sheet_of
from digest.store.newsletters import Offer
from digest.workflows.context import Context
from digest.workflows.media import hosted_logo

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Logo:
    """A picture instead of the name. ``src`` is a path of this server; width and height are CSS pixels."""

    src: str
    width: int
    height: int


@dataclass(frozen=True)
class Look:
    """What a page takes from a newsletter.

    Attributes:
        home: the path of its archive.
        sheet: the path of its style sheet; it changes with the theme, so that it may be kept for ever.
    """

    name: str
    home: str
    sheet: str
    logo: Logo | None


def look_of(ctx: Context, offer: Offer) -> Look:
    """The look of a newsletter; with colours that can't be read, of its name alone."""
    spec = offer.spec
    text = sheet(spec.theme)
    logo = hosted_logo(ctx, spec)
    return Look(
        name=spec.name,
        home=f"/archive/{offer.slug}",
        sheet=f"/theme/{offer.slug}.css?v={version_of(text)}" if text else "",
        logo=Logo(logo.url.removeprefix(ctx.public_url), logo.width, logo.height) if logo else None,
    )


def version_of(text: str) -> str:
    """What stands behind ``?v=`` in the address of a sheet: it changes with its text."""
    return sha256(text.encode()).hexdigest()[:12]


def sheet(theme: Theme) -> str:
    """The style sheet of a theme, "" if it can't be read: then the house's own look stays."""
    try:
        return sheet_of(theme)
    except RenderError as error:
        log.warning("a newsletter's pages keep the look of the house", error=str(error))
        return ""
