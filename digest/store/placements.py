"""Where stories stand in issues, counted for lists."""

from collections.abc import Collection

from sqlalchemy import func
from sqlmodel import Session, col, select

from digest.store.tables import Placement


def story_counts(session: Session, issue_ids: Collection[int]) -> dict[int, int]:
    """How many stories each issue shows; one that stands in the lead and in a section counts once."""
    counted = (
        select(Placement.issue_id, func.count(func.distinct(Placement.story_id)))
        .where(col(Placement.issue_id).in_(issue_ids), col(Placement.dropped).is_(False))
        .group_by(col(Placement.issue_id))
    )
    return dict.fromkeys(issue_ids, 0) | dict(session.exec(counted).all())


def top_headlines(session: Session, issue_ids: Collection[int]) -> dict[int, str]:
    """The headline that leads each issue, with the editor's words; issues without stories are absent."""
    rows = session.exec(
        select(Placement)
        .where(col(Placement.issue_id).in_(issue_ids), col(Placement.dropped).is_(False))
        .where(Placement.section == "lead")
        .order_by(col(Placement.issue_id), col(Placement.pinned).desc(), col(Placement.position))
    )
    top: dict[int, str] = {}
    for row in rows:
        top.setdefault(row.issue_id, str(row.headline or row.item.get("headline", "")))
    return top
