"""From an issue's rows to the value that is rendered: the draft with everything that editors did to it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from pydantic import TypeAdapter
from sqlmodel import Session

from digest.curation.compose import forms_of
from digest.curation.leads import lead_section
from digest.curation.week import forms_of_week
from digest.domain.issue import MORE, WEEK, Block, IssueDocument, PlacedItem, Section, StoryItem
from digest.domain.newsroom import BlockSpec, NewsletterSpec
from digest.store import issues
from digest.store.newsroom import topics as all_topics
from digest.store.tables import Placement
from digest.workflows import writing
from digest.workflows.blocks import day_of
from digest.workflows.context import Context
from digest.workflows.draft import offered
from digest.workflows.week import layout_of

_ITEM = TypeAdapter(StoryItem)


def document_of(session: Session, issue_id: int, ctx: Context) -> IssueDocument:
    """The issue as it would be sent now.

    Pinned stories stand before all others, dropped ones are gone, retitled ones bear their new words; lead
    variants, ranks and forms follow from that order, so that they are right after every edit.

    Raises:
        NotFound: no such issue.
    """
    issue = issues.get(session, issue_id)
    spec = issues.spec_of(issue) if issue.spec else issues.newsletter(session, issues.slug_of(session, issue))[1]
    rows = [row for row in issues.placements(session, issue_id) if not row.dropped]
    items = _ranked(rows, day_of(spec, issue.due_at))
    topics = {topic.slug: topic.name for topic in offered(spec, all_topics(session))}
    blocks = tuple(
        filled
        for block in writing.blocks_of(issue, spec)
        if (filled := _with_stories(block, spec, rows, items, topics)) is not None
    )
    return IssueDocument(
        issue_id=issue_id,
        number=issue.number,
        day=day_of(spec, issue.due_at),
        newsletter=spec.slug,
        name=spec.name,
        tagline=spec.tagline,
        host=spec.host,
        cadence=spec.cadence,
        from_address=spec.from_address,
        postal_address=spec.postal_address,
        public_url=ctx.public_url,
        mark=spec.mark,
        subject=spec.subject,
        preheader=spec.preheader,
        title=spec.title,
        locale=spec.locale,
        share=spec.share,
        unsubscribe_by_mail=spec.unsubscribe_by_mail,
        theme=spec.theme,
        blocks=blocks,
    )


def _ranked(rows: Sequence[Placement], day: date) -> dict[int, StoryItem]:
    """Each story once, best first, with the editor's words and the rank that it has now.

    What stands in the section of the week comes behind all that everybody gets, and is ranked among it for the week.
    """
    merged: dict[int, StoryItem] = {}
    pinned: set[int] = set()
    of_the_week = {row.story_id for row in rows if row.section == WEEK}
    for row in rows:
        item = _ITEM.validate_python(row.item)
        item = replace(item, headline=row.headline or item.headline, dek=row.dek if row.dek is not None else item.dek)
        earlier = merged.get(row.story_id)
        if earlier is not None:
            item = replace(item, image=item.image or earlier.image, thumb=item.thumb or earlier.thumb)
        carried_on = (item.carried_on or day) if row.story_id in of_the_week else None
        merged[row.story_id] = replace(item, carried_on=carried_on)
        if row.pinned:
            pinned.add(row.story_id)

    def place(item: StoryItem, rank: int) -> tuple[bool, int, int]:
        return item.story_id not in pinned, rank, item.story_id

    # The order of the week has places only for what was ranked when the week was looked at.
    week = sorted((item for item in merged.values() if item.week), key=lambda item: place(item, item.week))
    places = {item.story_id: number for number, item in enumerate(week, start=1)} if of_the_week else {}
    order = sorted(merged.values(), key=lambda item: (item.story_id in of_the_week, *place(item, item.rank)))
    return {
        item.story_id: replace(item, rank=rank, week=places.get(item.story_id, 0))
        for rank, item in enumerate(order, start=1)
    }


def _with_stories(
    block: Block,
    spec: NewsletterSpec,
    rows: Sequence[Placement],
    items: dict[int, StoryItem],
    topics: Mapping[str, str],
) -> Block | None:
    if block.type == "lead":
        section = lead_section(list(items.values()), list(topics))
        return replace(block, section=section) if section.items else None
    if block.type not in ("section", WEEK, MORE):
        return block
    placed = sorted((row for row in rows if row.section == block.key), key=lambda row: (not row.pinned, row.position))
    if block.type == MORE:
        web = tuple(PlacedItem(items[row.story_id], "web") for row in placed)
        return replace(block, section=Section(MORE, block.title, items=web) if web else None)
    if block.type == WEEK:
        return _with_week(block, layout_of(spec), [items[row.story_id] for row in placed])
    layout = _layout(spec, block)
    if len(placed) < layout.min:
        return None
    forms = forms_of(layout, len(placed))
    section = Section(
        key=block.key,
        title=block.title or topics.get(layout.topic, "") or layout.sources[0],
        topic=layout.topic,
        items=tuple(PlacedItem(items[row.story_id], form) for row, form in zip(placed, forms, strict=True)),
        min=layout.min,
    )
    return replace(block, section=section)


def _with_week(block: Block, layout: BlockSpec, items: Sequence[StoryItem]) -> Block | None:
    if not items:
        return None
    placed = tuple(PlacedItem(i, form) for i, form in zip(items, forms_of_week(items, layout.cards), strict=True))
    return replace(block, section=Section(WEEK, block.title, items=placed, most=layout.max))


def _layout(spec: NewsletterSpec, block: Block) -> BlockSpec:
    return next(layout for layout in spec.blocks if layout.type == "section" and layout.section_key == block.key)
