"""Issues to render: a rich one, and the parts to build others from. Written for the tests."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from digest.domain.content import Image
from digest.domain.issue import Block, Coverage, IssueDocument, PlacedItem, Question, Section, StoryItem
from digest.domain.newsroom import EpigraphSpec, EventSpec, LinkSpec, Quote, ResearchSpec, SponsorSpec
from digest.render.charts import says
from digest.render.message import Addressee
from digest.render.pipeline import Renderer

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
NOW = datetime(2026, 3, 12, 10, 55, tzinfo=UTC)
POSTAL = "Float Media, 221 Harbour Street, Lisbon 1100-148, Portugal"

HEADLINES = (
    ("policy", "Policy", "Hong Kong licenses four exchanges, and Beijing looks on without a word"),
    ("policy", "Policy", "Senate panel moves the stablecoin bill to the floor after a 17–8 vote"),
    ("policy", "Policy", "Brussels gives custody firms until July to prove they hold what they say"),
    ("policy", "Policy", "Treasury drops its plan to tax staking rewards on receipt"),
    ("markets", "Markets", "Bitcoin slips below $84,000 as rate-cut bets fade"),
    ("markets", "Markets", "Options desks brace for the largest quarterly expiry on record"),
    ("markets", "Markets", "Ether funds see a ninth day of inflows, led by pension money"),
    ("markets", "Markets", "Gold and bitcoin part ways for the first time since October"),
    ("infra", "Infrastructure", "A client bug halts Lumen’s mainnet for 94 minutes"),
    ("infra", "Infrastructure", "Card networks open settlement in dollar tokens to all issuers"),
    ("infra", "Infrastructure", "Rollup fees fall to a tenth of a cent after the February upgrade"),
    ("infra", "Infrastructure", "Validators vote to double the gas limit by summer"),
)
DEKS = (
    "The regulator’s list is shorter than the industry hoped for, but it comes with the one thing that "
    "banks had asked for: a clear rule on who holds the keys.",
    "Two amendments on foreign issuers fell; the rule on monthly audits of reserves stays.",
    "Traders now price one cut this year, down from three in January, and leverage left the market within hours.",
    "The outage was traced to a rarely used opcode; a patch shipped before most exchanges had reopened deposits.",
)
OUTLETS = ("Reuters", "Financial Times", "CoinDesk", "The Block", "Bloomberg", "Decrypt")


def story(number: int, **changes: Any) -> StoryItem:
    """Story ``number`` (1 …) of the sample."""
    topic, kicker, headline = HEADLINES[(number - 1) % len(HEADLINES)]
    if number > len(HEADLINES):
        headline = f"{headline} ({number})"
    others = number % 4
    item = StoryItem(
        story_id=number,
        rank=number,
        headline=headline,
        url=f"https://news.example/{topic}/{number}?ref=a&part={number}",
        source=OUTLETS[number % 6],
        published_at=NOW - timedelta(hours=number),
        dek=DEKS[number % 4],
        topics=(topic,),
        kicker=kicker,
        also=tuple(
            Coverage(
                OUTLETS[(number + n) % 6],
                f"As {OUTLETS[(number + n) % 6]} tells it",
                f"https://other{n}.example/{number}",
            )
            for n in range(1, others + 1)
        ),
        sources=1 + others + (4 if others == 3 else 0),
        articles=(number * 10,),
    )
    return replace(item, **changes)


def lead_story(number: int) -> StoryItem:
    """The same story as a lead: picture, byline, and why it leads."""
    return story(
        number,
        author="Ines Carvalho",
        reporter="Bloomberg" if number == 1 else "",
        why="Nine outlets cover it, three of them on their front page, and it is four hours old.",
        image=Image(
            url=f"https://mail.float.example/media/lead{number}.jpg",
            alt="The harbour of Hong Kong at dusk, with the towers of Central lit",
            credit="Sean Pavone, modified by The Float",
            width=592,
            height=333,
        ),
    )


def section(topic: str, title: str, items: Iterable[StoryItem], cards: int = 2, forms: tuple[str, ...] = ()) -> Block:
    """A topic section: cards first, briefs behind them, or the given forms."""
    placed = tuple(
        PlacedItem(item, forms[n] if n < len(forms) else "card" if n < cards else "brief")  # type: ignore[arg-type]
        for n, item in enumerate(items)
    )
    key = f"section:{topic}"
    return Block(key=key, type="section", title=title, section=Section(key, title, topic, placed))


def lead(items: Iterable[StoryItem]) -> Block:
    """The lead block with its variants."""
    placed = tuple(PlacedItem(item, "lead") for item in items)
    return Block(key="lead", type="lead", section=Section("lead", "", "", placed))


QUOTES = tuple(
    Quote(symbol, name, price, NOW, change, history, source="CoinGecko")
    for symbol, name, price, change, history in (
        ("BTC", "Bitcoin", 83912.0, -2.43, (88000, 87100, 86500, 86900, 85800, 84400, 83912)),
        ("ETH", "Ether", 4127.35, 1.18, (3890, 3920, 4010, 3980, 4050, 4080, 4127.35)),
        ("SOL", "Solana", 182.4, -0.04, (181, 184, 186, 183, 180, 181, 182.4)),
        ("XRP", "XRP", 0.5213, 3.7, (0.49, 0.5, 0.495, 0.51, 0.505, 0.515, 0.5213)),
        ("SPX", "S&P 500", 6781.2, None, ()),
    )
)
CHARTS = {
    quote.symbol: Image(
        url=f"https://mail.float.example/media/{quote.symbol.lower()}.png",
        alt=says(quote.name, quote.history),
        width=96,
        height=28,
    )
    for quote in QUOTES
    if quote.history
}
BODY = """Every bull market has its **unlikely regulator**. This week it is Hong Kong’s, which did what larger ones keep
promising: it [published a list](https://news.example/list).

Three things to watch:

- who is *not* on it,
- what the banks do on Monday,
- whether Singapore answers.

> The market can stay irrational longer than a press release can stay online.
"""


def masthead() -> Block:
    return Block(key="masthead", type="masthead")


def footer() -> Block:
    return Block(key="footer", type="footer")


def blocks() -> tuple[Block, ...]:
    """All fourteen block types, with three topic sections."""
    return (
        masthead(),
        Block(
            key="sponsor",
            type="sponsor",
            sponsor=SponsorSpec(
                "kestrel", "Kestrel Custody", "Cold storage with a warm phone line.", "https://kestrel.example/float",
                date(2026, 3, 1), date(2026, 3, 31), approved=True,
            ),
        ),
        Block(
            key="epigraph",
            type="epigraph",
            epigraph=EpigraphSpec("keynes", "The difficulty lies not so much in developing new ideas as in escaping from old ones.", "John Maynard Keynes"),
        ),
        lead((lead_story(1), lead_story(5), lead_story(9))),
        Block(key="markets", type="markets", title="Markets at a glance", quotes=QUOTES, charts=CHARTS),
        section("policy", "Policy", [story(n) for n in (1, 2, 3, 4)]),
        section("markets", "Markets", [story(n) for n in (5, 6, 7, 8)], forms=("card", "card", "line", "line")),
        section("infra", "Infrastructure", [story(9), story(10, update_of=NOW - timedelta(days=2)), story(11), story(12)]),
        Block(key="letter", type="letter", title="A list, at last", body=BODY),
        Block(
            key="mailbag",
            type="mailbag",
            questions=(
                Question("Why do stablecoins pay no interest?", "Because the draft law says *no*. See [section 4](https://law.example/4).", "Tomás, Porto"),
                Question("Is the halving priced in?", "Ask again in a year."),
            ),
        ),
        Block(
            key="research",
            type="research",
            research=(
                ResearchSpec("rails", "Report", "Private rails become the norm", "https://research.example/rails", "Confidential by default, disclosed by choice: how six chains get there.",
                             Image("https://mail.float.example/media/rails.png", "Six chains ranked by private transfers: one leads by far", width=592, height=240)),
                ResearchSpec("fees", "Note", "Who pays for block space", "https://research.example/fees", "Fees by kind of user, 2021 to 2026."),
            ),
        ),
        Block(
            key="events",
            type="events",
            events=(
                EventSpec("das", "Digital Asset Summit", "Javits Center North", date(2026, 3, 24), date(2026, 3, 26), "445 11th Ave, New York", "Builders, allocators and legislators on what comes next.", "https://events.example/das"),
                EventSpec("meet", "Lisbon meet-up", "Casa do Alentejo", date(2026, 4, 2), date(2026, 4, 2), url="https://events.example/lisbon"),
            ),
        ),
        Block(
            key="links",
            type="links",
            links=(
                LinkSpec("wx", "The forecaster who hedges with weather tokens", "https://links.example/weather", "Nautilus"),
                LinkSpec("map", "A map of every validator that says where it is", "https://links.example/map"),
            ),
        ),
        Block(key="promo", type="promo", title="Bring a friend", body="Forward this mail; whoever signs up at [The Float](https://float.example) gets the archive too."),
        Block(key="corrections", type="corrections", body="Wednesday’s issue named the wrong ministry. It was the ministry of finance."),
        footer(),
    )  # fmt: skip


def document(*chosen: Block, **changes: Any) -> IssueDocument:
    """An issue of these blocks, or the rich one."""
    issue = IssueDocument(
        issue_id=42,
        number=42,
        day=date(2026, 3, 12),
        newsletter="the-float",
        name="The Float",
        tagline="What moves money, decoded before breakfast.",
        host="Mara Ellison",
        cadence="daily",
        from_address="mara@float.example",
        postal_address=POSTAL,
        public_url="https://mail.float.example",
        mark="⚓",
        blocks=chosen or blocks(),
    )
    return replace(issue, **changes)


def framed(*inner: Block, **changes: Any) -> IssueDocument:
    """An issue with masthead and footer around these blocks."""
    return document(masthead(), *inner, footer(), **changes)


def renderer() -> Renderer:
    return Renderer(TEMPLATES)


def addressee(**changes: Any) -> Addressee:
    """A reader of the issue."""
    reader = Addressee(
        delivery_id=7,
        message_id="<k5twq7hz3nd6x2ab@float.example>",
        address="ada@reader.example",
        date=datetime(2026, 3, 12, 11, 0, tzinfo=UTC),
        unsubscribe_url="https://mail.float.example/unsubscribe/AAAAAAAAAAEwTAtGc2x0fJc1bJ0Yd9mK",
        preferences_url="https://mail.float.example/preferences/AAAAAAAAAAFqPzq0Zc1yVnE2mJ8tTq3x",
        name="Ada Lovelace",
    )
    return reader._replace(**changes)
