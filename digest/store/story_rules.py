"""What editors hold to be one story or two: rules between articles, kept until they are taken back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sql
from sqlmodel import Session, col, or_, select, update

from digest.domain.content import StoryRule
from digest.store.tables import AuditEntry, StoryRuleRow

_CHUNK = 400
ACTIONS = ("split", "merge", "move")


@dataclass(frozen=True, slots=True)
class Step:
    """What an editor did to a story with one press of a button, and whether it still holds.

    Attributes:
        id: names the step when it is taken back.
        action: ``split``, ``merge`` or ``move``.
        articles: ids of the articles that changed stories.
        former, present: the stories they came from (None if from none) and went to.
        rules: how many rules it wrote.
        revoked_at, revoked_by: when it was taken back and by whom; None and "" while it holds.
    """

    id: int
    action: str
    actor: str
    at: datetime
    articles: tuple[int, ...]
    former: int | None
    present: int
    rules: int
    revoked_at: datetime | None
    revoked_by: str


def add(session: Session, rules: Iterable[StoryRule], actor: str, now: datetime, *, step: int | None = None) -> None:
    """Write rules down, after all that are there: of two that clash the later one holds.

    Args:
        step: id of the audit entry of the step that they belong to.
    """
    session.add_all(
        StoryRuleRow(
            one_id=rule.one, other_id=rule.other, together=rule.together, actor=actor, created_at=now, step=step
        )
        for rule in rules
    )
    session.flush()


def among(session: Session, article_ids: Iterable[int]) -> tuple[StoryRule, ...]:
    """The rules that bear on these articles, oldest first: what ``group`` wants to know.

    Rules are followed through articles that are not among these: a chain holds though its middle has left the window.
    """
    rows: dict[int, StoryRule] = {}
    known: set[int] = set()
    ahead = set(article_ids)
    while ahead:
        known |= ahead
        found = _touching(session, ahead)
        rows |= found
        ahead = {ident for rule in found.values() if rule.together for ident in (rule.one, rule.other)} - known
    return tuple(rows[number] for number in sorted(rows))


def _touching(session: Session, article_ids: set[int]) -> dict[int, StoryRule]:
    """The rules that hold with one of these articles, by their number."""
    one, other = col(StoryRuleRow.one_id), col(StoryRuleRow.other_id)
    if len(article_ids) > _CHUNK:
        # A window of articles: their ids lie close together, and one question for all between them is soon answered.
        first, last = min(article_ids), max(article_ids)
        condition = or_(one.between(first, last), other.between(first, last))
    else:
        condition = or_(one.in_(article_ids), other.in_(article_ids))
    columns = (col(StoryRuleRow.id), one, other, col(StoryRuleRow.together))
    rows = session.execute(sql.select(*columns).where(condition, col(StoryRuleRow.revoked_at).is_(None)))
    return {
        number: StoryRule(left, right, together)
        for number, left, right, together in rows
        if left in article_ids or right in article_ids
    }


def steps(session: Session, article_ids: Iterable[int] | None = None, *, limit: int = 100) -> list[Step]:
    """Editors' steps, newest first: all of them, or those whose rules bear on some of these articles."""
    query = select(StoryRuleRow.step).where(col(StoryRuleRow.step).is_not(None))
    if article_ids is not None:
        wanted = sorted(article_ids)
        query = query.where(or_(col(StoryRuleRow.one_id).in_(wanted), col(StoryRuleRow.other_id).in_(wanted)))
    numbers = session.exec(query.distinct().order_by(col(StoryRuleRow.step).desc()).limit(limit)).all()
    rows = session.exec(select(StoryRuleRow).where(col(StoryRuleRow.step).in_(numbers))).all()
    entries = select(AuditEntry).where(col(AuditEntry.id).in_(numbers)).order_by(col(AuditEntry.id).desc())
    return [_step(entry, [row for row in rows if row.step == entry.id]) for entry in session.exec(entries)]


def _step(entry: AuditEntry, rows: list[StoryRuleRow]) -> Step:
    before, after = entry.before or {}, entry.after or {}
    return Step(
        id=entry.id or 0,
        action=entry.action,
        actor=entry.actor,
        at=entry.at,
        articles=tuple(after.get("articles", ())),
        former=before.get("story"),
        present=after["story"],
        rules=len(rows),
        revoked_at=rows[0].revoked_at,
        revoked_by=rows[0].revoked_by,
    )


def step_entry(session: Session, step: int) -> AuditEntry | None:
    """The audit entry of a step on stories; None if there is no such step."""
    entry = session.get(AuditEntry, step)
    return entry if entry is not None and entry.action in ACTIONS and entry.subject.startswith("story:") else None


def end(session: Session, step: int, actor: str, now: datetime) -> int:
    """End all rules of a step that still hold; how many they were."""
    table = StoryRuleRow
    query = update(table).where(col(table.step) == step, col(table.revoked_at).is_(None))
    return int(session.execute(query.values(revoked_at=now, revoked_by=actor)).rowcount)  # type: ignore[attr-defined]
