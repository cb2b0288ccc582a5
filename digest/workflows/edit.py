"""What an editor does to the running order of an issue.

Every edit is one transaction: the issue must be in draft, held, or approved (an edit of an approved issue voids the
approval), its revision goes up by one, and the audit log gets the rows as they were and as they are.
An edit that changes nothing leaves no trace. Lead, ranks and forms follow from the rows (``document_of``).
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, select

from digest.domain.issue import MORE, WEEK
from digest.errors import NotFound, StateConflict, UsageError
from digest.store import audit_log, deliveries, issues
from digest.store.tables import AuditEntry, Issue, Placement
from digest.workflows.context import Context

EDITABLE = ("draft", "held", "approved")
EDITS = ("pin", "unpin", "drop", "restore", "retitle", "move", "write")
MAX_HEADLINE, MAX_DEK = 200, 600
"""Characters that an editor's headline and dek may have."""

Words = dict[str, str]
"""``title`` and ``body`` of what was written for one block at the desk."""

_KEPT = ("section", "position", "pinned", "dropped", "headline", "dek")


def pin(ctx: Context, issue_id: int, story_id: int, actor: str) -> int:
    """Put a story before all others, so that it leads and stands first in its section.

    Returns, as all edits do, the issue's revision after the edit.

    Raises, as all edits do:
        NotFound: no such issue, or the story does not stand in it.
        StateConflict: the issue is past editing, or the step makes no sense where the story stands.
    """
    with editing(ctx, issue_id, actor, "pin") as table:
        for row in table.story(story_id):
            row.pinned = True
    return table.revision


def unpin(ctx: Context, issue_id: int, story_id: int, actor: str) -> int:
    """Let a pinned story go back to its place."""
    with editing(ctx, issue_id, actor, "unpin") as table:
        for row in table.story(story_id):
            row.pinned = False
    return table.revision


def drop(ctx: Context, issue_id: int, story_id: int, actor: str) -> int:
    """Leave a story out of the issue, wherever it stands in it."""
    with editing(ctx, issue_id, actor, "drop") as table:
        for row in table.story(story_id):
            row.dropped = True
    return table.revision


def restore(ctx: Context, issue_id: int, story_id: int, actor: str) -> int:
    """Take a dropped story back, at its old place."""
    with editing(ctx, issue_id, actor, "restore") as table:
        for row in table.story(story_id):
            row.dropped = False
    return table.revision


def retitle(
    ctx: Context, issue_id: int, story_id: int, actor: str, *, headline: str | None = None, dek: str | None = None
) -> int:
    """Give a story another headline or dek. None leaves it; empty gives the drafted one back.

    Raises:
        UsageError: longer than 200 (headline) or 600 (dek) characters.
    """
    with editing(ctx, issue_id, actor, "retitle") as table:
        for row in table.story(story_id):
            if headline is not None:
                row.headline = _words(headline, MAX_HEADLINE, "headline", drafted=row.item.get("headline", ""))
            if dek is not None:
                row.dek = _words(dek, MAX_DEK, "dek", drafted=row.item.get("dek", ""))
    return table.revision


def move(ctx: Context, issue_id: int, story_id: int, to: str, actor: str) -> int:
    """Move a story in its section ``up`` or ``down`` by one place that readers see, or to the end of section ``to``.

    Pinned stories stand before all others, so a story moves among the pinned or among the rest.

    Raises:
        NotFound: the issue has no such section.
    """
    with editing(ctx, issue_id, actor, "move") as table:
        row = table.in_a_section(story_id)
        if to in ("up", "down"):
            table.swap(row, -1 if to == "up" else 1)
        elif to not in dict(section_titles(table.issue)):
            raise NotFound(f"this issue has no section {to!r}")
        elif to != row.section:
            row.section, row.position = to, 1 + max((other.position for other in table.section(to)), default=-1)
    return table.revision


def undo(ctx: Context, issue_id: int, actor: str) -> str:
    """Take back the newest edit that still stands, and return its name; again, and the one before it goes too.

    Raises:
        StateConflict: there is nothing to undo, or the issue is past editing.
    """
    with editing(ctx, issue_id, actor, "undo") as table:
        entry = last_edit(table.session, issue_id)
        if entry is None:
            raise StateConflict("there is no edit to undo")
        for state in (entry.before or {}).get("placements", ()):
            table.put_back(state)
        table.put_back_words((entry.before or {}).get("words", {}))
        # Recorded even if the rows already look like that, or else the same edit would be undone for ever.
        action = entry.action
        table.note = {"undone": entry.id, "action": action, "headline": (entry.after or {}).get("headline", "")}
        table.always_recorded = True
    return action


def last_edit(session: Session, issue_id: int) -> AuditEntry | None:
    """The audit entry of the newest edit that has not been undone, or None."""
    entries = audit_log.of_actions(session, audit_log.issue_subject(issue_id), (*EDITS, "undo"))
    undone = {(entry.after or {}).get("undone") for entry in entries if entry.action == "undo"}
    return next((entry for entry in entries if entry.action != "undo" and entry.id not in undone), None)


def section_titles(issue: Issue) -> tuple[tuple[str, str], ...]:
    """Key and title of each section that stories of an issue may stand in, in layout order; ``more`` is on the web."""
    usual = {MORE: "More on the web", WEEK: "The best of the week"}
    blocks = (block for block in issues.blocks_of(issue) if block.type in ("section", MORE, WEEK))
    return tuple((block.key, block.title or usual.get(block.type, "")) for block in blocks)


def shown_headline(row: Placement) -> str:
    """The headline that readers see: the editor's, or else the drafted one."""
    return str(row.headline or row.item.get("headline", ""))


@dataclass
class Table:
    """An issue while it is being edited: its running order, and by key of block the words written at the desk."""

    session: Session
    issue: Issue
    rows: list[Placement]
    revision: int
    words: dict[str, Words]
    note: dict[str, Any] = field(default_factory=dict)
    always_recorded: bool = False

    def story(self, story_id: int) -> list[Placement]:
        rows = [row for row in self.rows if row.story_id == story_id]
        if not rows:
            raise NotFound(f"issue {self.issue.id} has no story {story_id}")
        self.note = {"story": story_id, "headline": shown_headline(rows[0])}
        return rows

    def in_a_section(self, story_id: int) -> Placement:
        for row in self.story(story_id):
            if row.section != "lead":
                return row
        raise StateConflict("this story stands in the lead alone: pin it to move it forward, or drop it")

    def section(self, key: str) -> list[Placement]:
        """The rows of a section in the order in which readers see them."""
        rows = (row for row in self.rows if row.section == key)
        return sorted(rows, key=lambda row: (not row.pinned, row.position, row.id))

    def swap(self, row: Placement, step: int) -> None:
        order = self.section(row.section)
        seen = [other for other in order if other.pinned == row.pinned and (other is row or not other.dropped)]
        there = seen.index(row) + step
        if not 0 <= there < len(seen):
            where = "first" if step < 0 else "last"
            raise StateConflict(f"“{shown_headline(row)}” already stands {where} of its kind in this section")
        target = order.index(seen[there])
        order.remove(row)
        order.insert(target, row)
        for position, other in enumerate(order):
            other.position = position

    def put_back(self, state: dict[str, Any]) -> None:
        for row in self.rows:
            if row.id == state["id"]:
                for name in _KEPT:
                    setattr(row, name, state[name])
                return
        raise StateConflict("the issue was drafted anew since that edit: it can't be undone")

    def put_back_words(self, before: Mapping[str, Words | None]) -> None:
        changed = {key: words for key, words in before.items() if words is not None}
        self.words = {key: words for key, words in self.words.items() if key not in before} | changed


@contextmanager
def editing(ctx: Context, issue_id: int, actor: str, action: str) -> Iterator[Table]:
    """One edit: what the caller does to the table is kept, counted and written down together, or not at all.

    Raises:
        NotFound: no such issue.
        StateConflict: it is past editing.
    """
    with ctx.db.write() as session:
        # The row lock makes edits of one issue queue up on PostgreSQL; SQLite has one writer anyway.
        session.exec(select(Issue.id).where(Issue.id == issue_id).with_for_update()).first()
        issue = issues.get(session, issue_id)
        if issue.state not in EDITABLE:
            raise StateConflict(f"this issue is {issue.state}: only a draft, held or approved issue can be edited")
        counts = deliveries.tally(session, issue_id)
        if any(counts[state] for state in ("sending", "sent", "failed", "unknown")):
            raise StateConflict(
                "copies of this issue have left already: all readers get the same one, so it stays as it is"
            )
        written: dict[str, Words] = issue.extras.get("words", {})
        table = Table(session, issue, issues.placements(session, issue_id), issue.revision, written)
        before = _states(table.rows)
        yield table
        after = _states(table.rows)
        changed = [ident for ident in before if before[ident] != after[ident]]
        rewritten = [key for key in {*written, *table.words} if written.get(key) != table.words.get(key)]
        if rewritten:
            issues.keep(session, issue_id, "words", table.words)
        if changed or rewritten or table.always_recorded:
            table.revision += 1
            audit_log.record(
                session, ctx.clock(), actor, action, audit_log.issue_subject(issue_id),
                before={"state": issue.state, "placements": [before[ident] for ident in changed]} | _said(written, rewritten),
                after=table.note | {"placements": [after[ident] for ident in changed]} | _said(table.words, rewritten),
            )  # fmt: skip
            _advance(session, issue)


def _advance(session: Session, issue: Issue) -> None:
    """Count the edit. An approval speaks of one revision: it is void now, and so are the bytes made for it."""
    assert issue.id is not None
    state = issue.state
    if issue.approved_at is not None:  # approved, or held on its way
        issues.drop_fragments(session, issue.id)
    edited = {"revision": issue.revision + 1, "approved_by": "", "approved_at": None}
    issues.move(
        session, issue.id, [state], "draft" if state == "approved" else state, if_revision=issue.revision, **edited
    )


def _said(words: Mapping[str, Words], keys: Sequence[str]) -> dict[str, Any]:
    return {"words": {key: words.get(key) for key in keys}} if keys else {}


def _states(rows: Sequence[Placement]) -> dict[int | None, dict[str, Any]]:
    return {
        row.id: {"id": row.id, "story": row.story_id} | {name: getattr(row, name) for name in _KEPT} for row in rows
    }


def _words(text: str, limit: int, what: str, *, drafted: str) -> str | None:
    """One clean line, or None where it gives the drafted words back."""
    line = " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())
    if len(line) > limit:
        raise UsageError(f"the {what} has {len(line)} characters: keep it within {limit}")
    return line if line and line != drafted else None
