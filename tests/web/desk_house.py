"""A drafted issue with eight stories, editors of every role, and a client that is signed in."""

import re
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import requests
from PIL import Image as Pixels

from digest.domain.content import Image, Score, ScorePart
from digest.domain.issue import Block, Coverage, PlacedItem, Section, StoryItem
from digest.domain.newsroom import BlockSpec, EpigraphSpec, SponsorSpec
from digest.store import issues
from digest.store.tables import Issue, Placement, Story
from digest.workflows.context import Context
from digest.workflows.sign_in import Role, ensure_editor, make_link

EDITOR = "ed@example.com"

HEADLINES = (
    ("Senate clears stablecoin bill after midnight vote", "Harbour Wire", ("policy", "markets"), 5),
    ("Court tells regulator to explain itself on exchange rules", "The Docket", ("policy",), 3),
    ("Bitcoin slips under support as funds trim", "Tape", ("markets",), 4),
    ("Custody rule draft leaves staking in the cold", "The Docket", ("policy",), 2),
    ("Options desk braces for the largest expiry of the year", "Tape", ("markets",), 1),
    ("Lisbon opens a sandbox for tokenised bonds", "Harbour Wire", ("policy",), 1),
    ("Miners sell reserves at the fastest pace since June", "Block & Mortar", ("markets",), 1),
    ("A small exchange, a large fine", "The Docket", ("policy",), 1),
)  # fmt: skip

LAYOUT = (
    BlockSpec("masthead"), BlockSpec("sponsor"), BlockSpec("epigraph"), BlockSpec("lead"),
    BlockSpec("section", "Policy", "policy", max=6), BlockSpec("section", "Markets", "markets", max=6), BlockSpec("footer"),
)  # fmt: skip

WRITTEN = (
    *LAYOUT[:3], BlockSpec("letter"), BlockSpec("mailbag", "Mailbag"), *LAYOUT[3:-1], BlockSpec("promo", body="Read our book."),
    LAYOUT[-1],
)  # fmt: skip
"""The same with blocks that editors write, of which only the promotion says something by itself."""


def draft_issue(
    ctx: Context, *, number: int = 12, state: str = "draft", approval: str = "editor", written: bool = False
) -> int:
    """An issue of The Ledger as drafting leaves it; its id. ``written``: with blocks that editors write."""
    now = ctx.clock()
    with ctx.db.write() as session:
        newsletter, spec = issues.newsletter(session, "ledger")
        assert newsletter.id is not None
        spec = replace(spec, blocks=WRITTEN if written else LAYOUT, approval=approval)
        stories = [Story(headline=row[0], created_at=now, last_article_at=now) for row in HEADLINES]
        issue = Issue(
            newsletter_id=newsletter.id, cadence="daily", slot=f"number-{number}", number=number, state="planned",
            window_start=now - timedelta(days=1), window_end=now, due_at=now + timedelta(hours=2), created_at=now,
        )  # fmt: skip
        session.add_all([issue, *stories])
        session.flush()
        assert issue.id is not None
        items = [_item(ctx, rank, story.id or 0) for rank, story in enumerate(stories, start=1)]
        issues.save_draft(session, issue.id, spec, _blocks(ctx, written=written), _sections(items))
        if state != "draft":
            issues.move(session, issue.id, ["draft"], state)
        return issue.id


def _item(ctx: Context, rank: int, story_id: int) -> StoryItem:
    headline, source, topics, sources = HEADLINES[rank - 1]
    parts = (
        ScorePart("freshness", round(1.2 - 0.1 * rank, 2), f"{rank} h old when the window closed"),
        ScorePart("breadth", round(0.35 * sources, 2), f"{sources} independent outlets"),
        ScorePart("topic match", 0.4, f"strongest topic: {topics[0]}"),
        *([ScorePart("repeat", -0.3, "an earlier number carried it")] if rank == 3 else []),
    )
    return StoryItem(
        story_id=story_id, rank=rank, headline=headline, url=f"https://example.com/{rank}", source=source,
        published_at=ctx.clock() - timedelta(hours=rank), dek=f"What happened, in one sentence, for story {rank}.",
        topics=topics, kicker=topics[0].title(), sources=sources, why=f"Reported by {sources} outlets.",
        also=tuple(Coverage(f"Outlet {n}", headline, f"https://example.net/{rank}/{n}") for n in range(1, sources)),
        score=Score(parts), image=_picture(ctx) if rank <= 2 else None,
    )  # fmt: skip


def _picture(ctx: Context) -> Image:
    """A hosted picture of two pixels by one."""
    file = BytesIO()
    Pixels.new("RGB", (2, 1), "#8a1f3d").save(file, "PNG")
    name = f"{sha256(file.getvalue()).hexdigest()}.png"
    ctx.media.mkdir(parents=True, exist_ok=True)
    (ctx.media / name).write_bytes(file.getvalue())
    return Image(f"{ctx.public_url}/media/{name}", alt="A red field", credit="House", width=600, height=300)


def _sections(items: list[StoryItem]) -> tuple[Section, ...]:
    def placed(topic: str) -> tuple[PlacedItem, ...]:
        own = [item for item in items if item.topics[0] == topic]
        return tuple(PlacedItem(item, "card" if index < 2 else "brief") for index, item in enumerate(own))

    lead = Section("lead", "", items=(PlacedItem(items[0], "lead"), PlacedItem(items[2], "lead")))
    return (lead, Section("section:policy", "Policy", "policy", placed("policy")),
            Section("section:markets", "Markets", "markets", placed("markets")))  # fmt: skip


def _blocks(ctx: Context, *, written: bool = False) -> tuple[Block, ...]:
    day = ctx.clock().date()
    return (
        Block("masthead", "masthead"),
        Block(
            "sponsor",
            "sponsor",
            sponsor=SponsorSpec("quay", "Quay Custody", "Keys, kept.", "https://quay.example", day, day, approved=True),
        ),
        Block("epigraph", "epigraph", epigraph=EpigraphSpec("marsh", "Money talks; ledgers listen.", "Ngaio Marsh")),
        Block("lead", "lead"),
        Block("section:policy", "section", title="Policy"),
        Block("section:markets", "section", title="Markets"),
        *([Block("promo:8", "promo", body="Read our book.")] if written else []),
        Block("footer", "footer"),
    )


def story_of(ctx: Context, issue_id: int, headline: str) -> int:
    """The story that was drafted under a headline."""
    with ctx.db.read() as session:
        return next(row.story_id for row in issues.placements(session, issue_id) if row.item["headline"] == headline)


def rows_of(ctx: Context, issue_id: int, section: str) -> list[Placement]:
    """Placements of one section in the order of their positions."""
    with ctx.db.read() as session:
        return [row for row in issues.placements(session, issue_id) if row.section == section]


def issue_of(ctx: Context, issue_id: int) -> Issue:
    """The issue as it stands."""
    with ctx.db.read() as session:
        return issues.get(session, issue_id)


def sign_in(ctx: Context, client: requests.Session, role: Role = "publisher", address: str = EDITOR) -> None:
    """Sign a client in as somebody would: through a link."""
    ensure_editor(ctx, address, role)
    answer = client.post(f"/desk/sign-in/{make_link(ctx, address)}")
    assert answer.url.endswith("/desk"), answer.text


def csrf_of(client: requests.Session, path: str = "/desk") -> str:
    """The token in the forms of a page."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(path).text)
    assert found
    return found[1]
