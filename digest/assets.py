"""Where the files stand that come with the code: templates, themes, newsrooms."""

from importlib import resources
from pathlib import Path


def assets() -> Path:
    """The folder that holds ``templates/`` and ``config/``: the checkout's root, or the wheel's copy of it."""
    packaged = Path(str(resources.files("digest"))) / "_assets"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parent.parent
