"""What one reader gets of an issue: a cut, and the HTML and text that its fragments join to."""

import html as html_entities
from collections.abc import Iterable, Mapping, Sequence
from quopri import decodestring

from digest.domain.issue import LEAD, WEEK, IssueDocument, Selection
from digest.domain.mail import Cut, Fragment
from digest.render import quoted


def cut_for(fragments: Sequence[Fragment], selection: Selection) -> Cut:
    """The cut of a selection: shell and blocks, the chosen items, and headings and closings around them only."""
    return Cutter(fragments).cut_for(selection)


class Cutter:
    """The fragments of an issue by what chooses them, for many selections."""

    def __init__(self, fragments: Iterable[Fragment]) -> None:
        self._always = 0
        self._around: dict[str, int] = {}
        self._items: dict[str, dict[int | None, int]] = {}
        for fragment in fragments:
            bit, group = 1 << fragment.position, fragment.group
            if fragment.role in ("shell", "block"):
                self._always |= bit
            elif fragment.role in ("heading", "closing"):
                self._around[group] = self._around.get(group, 0) | bit
            elif fragment.role == "item":
                items = self._items.setdefault(group, {})
                items[fragment.story_id] = items.get(fragment.story_id, 0) | bit

    def cut_for(self, selection: Selection) -> Cut:
        """What :func:`cut_for` returns."""
        bits = self._always
        leads = () if selection.lead is None else (selection.lead,)
        for group, stories in (*selection.items.items(), (LEAD, leads)):
            if items := self._items.get(group):
                chosen = 0
                for story in stories:
                    chosen |= items.get(story, 0)
                if chosen:
                    bits |= chosen | self._around.get(group, 0)
        return Cut(bits)


def selection_all(document: IssueDocument) -> Selection:
    """The whole issue as somebody who chose nothing gets it on its day: the first lead variant, everything else once."""
    lead: int | None = None
    blocks = [block for block in document.blocks if block.type != WEEK]
    sections = [block.section for block in blocks if block.section is not None and block.section.items]
    for section in sections:
        if section.key == LEAD:
            today = [placed.item for placed in section.items if placed.item.carried_on is None]
            lead = min(today, key=lambda item: item.rank).story_id if today else None
    items = {
        section.key: tuple(
            placed.item.story_id for placed in section.items if placed.item.story_id != lead and placed.form != "web"
        )
        for section in sections
        if section.key != LEAD
    }
    return Selection(lead=lead, items={key: stories for key, stories in items.items() if stories})


def whole(fragments: Sequence[Fragment]) -> Cut:
    """The cut of :func:`selection_all` from fragments alone: lead variants are taken to stand best first."""
    week = {fragment.story_id for fragment in fragments if fragment.group == WEEK}
    leads = (fragment for fragment in fragments if fragment.role == "item" and fragment.group == LEAD)
    first = next((fragment for fragment in leads if fragment.story_id not in week), None)
    lead = first.story_id if first else None
    groups: dict[str, tuple[int, ...]] = {}
    for fragment in fragments:
        if fragment.role == "item" and fragment.group not in (LEAD, WEEK) and fragment.story_id not in (None, lead):
            groups[fragment.group] = (*groups.get(fragment.group, ()), fragment.story_id)
    return cut_for(fragments, Selection(lead=lead, items=groups))


def on_the_web(fragments: Sequence[Fragment], most: int = 0) -> Cut:
    """What the issue's page shows: the whole mail, the stories that did not fit into it, and the best of the week.

    Args:
        most: stories of the week; 0 for all that there are.
    """
    week = [fragment for fragment in fragments if fragment.group == WEEK]
    shown = [f for f in week if f.role == "item"][: most or None]
    frame = [f for f in week if f.role != "item"] if shown else []
    web = [f for f in fragments if f.role == "web"]
    return Cut(whole(fragments).bits | Cut.of(f.position for f in (*web, *shown, *frame)).bits)


def in_cut(fragments: Iterable[Fragment], cut: Cut) -> list[Fragment]:
    """The fragments of the cut in the order of the mail."""
    return [fragment for fragment in fragments if fragment.position in cut]


def top_of(fragments: Iterable[Fragment], cut: Cut) -> Fragment | None:
    """The cut's own top story: its lead, else its first item; None if it has no item."""
    items = [fragment for fragment in in_cut(fragments, cut) if fragment.role == "item"]
    leads = [fragment for fragment in items if fragment.group == LEAD]
    return next(iter(leads or items), None)


def html_of(fragments: Iterable[Fragment], cut: Cut, tokens: Mapping[str, str]) -> str:
    """The HTML of a cut as the reader's client decodes it.

    Args:
        tokens: value of each token (PREHEADER, UNSUBSCRIBE, PREFERENCES, ADDRESS), as plain text.

    Raises:
        RenderError: a token without a value.
    """
    body = b"".join(fragment.html for fragment in in_cut(fragments, cut))
    return decodestring(quoted.fill(body, tokens, html_entities.escape)).decode().replace("\r\n", "\n")


def text_of(fragments: Iterable[Fragment], cut: Cut, tokens: Mapping[str, str]) -> str:
    """The text part of a cut as the reader's client decodes it. Raises as :func:`html_of` does."""
    body = b"".join(fragment.text for fragment in in_cut(fragments, cut))
    return decodestring(quoted.fill(body, tokens)).decode().replace("\r\n", "\n")
