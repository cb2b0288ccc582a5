"""Which stories can be somebody's top story: those are rendered in the lead form too."""

from collections.abc import Sequence

from digest.domain.issue import PlacedItem, Section, StoryItem

DEPTH = 2
"""How many stories can lead for the same choice of topics."""


def lead_section(items: Sequence[StoryItem], topics: Sequence[str]) -> Section:
    """The variants of the lead: the top stories overall and of every topic on offer, two of each.

    Whatever topics a reader chooses, the best story among theirs is one of these: the top story of a union of
    topics is the top story of one of them. The second ones lead for readers who were sent the first before.

    Args:
        items: all stories of the issue, best first.
        topics: slugs on offer.
    """
    tops = list(items[:DEPTH])
    for topic in topics:
        of_topic = [item for item in items if topic in item.topics][:DEPTH]
        tops.extend(item for item in of_topic if item not in tops)
    tops.sort(key=lambda item: item.rank)
    return Section(key="lead", title="", items=tuple(PlacedItem(item, "lead") for item in tops))
