"""Which stories can be somebody's top story: those are rendered in the lead form too."""

from collections.abc import Sequence

from digest.domain.issue import PlacedItem, Section, StoryItem


def lead_section(items: Sequence[StoryItem], topics: Sequence[str]) -> Section:
    """The variants of the lead: the top story overall and the top story of every topic on offer.

    Whatever topics a reader chooses, the best story among theirs is one of these: the top story of a union of
    topics is the top story of one of them.

    Args:
        items: all stories of the issue, best first.
        topics: slugs on offer.
    """
    tops = [items[0]] if items else []
    for topic in topics:
        top = next((item for item in items if topic in item.topics), None)
        if top is not None and top not in tops:
            tops.append(top)
    tops.sort(key=lambda item: item.rank)
    return Section(key="lead", title="", items=tuple(PlacedItem(item, "lead") for item in tops))
