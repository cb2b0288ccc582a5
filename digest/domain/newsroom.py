"""The newsroom: everything an operator configures, as frozen values. Files and tables both hold these."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from digest.domain.content import Image, TopicProfile
from digest.domain.ranking import RankingWeights
from digest.domain.source_rules import JsonRules, PageRules

FORBID_EXTRA = {"extra": "forbid"}

BlockType = Literal[
    "masthead", "sponsor", "epigraph", "letter", "mailbag", "lead", "markets", "section",
    "charts", "research", "events", "links", "promo", "corrections", "week", "more", "footer",
]  # fmt: skip
FeedKind = Literal["feed", "quotes", "events", "sitemap", "page", "json"]


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """A source to poll.

    Attributes:
        url: http or https.
        name: the outlet's name as readers know it; also what topics' ``sources`` refer to.
        kind: ``feed`` (RSS, Atom, JSON Feed), ``sitemap`` (a news sitemap), ``page`` (a web page read by rules),
            ``json`` (a JSON document read by paths), ``quotes`` (see ``provider``) or ``events`` (iCalendar).
        weight: editor's trust, 1.0 is normal.
        full_text: fetch the article page when the feed has only a summary.
        interval: minutes between polls.
        page, json: the rules of a source of that kind.
        provider: for ``quotes``: ``coingecko``, ``csv`` or ``package.module:Class``.
        fresh_hours: for ``quotes``: how old a price may be; 0 leaves it to the provider.
    """

    url: str
    name: str
    kind: FeedKind = "feed"
    weight: float = 1.0
    full_text: bool = False
    interval: int = 15
    page: PageRules | None = None
    json: JsonRules | None = None
    provider: str = "coingecko"
    fresh_hours: int = 0

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class BlockSpec:
    """One block of a newsletter's layout.

    Attributes:
        type: see ``BlockType``.
        title: heading of the block, where it has one.
        topic: for ``section``: the topic's slug.
        sources: for ``section``: outlets; stories that one of them leads stand in it, whatever their topic.
        max, min: bounds on items; below ``min`` the block is dropped, never shown empty.
        cards: how many of a section's items are shown as cards before briefs begin; of ``week`` of each topic too.
        pictures: for ``section``: its cards stand beside a small picture, with their byline.
        weekdays: days on which it appears ("mon" … "sun"); empty means every day.
        body: Markdown for ``letter``, ``promo`` and ``corrections``; questions and answers for ``mailbag``.
        placement: for ``sponsor``: the name of the slot, as ``sponsors.toml`` sells it.
        symbols: for ``markets``: which prices, in this order; empty means all there are.
    """

    type: BlockType
    title: str = ""
    topic: str = ""
    max: int = 5
    min: int = 1
    cards: int = 2
    weekdays: tuple[str, ...] = ()
    body: str = ""
    sources: tuple[str, ...] = ()
    pictures: bool = False
    placement: str = "top"
    symbols: tuple[str, ...] = ()

    __pydantic_config__ = FORBID_EXTRA

    @property
    def section_key(self) -> str:
        """The key of the section that this block lays out: by its topic, or else by its first source."""
        if self.topic or not self.sources:
            return f"section:{self.topic}"
        return "section:by-" + re.sub(r"[^a-z0-9]+", "-", self.sources[0].casefold()).strip("-")


@dataclass(frozen=True, slots=True)
class Theme:
    """The look of a newsletter as tokens that mail templates use. See ``docs/themes.md``.

    Attributes:
        name: the theme file that the tokens come from; "" if all stand in the newsletter's own file.
        ink … negative: colours (``#rrggbb``), each with a dark twin.
        serif, sans: font stacks of headlines and of text; each ends in a generic family.
        logo: picture instead of the name in the masthead: a file in the newsletter's folder, or an https address.
        logo_width: CSS pixels at which it is shown.
    """

    name: str = ""

    ink: str = "#1b1d22"
    paper: str = "#fffdf9"
    muted: str = "#5d6068"
    line: str = "#e2ddd3"
    accent: str = "#8a1f3d"
    accent_ink: str = "#fffdf9"
    positive: str = "#17683a"
    negative: str = "#a3241c"
    dark_ink: str = "#e8e6e1"
    dark_paper: str = "#14161a"
    dark_muted: str = "#a9abb1"
    dark_line: str = "#33363d"
    dark_accent: str = "#f08aa5"
    dark_accent_ink: str = "#14161a"
    dark_positive: str = "#6fd49a"
    dark_negative: str = "#ff9a8f"
    serif: str = "Georgia, 'Times New Roman', serif"
    sans: str = "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
    logo: str = ""
    logo_width: int = 240

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class NewsletterSpec:
    """A newsletter: who makes it, when it comes out, what is in it.

    Attributes:
        tagline: the promise ("Decoding crypto and the markets.").
        host: the person who signs it.
        from_address: the visible sender; its domain is also that of Message-ID and List-Id.
        postal_address: one line, required by law in every mail.
        unsubscribe_by_mail: an address of yours to which mail programs may send a reader's wish to leave, beside the
            link; ``digest inbox`` reads what arrives there. Empty: links only.
        hour: local time of sending, "HH:MM"; zone: IANA name.
        approval: ``auto`` (sent by itself when due) or ``editor`` (waits for a person).
        draft_lead: minutes before the slot at which the draft is made.
        min_stories: fewer stories than this for a reader means no mail for that reader.
        topics: slugs on offer, in the order shown; empty means all topics.
        subject, preheader, title: Jinja2 templates over ``top`` (an item), ``newsletter`` and ``date``.
        mark: the newsletter's own sign in front of the subject (an emoji), may be empty.
        locale: BCP 47 tag for dates, numbers and words.
        order: lower comes first where newsletters are listed.
        share: lead and cards end in a link to a page on which the story can be handed on.
        indexed: whether search engines may list the issues' public pages.
        summaries: ``extractive``, or ``model``: a language model's, where each sentence is borne out by the article.
        ranking: how much each part of a story's score counts.
    """

    slug: str
    name: str
    tagline: str
    host: str
    from_address: str
    postal_address: str
    cadence: Literal["daily", "weekdays", "weekly"] = "daily"
    hour: str = "06:00"
    zone: str = "UTC"
    weekday: int = 0
    approval: Literal["auto", "editor"] = "editor"
    draft_lead: int = 60
    min_stories: int = 1
    topics: tuple[str, ...] = ()
    mark: str = ""
    subject: str = "{{ top.headline }}"
    preheader: str = "{{ top.dek }}"
    title: str = "{{ top.headline }}"
    locale: str = "en-US"
    order: int = 100
    share: bool = True
    indexed: bool = True
    unsubscribe_by_mail: str = ""
    summaries: Literal["extractive", "model"] = "extractive"
    theme: Theme = field(default_factory=Theme)
    ranking: RankingWeights = field(default_factory=RankingWeights)
    blocks: tuple[BlockSpec, ...] = ()

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class SponsorSpec:
    """A sold slot: shown from ``starts`` to ``ends`` (both included), always labelled, only when approved.

    Attributes:
        newsletters: slugs in which it is shown; empty means all.
        placement: the slot that it is sold for: what a ``sponsor`` block of the layout bears as ``placement``.
        label: what marks it as advertising; empty means the words of the newsletter's language.
    """

    slug: str
    advertiser: str
    text: str
    url: str
    starts: date
    ends: date
    newsletters: tuple[str, ...] = ()
    approved: bool = False
    placement: str = "top"
    label: str = ""

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class EventSpec:
    """A conference or date ahead. ``ends`` is included; a one-day event has ``ends == starts``."""

    slug: str
    name: str
    venue: str
    starts: date
    ends: date
    address: str = ""
    blurb: str = ""
    url: str = ""

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class ResearchSpec:
    """A research card; shown until ``until``, if set."""

    slug: str
    label: str
    title: str
    url: str
    summary: str = ""
    image: Image | None = None
    until: date | None = None

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class EpigraphSpec:
    """A quotation with its attribution; the pool is rotated by date."""

    slug: str
    text: str
    attribution: str

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """A quick link written by an editor; shown until ``until``, if set."""

    slug: str
    title: str
    url: str
    source: str = ""
    until: date | None = None

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class SeriesSpec:
    """One line, or one set of bars, of a chart; ``values`` are as many as the chart's ``labels``."""

    name: str
    values: tuple[float, ...]

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class ChartSpec:
    """A chart with a comment, drawn for the mail. Its title says what it shows.

    Attributes:
        title: the message, as a sentence.
        comment: Markdown beneath the chart.
        kind: ``line`` or ``bars``.
        symbols: prices whose last seven days are drawn (more than one: as change in per cent); or else
        labels, series: the data, written here.
        unit: stands in front of a figure (``$``, ``€``) or behind it (``%``, `` TWh``).
        source: where the figures are from; prices name theirs.
        alt: what the picture says, for those who don't see it; empty means that it is told from the figures.
        newsletters: slugs in which it is shown; empty means all.
        starts, until: first and last day, if set.
    """

    slug: str
    title: str
    comment: str = ""
    kind: Literal["line", "bars"] = "line"
    symbols: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    series: tuple[SeriesSpec, ...] = ()
    unit: str = ""
    source: str = ""
    alt: str = ""
    newsletters: tuple[str, ...] = ()
    starts: date | None = None
    until: date | None = None

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class LetterSpec:
    """What an editor wrote ahead for one day; it takes the place of what the newsletter's block says by itself.

    Attributes:
        newsletter: its slug.
        on: the local date that the issue bears.
        type: the block that it fills; the layout must hold one for that day.
        title: the block's heading; empty keeps the layout's.
        body: Markdown; questions and answers for ``mailbag``.
    """

    slug: str
    newsletter: str
    on: date
    body: str
    type: Literal["letter", "mailbag", "promo", "corrections"] = "letter"
    title: str = ""

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class Site:
    """The service itself.

    Attributes:
        name: shown on pages that belong to no newsletter.
        public_url: where the world reaches the web pages; ``DIGEST_PUBLIC_URL`` overrides it.
        editors: addresses that may sign in to the desk, as publishers.
    """

    name: str = "Digest"
    public_url: str = ""
    editors: tuple[str, ...] = ()

    __pydantic_config__ = FORBID_EXTRA


@dataclass(frozen=True, slots=True)
class Newsroom:
    """The whole configuration."""

    site: Site = field(default_factory=Site)
    feeds: tuple[FeedSpec, ...] = ()
    topics: tuple[TopicProfile, ...] = ()
    newsletters: tuple[NewsletterSpec, ...] = ()
    sponsors: tuple[SponsorSpec, ...] = ()
    events: tuple[EventSpec, ...] = ()
    research: tuple[ResearchSpec, ...] = ()
    epigraphs: tuple[EpigraphSpec, ...] = ()
    links: tuple[LinkSpec, ...] = ()
    charts: tuple[ChartSpec, ...] = ()
    letters: tuple[LetterSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """A market price.

    Attributes:
        symbol, name: "BTC", "Bitcoin".
        price: in ``currency``.
        change: per cent over 24 hours, None if unknown.
        history: prices of the last 7 days, oldest first; may be empty.
        as_of: aware UTC time of the price, as the provider says it.
        source: the provider's name, shown beneath the table.
        fresh_for: how long after ``as_of`` the price may stand for the market.
    """

    symbol: str
    name: str
    price: float
    as_of: datetime
    change: float | None = None
    history: tuple[float, ...] = ()
    currency: str = "USD"
    source: str = ""
    fresh_for: timedelta = timedelta(hours=6)
