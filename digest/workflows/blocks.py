"""The blocks of an issue that are not stories: a snapshot of what the newsroom and the markets say now."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from digest.curation.calendar import ahead, of_the_day, sold
from digest.domain.issue import Block
from digest.domain.newsroom import BlockSpec, NewsletterSpec, Newsroom, Quote
from digest.newsroom.mailbag import questions
from digest.newsroom.rules import WEEKDAYS
from digest.quotes.moments import is_stale
from digest.store.newsroom import gathered_events, read_newsroom
from digest.store.quotes import latest
from digest.workflows.context import Context
from digest.workflows.media import host_chart, host_image


def finished_blocks(ctx: Context, spec: NewsletterSpec, slug: str, day: date) -> tuple[Block, ...]:
    """The newsletter's blocks for the local date that the issue bears, in layout order; story blocks have no stories yet.

    Blocks that have nothing to show (no quotes, no event ahead, slot unsold) are left out.
    """
    with ctx.db.read() as session:
        newsroom = read_newsroom(session)
        newsroom = replace(newsroom, events=(*newsroom.events, *gathered_events(session)))
        prices = _fresh_quotes(session, ctx.clock())
    blocks: dict[str, Block] = {}
    for index, block in enumerate(of_the_weekday(spec.blocks, day)):
        filled = _fill(ctx, block, _key(block, index), newsroom, prices, slug, day)
        if filled is not None:
            blocks.setdefault(filled.key, filled)
    return tuple(blocks.values())


def of_the_weekday(blocks: Iterable[BlockSpec], day: date) -> tuple[BlockSpec, ...]:
    """The blocks that appear on ``day``."""
    return tuple(block for block in blocks if not block.weekdays or WEEKDAYS[day.weekday()] in block.weekdays)


def day_of(spec: NewsletterSpec, moment: datetime) -> date:
    """The local date that an issue bears."""
    return moment.astimezone(ZoneInfo(spec.zone)).date()


def _key(block: BlockSpec, index: int) -> str:
    if block.type == "section":
        return f"section:{block.topic}"
    return block.type if block.type in ("lead", "masthead", "footer") else f"{block.type}:{index}"


def _fill(
    ctx: Context, block: BlockSpec, key: str, newsroom: Newsroom, prices: tuple[Quote, ...], slug: str, day: date
) -> Block | None:
    made = Block(key=key, type=block.type, title=block.title, body=block.body)
    match block.type:
        case "sponsor":
            sponsor = sold(newsroom.sponsors, slug, day)
            return replace(made, sponsor=sponsor) if sponsor else None
        case "epigraph":
            epigraph = of_the_day(newsroom.epigraphs, day)
            return replace(made, epigraph=epigraph) if epigraph else None
        case "markets":
            shown = prices[: block.max]
            charts = {quote.symbol: host_chart(ctx, quote) for quote in shown if len(quote.history) > 1}
            return replace(made, quotes=shown, charts=charts) if len(shown) >= block.min else None
        case "events":
            events = ahead(newsroom.events, day)[: block.max]
            return replace(made, events=events) if len(events) >= block.min else None
        case "research":
            cards = tuple(card for card in newsroom.research if card.until is None or card.until >= day)[: block.max]
            cards = tuple(
                replace(card, image=host_image(ctx, card.image, 600, 338) if card.image else None) for card in cards
            )
            return replace(made, research=cards) if len(cards) >= block.min else None
        case "links":
            links = tuple(link for link in newsroom.links if link.until is None or link.until >= day)[: block.max]
            return replace(made, links=links) if len(links) >= block.min else None
        case "mailbag":
            asked = questions(block.body)
            return replace(made, body="", questions=asked) if len(asked) >= block.min else None
        case "letter" | "promo" | "corrections":
            return made if block.body.strip() else None
        case _:
            return made


def _fresh_quotes(session: Session, now: datetime) -> tuple[Quote, ...]:
    return tuple(quote for quote in latest(session) if not is_stale(quote, now))
