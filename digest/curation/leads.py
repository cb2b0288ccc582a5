"""Which stories can be somebody's top story: those are rendered in the lead form too."""

from collections.abc import Iterator, Sequence
from itertools import islice

from digest.domain.issue import PlacedItem, Section, StoryItem

DEPTH = 2
"""How many stories can lead for the same choice of topics."""


def lead_section(items: Sequence[StoryItem], topics: Sequence[str]) -> Section:
    """The variants of the lead: the top stories overall and of every topic on offer, two of each.

    Whatever topics a reader chooses, the best story among theirs is one of these: the top story of a union of
    topics is the top story of one of them. The second ones lead for readers who were sent the first before.

    Whoever gets a whole week at once has their lead by the week's ranks; those stories are variants too.

    Args:
        items: all stories of the issue, best first.
        topics: slugs on offer.
    """
    today = [item for item in items if item.carried_on is None]
    week = sorted((item for item in items if item.week), key=lambda item: item.week)
    tops = sorted({*_tops_of(today, topics), *_tops_of(week, topics)}, key=lambda item: item.rank)
    return Section(key="lead", title="", items=tuple(PlacedItem(item, "lead") for item in tops))


def _tops_of(items: Sequence[StoryItem], topics: Sequence[str]) -> Iterator[StoryItem]:
    """The best of ``items``, which stand best first, and the best of them of each topic."""
    yield from items[:DEPTH]
    for topic in topics:
        yield from islice((item for item in items if topic in item.topics), DEPTH)
