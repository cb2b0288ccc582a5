"""The byte budget: stories step down until the largest mail that anyone can get stays below what Gmail shows whole.

Worst-ranked first, a card becomes a brief, then a brief one line, then a line leaves the mail for the issue's page.
The best stories of the issue and the first of each section go through the same only when nothing else is left. Sizes are those of the finished
bytes, and fragments don't depend on their neighbours, so the sum is right without rendering every combination.

For the best of the week nothing of the day is made smaller: who gets it has fewer of the day's stories where both have no
room. Only if it has no room beside the blocks that nobody chooses its stories become briefs, then lines, then fewer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from quopri import decodestring

from digest.domain.issue import LEAD, MORE, WEEK, Block, Form, IssueDocument, PlacedItem, Section, Selection
from digest.domain.mail import Fragment
from digest.render.cut import cut_for, in_cut

LIMIT = 102_400
"""Bytes of decoded HTML after which Gmail shows a mail cut off."""
RESERVE = 2_400
"""Bytes kept free for what differs from reader to reader: preheader, address, links."""
BEST = 10
"""Stories that step down last, with the first of each section."""
STAGES: tuple[tuple[frozenset[Form], Form], ...] = (
    (frozenset({"card", "related", "lead"}), "brief"),
    (frozenset({"brief"}), "line"),
    (frozenset({"line"}), "web"),
)

Place = tuple[str, int]
"""Key of a section and id of a story in it."""
Sizes = Mapping[Form, Mapping[Place, int]]
"""Bytes of HTML of each story in each form."""


@dataclass(frozen=True, slots=True)
class Step:
    """A story that was made smaller. ``section`` is the key of the section in which it stands."""

    story_id: int
    section: str
    headline: str
    before: Form
    after: Form

    def __str__(self) -> str:
        return f"“{self.headline}” steps down from {WORDS[self.before]} to {WORDS[self.after]}"


WORDS: Mapping[Form, str] = {
    "lead": "lead", "related": "card with picture", "card": "card", "brief": "brief", "line": "one line",
    "web": "the page on the web",
}  # fmt: skip


def size(fragment: Fragment) -> int:
    """Bytes of a fragment's HTML as the reader's client decodes it; tokens count as they are written."""
    return len(decodestring(fragment.html))


def largest(fragments: Iterable[Fragment]) -> int:
    """Bytes that no cut of these fragments exceeds: all of them with the longest variant of the lead.

    The week's stories do not count: who gets them has room made for them (``within``).
    """
    total, leads = 0, [0]
    for fragment in fragments:
        if fragment.role == "item" and fragment.group == LEAD:
            leads.append(size(fragment))
        elif fragment.role != "web" and fragment.group != WEEK:
            total += size(fragment)
    return total + max(leads)


def least_with_week(fragments: Iterable[Fragment], most: int) -> int:
    """Bytes that no mail with the best of the week exceeds that has nothing of the day but the lead.

    Args:
        most: stories of the week that one reader gets; 0 for all.
    """
    total, leads, week = 0, [0], list[int]()
    for fragment in fragments:
        if fragment.role == "item":
            if fragment.group in (LEAD, WEEK):
                (leads if fragment.group == LEAD else week).append(size(fragment))
        elif fragment.role != "web":
            total += size(fragment)
    return total + max(leads) + sum(sorted(week, reverse=True)[: most or None])


def within(
    fragments: Sequence[Fragment], sections: Iterable[Section], selection: Selection, sizes: Mapping[int, int]
) -> Selection:
    """The selection of who gets the best of the week, without the worst-ranked stories of the day that have no room.

    Args:
        sizes: bytes of every fragment, by position.
    """
    excess = sum(sizes[fragment.position] for fragment in in_cut(fragments, cut_for(fragments, selection)))
    excess -= LIMIT - RESERVE
    if excess <= 0:
        return selection
    ranks = {placed.item.story_id: placed.item.rank for section in sections for placed in section.items}
    items = dict(selection.items)
    places = {(f.group, f.story_id): sizes[f.position] for f in fragments if f.role == "item"}
    day = [(key, story) for key, stories in items.items() if key != WEEK for story in stories]
    for key, story in sorted(day, key=lambda place: -ranks[place[1]]):
        if excess <= 0:
            break
        excess -= places[key, story]
        items[key] = tuple(other for other in items[key] if other != story)
    return replace(selection, items={key: stories for key, stories in items.items() if stories})


def without_week(document: IssueDocument) -> IssueDocument:
    """The document as those see it who get each issue."""
    blocks = []
    for block in document.blocks:
        if block.type == "lead" and block.section is not None:
            items = tuple(placed for placed in block.section.items if placed.item.carried_on is None)
            blocks.append(replace(block, section=replace(block.section, items=items)))
        elif block.type != WEEK:
            blocks.append(block)
    return replace(document, blocks=tuple(blocks))


def week_of(document: IssueDocument) -> Section | None:
    """The best of the week, if the document holds it."""
    return next((block.section for block in document.blocks if block.type == WEEK), None)


def with_week(document: IssueDocument, week: Section) -> IssueDocument:
    """The document with another section of the week in place of its own."""
    return replace(
        document,
        blocks=tuple(replace(block, section=week) if block.type == WEEK else block for block in document.blocks),
    )


def smaller_weeks(week: Section) -> Iterator[Section]:
    """The section in ever smaller forms: as briefs, as lines, then with fewer of them for one reader."""
    forms: tuple[Form, ...] = ("brief", "line")
    for form in forms:
        items = tuple(PlacedItem(p.item, p.form if p.form == "line" else form) for p in week.items)
        if items != week.items:
            week = replace(week, items=items)
            yield week
    for most in range((week.most or len(week.items)) - 1, 0, -1):
        yield replace(week, most=most)


def step_down(sections: Sequence[Section], sizes: Sizes, excess: int) -> tuple[tuple[Step, ...], int]:
    """The steps, in their order, that save at least ``excess`` bytes, or all there are; and the bytes that they save.

    Args:
        sections: those of topics, in layout order; leads don't step down.
        sizes: bytes of every story in the forms ``brief`` and ``line``, and in the form it has now.
    """
    placed = {(section.key, entry.item.story_id): entry for section in sections for entry in section.items}
    worst_first = sorted(placed, key=lambda place: (-placed[place].item.rank, -place[1], place[0]))
    last = {(section.key, section.items[0].item.story_id) for section in sections if section.items}
    last.update(worst_first[-BEST:])
    forms: dict[Place, Form] = {place: entry.form for place, entry in placed.items()}
    steps: list[Step] = []
    saved = 0
    for protected in (False, True):
        for before, after in STAGES:
            for place in worst_first:
                if saved >= excess:
                    return tuple(steps), saved
                now = forms[place]
                if now not in before or (place in last) is not protected:
                    continue
                steps.append(Step(place[1], place[0], placed[place].item.headline, now, after))
                forms[place] = after
                saved += sizes[now][place] - (sizes[after][place] if after != "web" else 0)
    return tuple(steps), saved


def stepped(document: IssueDocument, steps: Sequence[Step]) -> IssueDocument:
    """The document after these steps. A block that leads to the issue's page is added where the layout has none."""
    forms: dict[Place, Form] = {(step.section, step.story_id): step.after for step in steps}
    blocks = [_stepped(block, forms) if block.type == "section" else block for block in document.blocks]
    if "web" in forms.values() and not any(block.type == "more" for block in blocks):
        footer = next((i for i, block in enumerate(blocks) if block.type == "footer"), len(blocks))
        blocks.insert(footer, Block(key=MORE, type="more"))
    return replace(document, blocks=tuple(blocks))


def in_form(document: IssueDocument, form: Form) -> IssueDocument:
    """The document with all stories of its topic sections in one form, to learn their sizes."""
    forms: dict[Place, Form] = {
        (section.key, placed.item.story_id): form for section in topical(document) for placed in section.items
    }
    blocks = [_stepped(block, forms) if block.type == "section" else block for block in document.blocks]
    return replace(document, blocks=tuple(blocks))


def topical(document: IssueDocument) -> tuple[Section, ...]:
    """The sections whose stories step down."""
    return tuple(block.section for block in document.blocks if block.type == "section" and block.section is not None)


def _stepped(block: Block, forms: Mapping[Place, Form]) -> Block:
    section = block.section
    if section is None:
        return block
    items = tuple(PlacedItem(p.item, forms.get((section.key, p.item.story_id), p.form)) for p in section.items)
    return replace(block, section=replace(section, items=items))
