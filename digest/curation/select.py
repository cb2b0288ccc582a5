"""What one set of choices gets of an issue."""

from collections.abc import Sequence

from digest.domain.audience import Due
from digest.domain.issue import MORE, WEEK, Section, Selection, StoryItem, stories_of_the_week


def select(sections: Sequence[Section], due: Due, exclude: frozenset[int], min_stories: int) -> Selection:
    """The reader's lead and the stories of each section that suit their topics.

    The lead is the best-ranked of the lead variants that match, by the week's ranks where everything comes weekly; it is
    left out of its section. Stories that earlier issues of the week carried are for topics that come weekly only.

    Args:
        due: the topics that this reader gets of the issue, and of the week.
        exclude: ids of stories that this reader was sent before.
        min_stories: with fewer stories there is no mail, and the selection says why.
    """
    of_the_week = stories_of_the_week(sections)

    def suits(item: StoryItem) -> bool:
        topics = due.week if item.story_id in of_the_week else due.topics
        return (
            item.story_id not in exclude and topics is not None and (not topics or not topics.isdisjoint(item.topics))
        )

    def place(item: StoryItem) -> tuple[int, int]:
        return (item.week, item.rank) if due.whole_week else (0, item.rank)

    variants = [placed.item for section in sections if section.key == "lead" for placed in section.items]
    lead = min(filter(suits, variants), key=place, default=None)
    lead_id = lead.story_id if lead else None
    items: dict[str, tuple[int, ...]] = {}
    for section in sections:
        chosen = tuple(
            p.item.story_id for p in section.items if suits(p.item) and p.item.story_id != lead_id and p.form != "web"
        )
        if chosen and section.key != "lead":
            items[section.key] = chosen[: section.most or None]
    selection = Selection(lead_id, items)
    # What stepped down to the issue's page for want of room is news for this reader all the same.
    there = {p.item.story_id for s in sections if s.key != MORE for p in s.items if p.form == "web" and suits(p.item)}
    found = len(selection.stories | there)
    if selection.stories and found >= min_stories:
        return selection
    return Selection(reason=_reason(sections, due.topics, exclude, found, min_stories))


def _reason(
    sections: Sequence[Section], topics: frozenset[str], exclude: frozenset[int], found: int, min_stories: int
) -> str:
    where = "in the chosen topics" if topics else "in this issue"
    if found:
        return f"only {found} {'story' if found == 1 else 'stories'} {where}, fewer than {min_stories}"
    matching = [
        placed.item.story_id
        for section in sections
        if section.key != WEEK
        for placed in section.items
        if placed.form != "web"
        if not topics or not topics.isdisjoint(placed.item.topics)
    ]
    return f"everything {where} was sent before" if exclude.intersection(matching) else f"nothing new {where}"
