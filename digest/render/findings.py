"""What preflight looks at and what it says."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from digest.domain.content import Image
from digest.domain.issue import LEAD, WEEK, IssueDocument, StoryItem
from digest.domain.mail import Fragment
from digest.render import clean

Level = Literal["error", "warning"]

_MARKDOWN_URL = re.compile(r"(?:\]\(\s*<?|<(?=https?:))([^)\s>]+)")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        id: stable name of the check, such as ``links-https``.
        where: the block, item or field.
    """

    id: str
    level: Level
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class World:
    """What the issue alone does not say; whoever runs preflight may ask around for it.

    Attributes:
        now: the time at which it is asked.
        files: bytes of each hosted picture that is there, by its address; None if nobody looked.
        unreachable: why a link does not answer, by address; empty if all do, or nobody looked them up.
        sent_before: the number that carried a story already, by the story's id.
        cuts: how many readers there are for each distinct cut, as bits; empty if nobody counted.
    """

    now: datetime | None = None
    files: Mapping[str, int] | None = None
    unreachable: Mapping[str, str] = field(default_factory=dict)
    sent_before: Mapping[int, str] = field(default_factory=dict)
    cuts: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """An issue under the eyes of the checks."""

    document: IssueDocument
    fragments: Sequence[Fragment]
    world: World = field(default_factory=World)

    @property
    def items(self) -> Iterator[tuple[str, StoryItem]]:
        """Every placed story with where it stands."""
        for block in self.document.blocks:
            if block.section is not None:
                for placed in block.section.items:
                    yield f"{block.section.key}: {clean.clip(placed.item.headline, 60)}", placed.item

    @property
    def images(self) -> Iterator[tuple[str, Image]]:
        for where, item in self.items:
            if item.image is not None and where.startswith(LEAD):
                yield where, item.image
        for where, item in self.items:
            if item.thumb is not None and not where.startswith(LEAD):
                yield where, item.thumb
        for block in self.document.blocks:
            if block.image is not None:
                yield block.key, block.image
            for card in block.research:
                if card.image is not None:
                    yield f"{block.key}: {card.title}", card.image
            for symbol, chart in block.charts.items():
                yield f"{block.key}: {symbol}", chart
            for figure in block.figures:
                yield f"{block.key}: {figure.title}", figure.image

    @property
    def links(self) -> Iterator[tuple[str, str]]:
        """Every link that readers can follow, with where it stands."""
        for where, item in self.items:
            yield where, item.url
            for other in item.also[:3]:
                yield where, other.url
        for block in self.document.blocks:
            for card in block.research:
                yield f"{block.key}: {card.title}", card.url
            for event in block.events:
                if event.url:
                    yield f"{block.key}: {event.name}", event.url
            for entry in block.links:
                yield f"{block.key}: {entry.title}", entry.url
            if block.sponsor is not None:
                yield block.key, block.sponsor.url
            bodies = (block.body, *(q.answer for q in block.questions), *(f.comment for f in block.figures))
            for body in bodies:
                for match in _MARKDOWN_URL.finditer(body):
                    yield block.key, match[1]
        yield "public_url", self.document.public_url

    @property
    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text that an editor or a source wrote, with where it stands."""
        for where, item in self.items:
            for text in (item.headline, item.dek, item.kicker):
                yield where, text
        for block in self.document.blocks:
            yield block.key, block.title
            yield block.key, block.body
            for figure in block.figures:
                yield block.key, f"{figure.title}\n{figure.comment}"
            for question in block.questions:
                yield block.key, f"{question.question}\n{question.answer}"
            for card in block.research:
                yield block.key, f"{card.title}\n{card.summary}"
            for event in block.events:
                yield block.key, f"{event.name}\n{event.blurb}"
            for entry in block.links:
                yield block.key, entry.title
            if block.sponsor is not None:
                yield block.key, f"{block.sponsor.advertiser}\n{block.sponsor.text}"
            if block.epigraph is not None:
                yield block.key, block.epigraph.text


def level_of(where: str) -> Level:
    """How bad a fault is at that place: what a source wrote is never an error, an editor's words may be."""
    return "warning" if where.startswith((f"{LEAD}: ", f"{WEEK}: ", "section:")) else "error"
