"""What an issue carries for readers who get a week at once: the best of the week's earlier issues.

::

    is this the issue of its week, and does anybody get something weekly? → otherwise nothing is asked or rendered
    the week's earlier issues → their stories as they stood → ranked over seven days beside today's (curation.week)
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from pydantic import TypeAdapter
from sqlmodel import Session

from digest.curation.leads import lead_section
from digest.curation.week import best_of_week, forms_of_week
from digest.domain.issue import WEEK, Block, PlacedItem, Section, StoryItem
from digest.domain.newsroom import BlockSpec, NewsletterSpec
from digest.store import articles, deliveries, issues, placements
from digest.store.tables import Issue
from digest.workflows.blocks import day_of
from digest.workflows.context import Context
from digest.workflows.media import host_image
from digest.workflows.timetable import Timetable

USUAL = BlockSpec("week", max=8, cards=2)
"""The block of a layout that has none: it stands behind the lead."""

GOES_OUT = ("approved", "sending", "sent", "held")

_ITEM = TypeAdapter(StoryItem)


def layout_of(spec: NewsletterSpec) -> BlockSpec:
    """How the newsletter lays the week out."""
    return next((block for block in spec.blocks if block.type == "week"), USUAL)


def with_week(
    ctx: Context, issue_id: int, spec: NewsletterSpec, sections: Sequence[Section], topics: Mapping[str, str],
    picture: tuple[int, int],
) -> tuple[Section, ...]:  # fmt: skip
    """The sections of a draft, and behind them that of the week, if there is anything for it and anybody to read it.

    Args:
        topics: names of the topics on offer, by slug.
        picture: CSS pixels of a lead's picture.
    """
    with ctx.db.read() as session:
        row = issues.get(session, issue_id)
        if spec.cadence == "weekly" or not deliveries.any_weekly(session, row.newsletter_id):
            return tuple(sections)
        timetable = Timetable.of(session, row, spec, ctx.clock())
        earlier = _carried(session, row, timetable) if timetable.weekly_day else []
    today = {placed.item.story_id: placed.item for section in sections for placed in section.items}
    layout = layout_of(spec)
    ranks, best = best_of_week(
        list(today.values()), earlier, row.window_end, list(topics), most=layout.max, weights=spec.ranking
    )
    if not best:
        return tuple(sections)
    ranked = tuple(
        replace(
            section,
            items=tuple(replace(p, item=replace(p.item, week=ranks[p.item.story_id])) for p in section.items),
        )
        for section in sections
    )
    everything = [*(replace(item, week=ranks[story]) for story, item in today.items()), *best]
    leads = {placed.item.story_id for placed in lead_section(everything, list(topics)).items}
    best = tuple(_with_picture(ctx, item, picture) if item.story_id in leads else item for item in best)
    forms = forms_of_week(best, layout.cards)
    items = tuple(PlacedItem(item, form) for item, form in zip(best, forms, strict=True))
    return (*ranked, Section(WEEK, layout.title, items=items, most=layout.max))


def with_week_block(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks of an issue that carries a week, with one for it."""
    if any(block.key == WEEK for block in blocks):
        return tuple(blocks)
    after_lead = (n + 1 for n, block in enumerate(blocks) if block.type == "lead")
    before_news = (n for n, block in enumerate(blocks) if block.type in ("section", "more", "footer"))
    at = next(chain(after_lead, before_news), len(blocks))
    return (*blocks[:at], Block(key=WEEK, type="week"), *blocks[at:])


def _carried(session: Session, row: Issue, timetable: Timetable) -> list[StoryItem]:
    """The stories of the week's earlier issues, as readers saw them."""
    assert row.id is not None
    since = row.due_at - (timetable.day - timetable.week_began)
    near = deliveries.neighbours(session, row.id, row.newsletter_id, since.replace(hour=0, minute=0))
    days = {
        issue_id: day for issue_id, due, state in near
        if state in GOES_OUT and due < row.due_at
        and timetable.week_began < (day := day_of(timetable.spec, due)) <= timetable.day
    }  # fmt: skip
    found: dict[tuple[int, int], StoryItem] = {}
    for placed in placements.shown(session, days):
        item = _ITEM.validate_python(placed.item)
        before = found.get((placed.issue_id, placed.story_id))
        found[placed.issue_id, placed.story_id] = replace(
            item,
            headline=placed.headline or item.headline,
            dek=item.dek if placed.dek is None else placed.dek,
            image=item.image or (before.image if before else None),
            thumb=None,
            carried_on=days[placed.issue_id],
        )
    return list(found.values())


def _with_picture(ctx: Context, item: StoryItem, size: tuple[int, int]) -> StoryItem:
    """A story that may lead a week shows its picture, which the earlier issue hosted only where it led."""
    if item.image is not None:
        return item
    with ctx.db.read() as session:
        found = articles.picture_of(session, item.articles)
    return replace(item, image=host_image(ctx, found, *size)) if found else item
