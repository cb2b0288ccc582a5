"""What one set of choices gets of an issue."""

from collections.abc import Sequence

from digest.domain.audience import Due
from digest.domain.issue import LEAD, MORE, WEEK, Section, Selection, StoryItem, stories_of_the_week


def select(sections: Sequence[Section], due: Due, exclude: frozenset[int], min_stories: int) -> Selection:
    """What one choice gets of an issue; see :meth:`Offer.select`, which answers many of them in a fraction of the time."""
    return Offer(sections).select(due, exclude, min_stories)


class Offer:
    """The stories of an issue as readers choose among them.

    Each place that a story has in a section is one bit, so that what suits a choice is found for all places at once: an
    issue with a million readers is asked for thousands of choices.
    """

    def __init__(self, sections: Sequence[Section]) -> None:
        self._sections = sections
        self._by_topic: dict[str, int] = {}
        self._by_story: dict[int, int] = {}
        self._all = self._week = self._web = self._stepped_down = 0
        self._leads: list[tuple[int, StoryItem]] = []
        self._places: list[tuple[str, int | None, list[tuple[int, int]]]] = []
        of_the_week = stories_of_the_week(sections)
        bit = 1
        for section in sections:
            places: list[tuple[int, int]] = []
            for placed in section.items:
                item = placed.item
                self._all |= bit
                self._by_story[item.story_id] = self._by_story.get(item.story_id, 0) | bit
                for topic in set(item.topics):
                    self._by_topic[topic] = self._by_topic.get(topic, 0) | bit
                if item.story_id in of_the_week:
                    self._week |= bit
                if placed.form == "web" and section.key != MORE:
                    self._stepped_down |= bit
                if section.key == LEAD:
                    self._leads.append((bit, item))
                elif placed.form != "web":
                    places.append((bit, item.story_id))
                bit <<= 1
            if places:
                self._places.append((section.key, section.most or None, places))

    def select(self, due: Due, exclude: frozenset[int], min_stories: int) -> Selection:
        """The reader's lead and the stories of each section that suit their topics.

        The lead is the best-ranked of the lead variants that match, by the week's ranks where everything comes weekly; it
        is left out of its section. Stories that earlier issues of the week carried are for topics that come weekly only.

        Args:
            due: the topics that this reader gets of the issue, and of the week.
            exclude: ids of stories that this reader was sent before.
            min_stories: with fewer stories there is no mail, and the selection says why.
        """
        suits = self._on(due.topics) & ~self._week
        if due.week is not None:
            suits |= self._on(due.week) & self._week
        for story in exclude:
            suits &= ~self._by_story.get(story, 0)

        def place(item: StoryItem) -> tuple[int, int]:
            return (item.week, item.rank) if due.whole_week else (0, item.rank)

        lead = min((item for bit, item in self._leads if suits & bit), key=place, default=None)
        lead_id = lead.story_id if lead else None
        beside = suits if lead is None else suits & ~self._by_story[lead.story_id]
        items = {
            key: chosen[:most]
            for key, most, places in self._places
            if (chosen := tuple([story for bit, story in places if beside & bit]))
        }
        selection = Selection(lead_id, items)
        # What stepped down to the issue's page for want of room is news for this reader all the same.
        there = self._stepped_down & suits
        stories = selection.stories
        found = len(
            stories.union(story for story, bits in self._by_story.items() if bits & there) if there else stories
        )
        if stories and found >= min_stories:
            return selection
        return Selection(reason=_reason(self._sections, due.topics, exclude, found, min_stories))

    def _on(self, topics: frozenset[str]) -> int:
        """The places of stories on any of these topics; none at all means everything."""
        if not topics:
            return self._all
        places = 0
        for topic in topics:
            places |= self._by_topic.get(topic, 0)
        return places


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
