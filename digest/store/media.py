"""Pictures that we host: what became of each source, so that none is fetched twice."""

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col

from digest.store.tables import Media


def get(session: Session, source: str) -> Media | None:
    """What is known of a source: a hosted picture, or why there is none."""
    return session.get(Media, source)


def remember(
    session: Session,
    source: str,
    fetched_at: datetime,
    *,
    name: str = "",
    width: int = 0,
    height: int = 0,
    size: int = 0,
    error: str = "",
) -> Media:
    """Note the outcome for a source in place of an earlier one.

    Args:
        name: file name under ``/media/``, "" if there is none.
        width, height: CSS pixels at which it is shown.
        size: bytes of the file.
        error: why there is no picture.
    """
    # Two workers may host the same picture: the later note wins, and both name the same file.
    session.execute(delete(Media).where(col(Media.source_url) == source))
    row = Media(
        source_url=source, name=name, width=width, height=height, bytes=size, error=error[:500], fetched_at=fetched_at
    )
    session.add(row)
    session.flush()
    return row
