"""The slots of an issue: which fragments it has, in which order, before any of them is rendered."""

from dataclasses import dataclass

from digest.domain.issue import IssueDocument, StoryItem
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


def plan(document: IssueDocument) -> tuple[Slot, ...]:
    """The slots of the document in the order of the mail. A block of stories without stories has none.

    Raises:
        RenderError: two blocks, or two items of a block, with one key.
    """
    slots = [Slot(OPEN, "shell")]
    for block in document.blocks:
        if block.section is None:
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
