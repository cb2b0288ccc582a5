"""One number of a newsletter as a value: what the editor approves and the renderer turns into mail.

An ``IssueDocument`` holds everything that rendering needs and nothing else, so the same document gives
the same bytes: in the preview, in the test mail, in the archive and in every subscriber's copy.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from digest.domain.content import Image, Score
from digest.domain.newsroom import BlockType, EpigraphSpec, EventSpec, LinkSpec, Quote, ResearchSpec, SponsorSpec, Theme

Form = Literal["lead", "related", "card", "brief", "line", "web"]
"""How large a story stands: ``related`` is a card beside a picture; ``web`` is on the issue's page only."""

LEAD = "lead"
"""Key of the section whose items are variants of which a reader gets one."""

MORE = "more"
"""Key of the section whose stories are on the issue's page only."""

WEEK = "week"
"""Key of the section of stories that earlier issues of the week carried, for what comes weekly."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Another outlet's article on the same story."""

    source: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class StoryItem:
    """A story as it stands in an issue: a snapshot, so that the issue outlives its articles.

    Attributes:
        story_id: the story's identity in the store.
        rank: 1 is the highest of the whole issue; a reader's own top story has the lowest in their cut.
        topics: slugs that it belongs to, strongest first.
        kicker: name of its strongest topic, for readers.
        dek: one or two sentences.
        reporter: outlet credited with the original report, "" if none.
        also: other independent outlets, best first.
        sources: number of independent sources, the lead included.
        articles: ids of all articles of the story.
        image: the picture of a lead; thumb: the small one beside a card.
        why: one plain sentence on why it stands where it does.
        update_of: when an earlier issue carried the story, if this is an update.
        week: on the day that brings the best of the week, its rank among all stories of the week; else 0.
        carried_on: the day of the earlier issue that carried it, if it stands here for those who get a week at once.
    """

    story_id: int
    rank: int
    headline: str
    url: str
    source: str
    published_at: datetime
    dek: str = ""
    author: str = ""
    reporter: str = ""
    image: Image | None = None
    thumb: Image | None = None
    topics: tuple[str, ...] = ()
    kicker: str = ""
    also: tuple[Coverage, ...] = ()
    sources: int = 1
    articles: tuple[int, ...] = ()
    why: str = ""
    update_of: datetime | None = None
    week: int = 0
    carried_on: date | None = None
    score: Score = field(default_factory=Score)


@dataclass(frozen=True, slots=True)
class PlacedItem:
    """A story in the form in which a block shows it."""

    item: StoryItem
    form: Form


@dataclass(frozen=True, slots=True)
class Question:
    """A reader's question and its answer (Markdown)."""

    question: str
    answer: str
    asker: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawn chart.

    Attributes:
        title: what it says.
        comment: Markdown beneath it.
        source: where its figures are from.
        as_of: time of the newest figure, None if it is not a price.
        table: what the picture shows, in lines, for the text part.
        key: what letters in the picture stand for, where names could not be drawn.
    """

    title: str
    image: Image
    comment: str = ""
    source: str = ""
    as_of: datetime | None = None
    table: tuple[str, ...] = ()
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A block of stories as ``compose`` lays it out.

    ``key`` is ``lead``, ``week``, ``more``, or that of the layout's block (``section:TOPIC``). The lead holds one variant for every story that can be some
    reader's top story; a cut takes at most one of them, and leaves that story out of its section. ``most``: how many of its items one reader gets at
    most, 0 for all.
    """

    key: str
    title: str
    topic: str = ""
    items: tuple[PlacedItem, ...] = ()
    min: int = 1
    most: int = 0


def stories_of_the_week(sections: Iterable[Section]) -> frozenset[int]:
    """Stories that earlier issues of the week carried: only what comes weekly brings them."""
    return frozenset(placed.item.story_id for section in sections if section.key == WEEK for placed in section.items)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of an issue, in layout order. Only the fields that its type names are filled.

    ``lead``, ``section`` and ``week``: section · ``letter`` and ``promo``: title, body (Markdown) · ``mailbag``: questions ·
    ``markets``: quotes, charts (sparkline per symbol) · ``events``, ``research``, ``links``: their tuples ·
    ``sponsor``, ``epigraph``: theirs · ``corrections``: body · ``charts``: figures · ``masthead``: image (the logo) ·
    ``more``: section, whose stories all have the form ``web`` · ``footer``: nothing.
    """

    key: str
    type: BlockType
    title: str = ""
    body: str = ""
    section: Section | None = None
    quotes: tuple[Quote, ...] = ()
    charts: dict[str, Image] = field(default_factory=dict)
    events: tuple[EventSpec, ...] = ()
    research: tuple[ResearchSpec, ...] = ()
    links: tuple[LinkSpec, ...] = ()
    questions: tuple[Question, ...] = ()
    sponsor: SponsorSpec | None = None
    epigraph: EpigraphSpec | None = None
    figures: tuple[Figure, ...] = ()
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class IssueDocument:
    """A whole issue, ready to be rendered.

    Attributes:
        issue_id, number: identity, and the count shown in the masthead.
        day: the local date it bears.
        subject, preheader, title: templates (see ``NewsletterSpec``); ``title`` also heads the archive page.
        share: whether lead and cards link to a page on which they can be handed on.
        from_address, postal_address, public_url, archive_url: identity of the sender and its pages.
        unsubscribe_by_mail: address that takes wishes to leave, "" for none.
    """

    issue_id: int
    number: int
    day: date
    newsletter: str
    name: str
    tagline: str
    host: str
    cadence: str
    from_address: str
    postal_address: str
    public_url: str
    mark: str = ""
    subject: str = "{{ top.headline }}"
    preheader: str = "{{ top.dek }}"
    title: str = "{{ top.headline }}"
    locale: str = "en-US"
    share: bool = False
    unsubscribe_by_mail: str = ""
    theme: Theme = field(default_factory=Theme)
    blocks: tuple[Block, ...] = ()

    @property
    def archive_url(self) -> str:
        """The public page of the whole issue."""
        return f"{self.public_url}/archive/{self.newsletter}/{self.number}"

    def share_url(self, story_id: int) -> str:
        """The public page on which a story of this issue can be handed on."""
        return f"{self.archive_url}/share/{story_id}"


@dataclass(frozen=True, slots=True)
class Selection:
    """What one set of choices gets of an issue: the input of a cut.

    Attributes:
        lead: the story in the lead form, None if no lead variant suits.
        items: story ids per section key, in the section's order; sections without items are absent.
        reason: why there is no mail ("nothing new in the chosen topics"), "" if there is one.
    """

    lead: int | None = None
    items: dict[str, tuple[int, ...]] = field(default_factory=dict)
    reason: str = ""

    @property
    def stories(self) -> frozenset[int]:
        """All stories of the selection."""
        chosen = {story for ids in self.items.values() for story in ids}
        return frozenset(chosen | ({self.lead} if self.lead is not None else set()))
