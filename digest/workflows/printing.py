"""The renderer of a newsletter: the shipped templates, behind the newsletter's own ones."""

from functools import lru_cache
from pathlib import Path

from digest.render.pipeline import Renderer
from digest.workflows.context import Context


def renderer(ctx: Context, newsletter: str = "") -> Renderer:
    """The renderer for a newsletter's mails, or for those that belong to none.

    Files in ``newsletters/SLUG/`` of the newsroom stand in for shipped ones of the same name
    (``blocks/letter.mjml``, ``style.css``, ``words/de.toml``), for that newsletter; those in ``templates/email/``
    of the newsroom for all its newsletters.
    """
    own: tuple[Path, ...] = ()
    if ctx.newsroom is not None:
        own = (ctx.newsroom / "templates" / "email",)
        if newsletter:
            own = (ctx.newsroom / "newsletters" / newsletter, *own)
    return _renderer(ctx.templates, tuple(folder for folder in own if folder.is_dir()))


@lru_cache(maxsize=32)
def _renderer(templates: Path, own: tuple[Path, ...]) -> Renderer:
    # Jinja2 looks at the files again when they change.
    return Renderer(templates, own)
