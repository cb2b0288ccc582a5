"""Lay ranked stories out in the sections of a newsletter.

A story stands once in an issue: in the section of its strongest topic that has room. No outlet leads more than half
of a section while others have something to say. Sections that stay below their minimum are dropped, and what they
held may find room elsewhere; what finds none stands on the issue's page, where the layout has a block ``more``.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from digest.curation.items import item_of
from digest.curation.leads import lead_section
from digest.domain.content import Story, TopicProfile
from digest.domain.issue import MORE, Form, PlacedItem, Section, StoryItem
from digest.domain.newsroom import BlockSpec


def compose(
    ranked: Sequence[Story], blocks: Sequence[BlockSpec], topics: Sequence[TopicProfile]
) -> tuple[Section, ...]:
    """The lead and the topic sections of an issue, in the order of ``blocks``.

    Args:
        ranked: stories best first, each with its ``story_id``.
        blocks: the newsletter's layout; of two sections for one topic the first counts.
        topics: those on offer. Stories that have none of them stay out, unless none is on offer at all, or a section
            asks for their outlet.
    """
    offered = {topic.slug: topic.name for topic in topics}
    suitable = suitable_for(ranked, blocks, topics)
    specs = _sections_of(blocks)
    placed = _placed(suitable, specs)
    while short := next((key for key, spec in specs.items() if len(placed[key]) < max(1, spec.min)), None):
        del specs[short]
        placed = _placed(suitable, specs)
    shown = {index for indices in placed.values() for index in indices}
    more = next((block for block in blocks if block.type == "more"), None)
    left = [index for index in range(len(suitable)) if index not in shown][: more.max if more else 0]
    shown |= {*left, *_tops(suitable, offered)}
    items = {index: item_of(suitable[index], index, suitable, offered) for index in sorted(shown)}
    sections: list[Section] = []
    for block in blocks:
        if block.type == "lead":
            lead = lead_section(list(items.values()), list(offered))
            sections += [replace(lead, title=block.title)] if lead.items else []
        elif block.type == "section" and specs.get(block.section_key) is block:
            sections.append(_section(block, [items[index] for index in placed[block.section_key]], offered))
        elif block is more and left:
            web = tuple(PlacedItem(items[index], "web") for index in left)
            sections.append(Section(MORE, block.title, items=web))
    return tuple(sections)


def suitable_for(ranked: Sequence[Story], blocks: Sequence[BlockSpec], topics: Sequence[TopicProfile]) -> list[Story]:
    """The stories that may stand in an issue: see ``compose`` for whom its topics and outlets let in."""
    offered = {topic.slug for topic in topics}
    outlets = {source for block in blocks for source in block.sources}
    return [
        story
        for story in ranked
        if not offered or story.lead.source in outlets or any(label.topic in offered for label in story.topics)
    ]


def _sections_of(blocks: Sequence[BlockSpec]) -> dict[str, BlockSpec]:
    specs: dict[str, BlockSpec] = {}
    for block in blocks:
        if block.type == "section" and (block.topic or block.sources):
            specs.setdefault(block.section_key, block)
    return specs


def _tops(stories: Sequence[Story], topics: Iterable[str]) -> set[int]:
    """The positions of the top story overall and of every topic's top story."""
    tops = {0} if stories else set()
    for topic in topics:
        tops.update([i for i, story in enumerate(stories) if any(label.topic == topic for label in story.topics)][:1])
    return tops


def _placed(stories: Sequence[Story], specs: dict[str, BlockSpec]) -> dict[str, list[int]]:
    """The positions of the stories of every section, best first."""
    placed: dict[str, list[int]] = {key: [] for key in specs}
    outlets: dict[str, Counter[str]] = {key: Counter() for key in specs}

    def place(index: int, *, capped: bool) -> bool:
        story = stories[index]
        for key in _homes(story, specs):
            spec = specs[key]
            if len(placed[key]) >= spec.max:
                continue
            # A section that asks for outlets takes as much of them as it has room for.
            if capped and not spec.sources and outlets[key][story.lead.source] >= max(1, spec.max // 2):
                continue
            placed[key].append(index)
            outlets[key][story.lead.source] += 1
            return True
        return False

    # Those that the cap turned away come back where nobody else filled the room.
    turned_away = [index for index in range(len(stories)) if not place(index, capped=True)]
    for index in turned_away:
        place(index, capped=False)
    return {key: sorted(indices) for key, indices in placed.items()}


def _homes(story: Story, specs: Mapping[str, BlockSpec]) -> Iterator[str]:
    """The sections that a story may stand in: those that ask for its outlet, then those of its topics, strongest first."""
    yield from (key for key, spec in specs.items() if story.lead.source in spec.sources)
    topics = {spec.topic: key for key, spec in specs.items() if spec.topic and not spec.sources}
    yield from (topics[label.topic] for label in story.topics if label.topic in topics)


def forms_of(block: BlockSpec, count: int) -> list[Form]:
    """The forms of a section's first ``count`` stories, before the byte budget makes any of them smaller."""
    card: Form = "related" if block.pictures else "card"
    return [card if index < block.cards else "brief" for index in range(count)]


def _section(block: BlockSpec, items: Sequence[StoryItem], names: dict[str, str]) -> Section:
    forms = forms_of(block, len(items))
    return Section(
        key=block.section_key,
        title=block.title or names.get(block.topic, ""),
        topic=block.topic,
        items=tuple(PlacedItem(item, form) for item, form in zip(items, forms, strict=True)),
        min=block.min,
    )
