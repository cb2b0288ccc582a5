"""The blocks of an issue that are not stories: a snapshot of what the newsroom and the markets say now.

One small function for each type of block that has something to find; ``docs/adding-a-block.md`` tells how to add one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from digest.curation.calendar import ahead, of_the_day, sold
from digest.domain.content import Image
from digest.domain.issue import MORE, WEEK, Block
from digest.domain.newsroom import BlockSpec, BlockType, LetterSpec, NewsletterSpec, Newsroom, Quote
from digest.newsroom.mailbag import questions
from digest.newsroom.rules import WEEKDAYS
from digest.quotes.moments import is_stale
from digest.store.newsroom import gathered_events, read_newsroom
from digest.store.quotes import latest
from digest.workflows.charts import drawn
from digest.workflows.context import Context
from digest.workflows.media import host_chart, host_image, hosted_logo
from digest.workflows.printing import renderer


@dataclass(frozen=True, slots=True)
class Material:
    """What blocks are filled from.

    Attributes:
        day: the local date that the issue bears.
        prices: fresh quotes.
    """

    ctx: Context
    spec: NewsletterSpec
    newsroom: Newsroom
    prices: tuple[Quote, ...]
    day: date


def finished_blocks(ctx: Context, spec: NewsletterSpec, slug: str, day: date) -> tuple[Block, ...]:
    """The newsletter's blocks for the local date that the issue bears, in layout order; story blocks have no stories yet.

    Blocks that have nothing to show (no quotes, no event ahead, slot unsold) are left out.
    """
    with ctx.db.read() as session:
        newsroom = read_newsroom(session)
        newsroom = replace(newsroom, events=(*newsroom.events, *gathered_events(session)))
        prices = _fresh_quotes(session, ctx.clock())
    material = Material(ctx, replace(spec, slug=slug), newsroom, prices, day)
    letters = [letter for letter in newsroom.letters if letter.newsletter == slug and letter.on == day]
    blocks: dict[str, Block] = {}
    for index, block in enumerate(of_the_weekday(spec.blocks, day)):
        made = Block(key=key_of(block, index), type=block.type, title=block.title, body=block.body)
        filled = _filled(material, block, _written_ahead(made, letters))
        if filled is not None:
            blocks.setdefault(filled.key, filled)
    return tuple(blocks.values())


def of_the_weekday(blocks: Iterable[BlockSpec], day: date) -> tuple[BlockSpec, ...]:
    """The blocks that appear on ``day``."""
    return tuple(block for block in blocks if not block.weekdays or WEEKDAYS[day.weekday()] in block.weekdays)


def day_of(spec: NewsletterSpec, moment: datetime) -> date:
    """The local date that an issue bears."""
    return moment.astimezone(ZoneInfo(spec.zone)).date()


def key_of(block: BlockSpec, index: int) -> str:
    """The key of a block in an issue; ``index`` counts the blocks of its weekday."""
    if block.type == "section":
        return block.section_key
    return block.type if block.type in ("lead", "masthead", WEEK, MORE, "footer") else f"{block.type}:{index}"


def _written_ahead(block: Block, letters: list[LetterSpec]) -> Block:
    """The block with what an editor wrote for this day; each piece fills the first block of its type."""
    letter = next((letter for letter in letters if letter.type == block.type), None)
    if letter is None:
        return block
    letters.remove(letter)
    return replace(block, title=letter.title or block.title, body=letter.body)


def _filled(material: Material, spec: BlockSpec, block: Block) -> Block | None:
    fill = FILLERS.get(spec.type)
    return fill(material, spec, block) if fill else block


def _masthead(material: Material, _spec: BlockSpec, block: Block) -> Block:
    theme, ctx = material.spec.theme, material.ctx
    if not theme.logo:
        return block
    if theme.logo.startswith("https://"):
        logo = host_image(ctx, Image(theme.logo, material.spec.name), theme.logo_width)
    else:
        logo = hosted_logo(ctx, material.spec)
    return replace(block, image=logo)


def _sponsor(material: Material, spec: BlockSpec, block: Block) -> Block | None:
    sponsor = sold(material.newsroom.sponsors, material.spec.slug, material.day, spec.placement)
    return replace(block, sponsor=sponsor) if sponsor else None


def _epigraph(material: Material, _spec: BlockSpec, block: Block) -> Block | None:
    epigraph = of_the_day(material.newsroom.epigraphs, material.day)
    return replace(block, epigraph=epigraph) if epigraph else None


def _markets(material: Material, spec: BlockSpec, block: Block) -> Block | None:
    by_symbol = {quote.symbol: quote for quote in material.prices}
    wanted = [by_symbol[symbol] for symbol in spec.symbols if symbol in by_symbol] if spec.symbols else material.prices
    shown = tuple(wanted[: spec.max])
    if len(shown) < spec.min:
        return None
    locale = material.spec.locale
    words = renderer(material.ctx, material.spec.slug).words(locale)
    charts = {q.symbol: host_chart(material.ctx, q, words, locale) for q in shown if len(q.history) > 1}
    return replace(block, quotes=shown, charts=charts)


def _charts(material: Material, spec: BlockSpec, block: Block) -> Block | None:
    figures = drawn(material.ctx, material.spec, material.newsroom.charts, material.prices, material.day)[: spec.max]
    return replace(block, figures=figures) if len(figures) >= spec.min else None


def _events(material: Material, spec: BlockSpec, block: Block) -> Block | None:
    events = ahead(material.newsroom.events, material.day)[: spec.max]
    return replace(block, events=events) if len(events) >= spec.min else None


def _research(material: Material, spec: BlockSpec, block: Block) -> Block | None:
    known = material.newsroom.research
    cards = [card for card in known if card.until is None or card.until >= material.day][: spec.max]
    hosted = tuple(
        replace(card, image=host_image(material.ctx, card.image, 600, 338) if card.image else None) for card in cards
    )
    return replace(block, research=hosted) if len(hosted) >= spec.min else None


def _links(material: Material, spec: BlockSpec, block: Block) -> Block | None:
    known = material.newsroom.links
    links = tuple(link for link in known if link.until is None or link.until >= material.day)[: spec.max]
    return replace(block, links=links) if len(links) >= spec.min else None


def _mailbag(_material: Material, spec: BlockSpec, block: Block) -> Block | None:
    asked = questions(block.body)
    return replace(block, body="", questions=asked) if len(asked) >= spec.min else None


def _written(_material: Material, _spec: BlockSpec, block: Block) -> Block | None:
    return block if block.body.strip() else None


FILLERS: Mapping[BlockType, Callable[[Material, BlockSpec, Block], Block | None]] = {
    "masthead": _masthead,
    "sponsor": _sponsor,
    "epigraph": _epigraph,
    "markets": _markets,
    "charts": _charts,
    "events": _events,
    "research": _research,
    "links": _links,
    "mailbag": _mailbag,
    "letter": _written,
    "promo": _written,
    "corrections": _written,
}
"""What fills a block of a type; the others are filled with stories, or with nothing."""


def _fresh_quotes(session: Session, now: datetime) -> tuple[Quote, ...]:
    return tuple(quote for quote in latest(session) if not is_stale(quote, now))
