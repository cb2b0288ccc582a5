"""What is written about: entries, candidates, topics, stories, scores. Values only."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Image:
    """A picture with what must be said about it.

    Attributes:
        url: absolute URL.
        alt: what it shows; empty only for decoration.
        credit: photographer or agency, "modified by" included, as the source words it.
        width, height: CSS pixels at which it is shown, 0 if unknown (files are twice that).
    """

    url: str
    alt: str = ""
    credit: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as a feed says it, cleaned of markup but not judged.

    Attributes:
        guid: the feed's own id, or "" if it gives none.
        url: absolute link to the article ("" if the item has none).
        title: plain text, one line.
        summary: plain text of the description or dek.
        content: plain text of the full content, paragraphs separated by blank lines; "" if absent.
        author: byline, several joined by ", ".
        published_at, updated_at: aware UTC, None if the feed gives none or gives nonsense.
        tags: categories as worded by the source.
        image: the item's picture, if it has one.
        language: BCP 47 tag, "" if unknown.
    """

    guid: str
    url: str
    title: str
    summary: str = ""
    content: str = ""
    author: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    tags: tuple[str, ...] = ()
    image: Image | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class TopicProfile:
    """How an article earns a topic. Plain data that editors write.

    Attributes:
        slug: stable key, ``[a-z0-9-]+``.
        name, description: for readers.
        include: words or phrases, matched as whole words without case; ``"rate cut"`` is a phrase.
        exclude: words or phrases that take the topic away again.
        tags: source tags that count as evidence.
        sources: names of feeds all of whose articles belong.
    """

    slug: str
    name: str
    description: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    __pydantic_config__ = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class TopicLabel:
    """One topic that an article earned, with the evidence that an editor can check.

    ``topic`` is its slug, ``score`` in (0, 1]; ``evidence`` holds readable facts such as ``title: "stablecoin"``.
    """

    topic: str
    score: float
    evidence: tuple[str, ...] = ()
    name: str = ""

    @property
    def shown(self) -> str:
        """What people call the topic."""
        return self.name or self.topic


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article considered for one issue. The only form in which articles enter ``curation``.

    Attributes:
        id: the article's id; ties are broken by (published_at, id).
        story_id: the story that earlier runs put it into, if any.
        source: name of the outlet, as readers know it.
        source_weight: editor's trust in the source, 1.0 is normal.
        reporter: the outlet that the text credits with the original report ("" if none).
        published_at: aware UTC.
    """

    id: int
    title: str
    url: str
    source: str
    published_at: datetime
    summary: str = ""
    text: str = ""
    author: str = ""
    reporter: str = ""
    tags: tuple[str, ...] = ()
    image: Image | None = None
    language: str = ""
    source_weight: float = 1.0
    story_id: int | None = None
    labels: tuple[TopicLabel, ...] = ()

    @property
    def topics(self) -> tuple[str, ...]:
        """Slugs of the topics it earned, strongest first."""
        return tuple(label.topic for label in self.labels)


@dataclass(frozen=True, slots=True)
class StoryRule:
    """What an editor holds of two articles, whatever their words say: ``together`` one story, or else two."""

    one: int
    other: int
    together: bool


@dataclass(frozen=True, slots=True)
class ScorePart:
    """A named, signed part of a score, with words that say where it comes from."""

    name: str
    value: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """Named parts that add up to the total."""

    parts: tuple[ScorePart, ...] = ()

    @property
    def total(self) -> float:
        """The sum of the parts, rounded to 6 places so that it is the same on every machine."""
        return round(sum(part.value for part in self.parts), 6)


@dataclass(frozen=True, slots=True)
class Story:
    """Coverage of one event.

    Attributes:
        lead: the article that stands for the story.
        others: the remaining articles, syndicated copies included, by (published_at, id).
        copies: ids of articles that are syndicated copies of another one in the story.
        sources: number of independent sources (a syndicated copy adds none).
        story_id: identity given by the store; None for a story that is new.
        topics: labels of the story: strongest score over its articles, strongest first.
        score: filled by ``rank``.
        last_sent_at: when an earlier issue carried it, None if never.
        news: of one that was carried, sentences of its lead that its earlier articles did not have.
    """

    lead: Candidate
    others: tuple[Candidate, ...] = ()
    copies: frozenset[int] = frozenset()
    sources: int = 1
    story_id: int | None = None
    topics: tuple[TopicLabel, ...] = ()
    score: Score = field(default_factory=Score)
    last_sent_at: datetime | None = None
    news: tuple[str, ...] = ()

    @property
    def articles(self) -> tuple[Candidate, ...]:
        """Lead first, then the others."""
        return (self.lead, *self.others)
