"""What editors made of outlets' earlier articles: pinned, kept, left out. Ranking learns its track record from it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.store import placements

MEMORY = timedelta(days=90)
"""How long an editor's choice teaches."""

PINNED, KEPT, DROPPED = 4.0, 1.0, 0.0
"""What a choice is worth. A prior counts by its root: pinning raises an outlet as much as leaving out lowers it."""


def track_record(session: Session, newsletter_id: int, now: datetime) -> Mapping[str, float]:
    """Points by outlet (folded name) for ``rank``: what a newsletter's editors chose and left out until ``now``.

    Issues that nobody touched say nothing of what an editor thinks, so they teach nothing. Empty until somebody edits.
    """
    chosen = placements.choices(session, newsletter_id, now - MEMORY, now)
    if not chosen:
        return {}
    from digest.curation.prior import Past, learn_prior  # numpy and scipy are for those alone who learn

    return learn_prior(
        Past("", one.source, "", DROPPED if one.dropped else PINNED if one.pinned else KEPT) for one in chosen
    ).sources()
