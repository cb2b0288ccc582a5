"""Issues: made once per slot, moved from state to state only from the state that the mover saw."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import CursorResult, and_, delete, func, or_, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col, select

from digest.domain.issue import Block, Section
from digest.domain.mail import Fragment
from digest.domain.newsroom import NewsletterSpec
from digest.errors import NotFound, StateConflict
from digest.store import burial
from digest.store.deliveries.rows import either
from digest.store.tables import FragmentRow, Issue, ManifestRow, Newsletter, Placement, SentStory

DISCARDED = ("empty", "cancelled")
"""States of issues that were never a number of the newsletter."""

BY_HAND = "at:"
"""How the slots of issues begin that were drafted by hand for a window of their own."""

CLAIM = timedelta(minutes=10)
"""How long a process that drafts an issue is left alone."""

_SPEC = TypeAdapter(NewsletterSpec)
_BLOCKS = TypeAdapter(tuple[Block, ...])
_SECTIONS = TypeAdapter(tuple[Section, ...])


def newsletter(session: Session, slug: str) -> tuple[Newsletter, NewsletterSpec]:
    """The newsletter in force under ``slug``: its row and what is configured.

    Raises:
        NotFound: none, with the names that there are.
    """
    rows = session.exec(select(Newsletter).where(col(Newsletter.retired_at).is_(None)).order_by(col(Newsletter.id)))
    known = {row.slug: row for row in rows}
    if slug not in known:
        raise NotFound(f"no newsletter {slug!r}; there are: {', '.join(known) or 'none (run `digest newsroom apply`)'}")
    return known[slug], _SPEC.validate_python(known[slug].spec)


def get(session: Session, issue_id: int) -> Issue:
    """The issue.

    Raises:
        NotFound: no such issue.
    """
    issue = session.get(Issue, issue_id)
    if issue is None:
        raise NotFound(f"no issue {issue_id}; `digest issue list` shows those there are")
    return issue


def standing(session: Session, issue_id: int) -> tuple[str, int]:
    """The issue's state and revision alone; ("", 0) if there is no such issue."""
    return session.exec(select(Issue.state, Issue.revision).where(Issue.id == issue_id)).first() or ("", 0)


def slug_of(session: Session, issue: Issue) -> str:
    """The short name of the issue's newsletter."""
    row = session.get(Newsletter, issue.newsletter_id)
    assert row is not None  # a foreign key
    return row.slug


def spec_of(issue: Issue) -> NewsletterSpec:
    """The newsletter as it was when the issue was drafted."""
    return _SPEC.validate_python(issue.spec)


def latest(
    session: Session, newsletter_id: int, *, before: datetime | None = None, by_hand: bool = True
) -> Issue | None:
    """The issue with the newest window.

    Discarded issues don't count: what they would have carried belongs to the next one.

    Args:
        before: only issues whose window ended before that.
        by_hand: count issues that were drafted by hand for a window of their own.
    """
    query = select(Issue).where(Issue.newsletter_id == newsletter_id, col(Issue.state).not_in(DISCARDED))
    if before is not None:
        query = query.where(Issue.window_end < before)
    if not by_hand:
        query = query.where(col(Issue.slot).not_like(f"{BY_HAND}%"))
    return session.exec(query.order_by(col(Issue.window_end).desc(), col(Issue.id).desc())).first()


def began(session: Session, newsletter_id: int) -> datetime | None:
    """When the newsletter's first issue was planned, in whatever state it is now; None before that."""
    return session.exec(select(func.min(Issue.created_at)).where(Issue.newsletter_id == newsletter_id)).one()


def recent(session: Session, newsletter_slug: str | None = None, limit: int = 50) -> list[tuple[Issue, Newsletter]]:
    """The newest issues with their newsletters, newest first."""
    query = select(Issue, Newsletter).join(Newsletter, col(Newsletter.id) == Issue.newsletter_id)
    if newsletter_slug:
        query = query.where(Newsletter.slug == newsletter_slug)
    return list(session.exec(query.order_by(col(Issue.window_end).desc(), col(Issue.id).desc()).limit(limit)))


def in_state(session: Session, *states: str) -> list[Issue]:
    """All issues in one of the states, oldest first."""
    return list(session.exec(select(Issue).where(col(Issue.state).in_(states)).order_by(col(Issue.id))))


def ahead(session: Session, newsletter_id: int) -> list[Issue]:
    """Drafts and approved issues that are newer than all that went out, the nearest first."""
    went_out = select(func.max(Issue.window_end)).where(
        Issue.newsletter_id == newsletter_id, col(Issue.state).in_(("sending", "sent"))
    )
    newest = session.exec(went_out).one()
    query = select(Issue).where(Issue.newsletter_id == newsletter_id, col(Issue.state).in_(("draft", "approved")))
    if newest is not None:
        query = query.where(Issue.window_end > newest)
    return list(session.exec(query.order_by(col(Issue.window_end), col(Issue.id)).limit(10)))


def plan(session: Session, values: dict[str, Any]) -> int:
    """Insert a planned issue, or find the one that already has its slot; its id either way.

    Any number of schedulers may do this at once: unique(newsletter, cadence, slot) lets one win.
    """
    # An issue that was cancelled after copies had left keeps its number: readers have it.
    left = either(lambda half: (half.c.issue_id == col(Issue.id), half.c.state.in_(("sent", "unknown"))))
    seen = and_(col(Issue.state) == "cancelled", left)
    number = session.exec(
        select(func.coalesce(func.max(Issue.number), 0)).where(
            Issue.newsletter_id == values["newsletter_id"], or_(col(Issue.state).not_in(DISCARDED), seen)
        )
    ).one()
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    defaults = {"state": "planned", "reason": "", "spec": {}, "extras": {}, "approved_by": "", "revision": 0}
    session.execute(
        insert(Issue)
        .values(**defaults, **values, number=number + 1)
        .on_conflict_do_nothing(index_elements=["newsletter_id", "cadence", "slot"])
    )
    key = [getattr(Issue, name) == values[name] for name in ("newsletter_id", "cadence", "slot")]
    return session.exec(select(Issue.id).where(*key)).one()  # type: ignore[return-value]


def carried(session: Session, newsletter_id: int, before: datetime | None = None) -> dict[int, datetime]:
    """When an issue of this newsletter last carried each story, by the end of the issue's window.

    Args:
        before: only issues whose window ended before this moment count.
    """
    query = (
        select(SentStory.story_id, func.max(Issue.window_end))
        .join(Issue, col(Issue.id) == SentStory.issue_id)
        .where(Issue.newsletter_id == newsletter_id, col(Issue.state).in_(("sending", "sent")))
        .group_by(col(SentStory.story_id))
    )
    rows = session.exec(query if before is None else query.where(col(Issue.window_end) < before))
    return dict(rows.all())


def claim(session: Session, issue_id: int, state: str, now: datetime, worker: str) -> bool:
    """Take an issue for work, unless it left ``state`` or another process holds it."""
    burial.claims(session, worker)
    free = col(Issue.claimed_until).is_(None) | (col(Issue.claimed_until) < now)
    result = session.execute(
        update(Issue)
        .where(col(Issue.id) == issue_id, col(Issue.state) == state, free)
        .values(claimed_until=now + CLAIM, claimed_by=worker)
    )
    return _one(result)


def unclaim(session: Session, issue_id: int) -> None:
    """Let go of an issue, so that the next one who looks may work on it."""
    session.execute(update(Issue).where(col(Issue.id) == issue_id).values(claimed_until=None, claimed_by=""))


def pinned(session: Session, issue_id: int) -> frozenset[int]:
    """The stories that an editor pinned."""
    return frozenset(
        session.exec(select(Placement.story_id).where(Placement.issue_id == issue_id, col(Placement.pinned).is_(True)))
    )


def give_back(session: Session, worker: str) -> None:
    """Free what a process had claimed that is no more."""
    burial.bury(session, worker)
    session.execute(update(Issue).where(col(Issue.claimed_by) == worker).values(claimed_until=None, claimed_by=""))


def move(session: Session, issue_id: int, states: Sequence[str], state: str, **values: Any) -> None:
    """Move an issue from one of ``states`` to ``state``.

    Raises:
        NotFound: no such issue.
        StateConflict: it is in another state, or its revision is not the one given in ``if_revision``.
    """
    conditions = [col(Issue.id) == issue_id, col(Issue.state).in_(states)]
    if "if_revision" in values:
        conditions.append(col(Issue.revision) == values.pop("if_revision"))
    result = session.execute(
        update(Issue).where(*conditions).values(state=state, claimed_until=None, claimed_by="", **values)
    )
    if not _one(result):
        now_in = get(session, issue_id).state
        if now_in in states:
            raise StateConflict(f"issue {issue_id} was changed meanwhile: look at it again")
        raise StateConflict(f"issue {issue_id} is {now_in}; this needs it {' or '.join(states)}")
    session.expire_all()


def discard_empty(session: Session, issue_id: int) -> bool:
    """Delete an issue that was drafted by hand and came out empty: nobody ever saw a thing of it; whether it was one."""
    asked = col(Issue.slot).startswith(BY_HAND)
    return _one(session.execute(delete(Issue).where(col(Issue.id) == issue_id, col(Issue.state) == "empty", asked)))


def save_draft(
    session: Session, issue_id: int, spec: NewsletterSpec, blocks: Sequence[Block], sections: Sequence[Section]
) -> None:
    """Keep a drafted issue: its newsletter's spec, its finished blocks, and a placement for every story."""
    for section in _SECTIONS.dump_python(tuple(sections), mode="json"):
        for position, placed in enumerate(section["items"]):
            session.add(
                Placement(
                    issue_id=issue_id,
                    story_id=placed["item"]["story_id"],
                    section=section["key"],
                    position=position,
                    form=placed["form"],
                    item=placed["item"],
                )
            )
    extras = {"blocks": _BLOCKS.dump_python(tuple(blocks), mode="json")}
    move(session, issue_id, ["planned"], "draft", spec=_SPEC.dump_python(spec, mode="json"), extras=extras)


def blocks_of(issue: Issue) -> tuple[Block, ...]:
    """The blocks as drafted; those of stories are filled from the placements."""
    return _BLOCKS.validate_python(issue.extras.get("blocks", []))


def placements(session: Session, issue_id: int) -> list[Placement]:
    """All placements of an issue, dropped ones included, by section and position."""
    query = select(Placement).where(Placement.issue_id == issue_id)
    return list(session.exec(query.order_by(Placement.section, col(Placement.position), col(Placement.id))))


def save_fragments(session: Session, issue_id: int, fragments: Iterable[Fragment]) -> None:
    """Freeze the fragments of an approved issue, in place of any earlier ones."""
    drop_fragments(session, issue_id)
    names = FragmentRow.model_fields.keys() - {"issue_id"}
    for fragment in fragments:
        session.add(FragmentRow(issue_id=issue_id, **{name: getattr(fragment, name) for name in names}))


def keep(session: Session, issue_id: int, name: str, value: Any) -> None:
    """Note something that belongs to an issue, such as the steps by which its stories were fitted in."""
    issue = get(session, issue_id)
    # A change within JSON is not saved: it takes a new value.
    issue.extras = {**issue.extras, name: value}
    session.add(issue)


def drop_fragments(session: Session, issue_id: int) -> None:
    """Forget the fragments and their manifest: the approval that they belonged to is void."""
    session.execute(delete(ManifestRow).where(col(ManifestRow.issue_id) == issue_id))
    session.execute(delete(FragmentRow).where(col(FragmentRow.issue_id) == issue_id))


def fragments(session: Session, issue_id: int) -> tuple[Fragment, ...]:
    """The frozen fragments in order; empty if the issue is not approved."""
    rows = session.exec(select(FragmentRow).where(FragmentRow.issue_id == issue_id).order_by(col(FragmentRow.position)))
    names = FragmentRow.model_fields.keys() - {"issue_id"}
    return tuple(Fragment(**{name: getattr(row, name) for name in names}) for row in rows)


def _one(result: Any) -> bool:
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
