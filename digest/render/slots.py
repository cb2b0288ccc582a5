"""The slots of an issue: which fragments it has, in which order, before any of them is rendered."""

from dataclasses import dataclass, replace

from digest.domain.issue import Block, IssueDocument, PlacedItem, StoryItem
from digest.domain.mail import FragmentRole
from digest.errors import RenderError

OPEN = "shell/open"
CLOSE = "shell/close"


@dataclass(frozen=True, slots=True)
class Slot:
    """A fragment to be. See ``Fragment`` for the meaning of the fields."""

    key: str
    role: FragmentRole
    group: str = ""
    item: StoryItem | None = None
    form: str = ""


def heading(group: str) -> str:
    """Key of the fragment that opens a group of items."""
    return f"{group}/heading"


def item(group: str, story_id: int) -> str:
    """Key of the fragment that shows a story in a group."""
    return f"{group}/item:{story_id}"


def closing(group: str) -> str:
    """Key of the fragment that closes a group of items."""
    return f"{group}/closing"


def web_items(document: IssueDocument) -> tuple[tuple[str, PlacedItem], ...]:
    """The stories that are on the issue's page only, each with the title of the section that it belongs to."""
    return tuple(
        (block.section.title or block.title if block.type == "section" else "", placed)
        for block in document.blocks
        if block.section is not None
        for placed in block.section.items
        if placed.form == "web"
    )


def in_mail(document: IssueDocument) -> IssueDocument:
    """The document as the mail shows it: without the stories that are on the issue's page only."""
    return replace(document, blocks=tuple(_in_mail(block) for block in document.blocks))


def _in_mail(block: Block) -> Block:
    if block.type != "section" or block.section is None:
        return block
    items = tuple(placed for placed in block.section.items if placed.form != "web")
    return replace(block, section=replace(block.section, items=items))


def plan(document: IssueDocument) -> tuple[Slot, ...]:
    """The slots of the document in the order of the mail. A block of stories without stories has none.

    The block ``more`` surrounds, with two pieces of its own, the stories that are on the issue's page only.

    Raises:
        RenderError: two blocks, or two items of a block, with one key.
    """
    slots = [Slot(OPEN, "shell")]
    web = web_items(document)
    for block in in_mail(document).blocks:
        if block.type == "more":
            slots.append(Slot(heading(block.key), "block", block.key))
            slots += [
                Slot(item(block.key, placed.item.story_id), "web", block.key, placed.item, "web") for _, placed in web
            ]
            slots.append(Slot(closing(block.key), "block", block.key))
        elif block.section is None:
            if block.type not in ("lead", "section"):
                slots.append(Slot(block.key, "block", block.key))
        elif block.section.items:
            group = block.section.key
            slots.append(Slot(heading(group), "heading", group))
            slots += [
                Slot(item(group, placed.item.story_id), "item", group, placed.item, placed.form)
                for placed in block.section.items
            ]
            slots.append(Slot(closing(group), "closing", group))
    slots.append(Slot(CLOSE, "shell"))
    seen: set[str] = set()
    for slot in slots:
        if slot.key in seen:
            raise RenderError(f"the issue holds {slot.key!r} twice: give each block its own key, show a story once")
        seen.add(slot.key)
    return tuple(slots)
