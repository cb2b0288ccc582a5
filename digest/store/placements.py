"""Where stories stand in issues, counted for lists; and what editors chose."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from digest.domain.issue import MORE, WEEK
from digest.store.tables import Issue, Placement


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of one outlet's story in an issue that editors shaped."""

    source: str
    pinned: bool
    dropped: bool


def story_counts(session: Session, issue_ids: Collection[int]) -> dict[int, int]:
    """How many stories each issue shows every reader; one that stands in the lead and in a section counts once."""
    counted = (
        select(Placement.issue_id, func.count(func.distinct(Placement.story_id)))
        .where(col(Placement.issue_id).in_(issue_ids), col(Placement.dropped).is_(False))
        .where(Placement.section != WEEK)
        .group_by(col(Placement.issue_id))
    )
    return dict.fromkeys(issue_ids, 0) | dict(session.exec(counted).all())


def shown(session: Session, issue_ids: Collection[int]) -> list[Placement]:
    """The stories that the mails of these issues showed on their own day, lead variants first."""
    query = (
        select(Placement)
        .where(col(Placement.issue_id).in_(issue_ids), col(Placement.dropped).is_(False))
        .where(col(Placement.section).not_in((MORE, WEEK)))
        .order_by(col(Placement.issue_id), col(Placement.section) != "lead", col(Placement.id))
    )
    return list(session.exec(query)) if issue_ids else []


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


def choices(session: Session, newsletter_id: int, since: datetime, until: datetime) -> list[Choice]:
    """Each story of each issue that an editor pinned or dropped something of, and whose window ended in that time."""
    touched = select(Placement.issue_id).where(or_(col(Placement.pinned), col(Placement.dropped)))
    query = (
        select(Placement)
        .join(Issue, col(Issue.id) == col(Placement.issue_id))
        .where(Issue.newsletter_id == newsletter_id, Issue.window_end > since, Issue.window_end < until)
        .where(col(Placement.issue_id).in_(touched))
    )
    found: dict[tuple[int, int], Choice] = {}
    for row in session.exec(query):
        key = row.issue_id, row.story_id
        before = found.get(key)
        # A story may stand in the lead and in a section: one deed on either is the editor's word on it.
        found[key] = Choice(
            str(row.item.get("source", "")),
            row.pinned or (before is not None and before.pinned),
            row.dropped or (before is not None and before.dropped),
        )
    return list(found.values())
