"""Lay ranked stories out in the sections of a newsletter.

A story stands once in an issue: in the section of its strongest topic that has room. No outlet leads more than half
of a section while others have something to say. Sections that stay below their minimum are dropped, and what they
held may find room elsewhere.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from digest.curation.items import item_of
from digest.curation.leads import lead_section
from digest.domain.content import Story, TopicProfile
from digest.domain.issue import Form, PlacedItem, Section, StoryItem
from digest.domain.newsroom import BlockSpec


def compose(
    ranked: Sequence[Story], blocks: Sequence[BlockSpec], topics: Sequence[TopicProfile]
) -> tuple[Section, ...]:
    """The lead and the topic sections of an issue, in the order of ``blocks``.

    Args:
        ranked: stories best first, each with its ``story_id``.
        blocks: the newsletter's layout; of two sections for one topic the first counts.
        topics: those on offer. Stories that have none of them stay out, unless none is on offer at all.
    """
    offered = {topic.slug: topic.name for topic in topics}
    suitable = [story for story in ranked if not offered or any(label.topic in offered for label in story.topics)]
    specs = _sections_of(blocks)
    placed = _placed(suitable, specs)
    while short := next((topic for topic, spec in specs.items() if len(placed[topic]) < max(1, spec.min)), None):
        del specs[short]
        placed = _placed(suitable, specs)
    shown = {index for indices in placed.values() for index in indices} | _tops(suitable, offered)
    items = {index: item_of(suitable[index], index, suitable, offered) for index in sorted(shown)}
    sections: list[Section] = []
    for block in blocks:
        if block.type == "lead":
            lead = lead_section(list(items.values()), list(offered))
            sections += [replace(lead, title=block.title)] if lead.items else []
        elif block.type == "section" and specs.get(block.topic) is block:
            sections.append(_section(block, [items[index] for index in placed[block.topic]], offered))
    return tuple(sections)


def _sections_of(blocks: Sequence[BlockSpec]) -> dict[str, BlockSpec]:
    specs: dict[str, BlockSpec] = {}
    for block in blocks:
        if block.type == "section" and block.topic:
            specs.setdefault(block.topic, block)
    return specs


def _tops(stories: Sequence[Story], topics: Iterable[str]) -> set[int]:
    """The positions of the top story overall and of every topic's top story."""
    tops = {0} if stories else set()
    for topic in topics:
        tops.update([i for i, story in enumerate(stories) if any(label.topic == topic for label in story.topics)][:1])
    return tops


def _placed(stories: Sequence[Story], specs: dict[str, BlockSpec]) -> dict[str, list[int]]:
    """The positions of the stories of every section, best first."""
    placed: dict[str, list[int]] = {topic: [] for topic in specs}
    outlets: dict[str, Counter[str]] = {topic: Counter() for topic in specs}

    def place(index: int, *, capped: bool) -> bool:
        story = stories[index]
        for label in story.topics:
            spec = specs.get(label.topic)
            if spec is None or len(placed[label.topic]) >= spec.max:
                continue
            if capped and outlets[label.topic][story.lead.source] >= max(1, spec.max // 2):
                continue
            placed[label.topic].append(index)
            outlets[label.topic][story.lead.source] += 1
            return True
        return False

    # Those that the cap turned away come back where nobody else filled the room.
    turned_away = [index for index in range(len(stories)) if not place(index, capped=True)]
    for index in turned_away:
        place(index, capped=False)
    return {topic: sorted(indices) for topic, indices in placed.items()}


def _section(block: BlockSpec, items: Sequence[StoryItem], names: dict[str, str]) -> Section:
    forms: list[Form] = ["card" if index < block.cards else "brief" for index in range(len(items))]
    return Section(
        key=f"section:{block.topic}",
        title=block.title or names.get(block.topic, ""),
        topic=block.topic,
        items=tuple(PlacedItem(item, form) for item, form in zip(items, forms, strict=True)),
        min=block.min,
    )
