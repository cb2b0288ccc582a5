"""What editors hold to be one story or two: rules between articles, kept for ever."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from digest.domain.content import StoryRule
from digest.store.tables import StoryRuleRow

_CHUNK = 400


def add(session: Session, rules: Iterable[StoryRule], actor: str, now: datetime) -> None:
    """Write rules down, after all that are there: of two that clash the later one holds."""
    session.add_all(
        StoryRuleRow(one_id=rule.one, other_id=rule.other, together=rule.together, actor=actor, created_at=now)
        for rule in rules
    )
    session.flush()


def among(session: Session, article_ids: Iterable[int]) -> tuple[StoryRule, ...]:
    """The rules between articles of which both are among these, oldest first: what ``group`` wants to know."""
    wanted = sorted(set(article_ids))
    known = frozenset(wanted)
    rows: list[StoryRuleRow] = []
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        rows.extend(session.exec(select(StoryRuleRow).where(col(StoryRuleRow.one_id).in_(chunk))))
    rows.sort(key=lambda row: row.id or 0)
    return tuple(StoryRule(row.one_id, row.other_id, row.together) for row in rows if row.other_id in known)
