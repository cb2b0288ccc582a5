"""What stands in an issue besides stories, and a newsletter's own templates, words and logo."""

import io
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from PIL import Image as Picture

from digest.domain.issue import Block
from digest.domain.newsroom import (
    BlockSpec,
    ChartSpec,
    LetterSpec,
    Newsroom,
    Quote,
    SeriesSpec,
    SponsorSpec,
    Theme,
)
from digest.errors import RenderError
from digest.render.cut import html_of, text_of, whole
from digest.render.message import Head, tokens
from digest.render.pipeline import Renderer
from digest.store.database import Database
from digest.store.newsroom import write_newsroom
from digest.store.quotes import save
from digest.workflows import approve, preview, replay
from digest.workflows.blocks import finished_blocks
from digest.workflows.budget import budget_of
from digest.workflows.context import Context
from digest.workflows.printing import renderer
from tests.conftest import NOW, Clock
from tests.render import documents
from tests.web.desk_house import draft_issue
from tests.web.house import make_context
from tests.workflows.world import SPEC, FakeSender, context

DAY = date(2026, 3, 13)  # a Friday
WEEK = tuple(80_000 + hour * 40 for hour in range(168))
QUOTES = (
    Quote("BTC", "Bitcoin", 86_680, NOW, 1.0, WEEK, source="Exchange"),
    Quote("ETH", "Ether", 4_000, NOW, -1.0, tuple(reversed(WEEK)), source="Exchange"),
    Quote("OLD", "Old", 1, NOW - timedelta(days=2), 0.0, WEEK),
)


@pytest.fixture
def ctx(sqlite_db: Database, clock: Clock, tmp_path: Path) -> Context:
    """A house on SQLite with fresh prices and a newsroom folder."""
    made = replace(context(sqlite_db, tmp_path / "var", FakeSender(), clock), newsroom=tmp_path / "newsroom")
    with sqlite_db.write() as session:
        save(session, QUOTES)
    return made


def filled(
    ctx: Context, *blocks: BlockSpec, newsroom: Newsroom | None = None, day: date = DAY, **spec: object
) -> tuple[Block, ...]:
    letter = replace(SPEC, blocks=blocks, **spec)  # type: ignore[arg-type]
    with ctx.db.write() as session:
        write_newsroom(session, replace(newsroom or Newsroom(), newsletters=(letter,)), ctx.clock())
    return finished_blocks(ctx, letter, letter.slug, day)


def charts(*charts: ChartSpec) -> Newsroom:
    return Newsroom(charts=charts)


def test_the_week_rotates_as_the_layout_says(ctx: Context) -> None:
    layout = (
        BlockSpec("letter", "Essay", weekdays=("mon",), body="An essay."),
        BlockSpec("mailbag", "Mailbag", weekdays=("thu",), body="### Why?\n\nBecause."),
        BlockSpec("charts", "Charts", weekdays=("fri",)),
    )
    newsroom = charts(ChartSpec("c", "Up", symbols=("BTC",)))
    shown = {
        day.strftime("%a"): [block.title for block in filled(ctx, *layout, newsroom=newsroom, day=day)]
        for day in (DAY - timedelta(days=back) for back in range(5))
    }
    assert shown == {"Mon": ["Essay"], "Tue": [], "Wed": [], "Thu": ["Mailbag"], "Fri": ["Charts"]}


def test_a_chart_of_prices_says_what_it_shows_where_from_and_when(ctx: Context) -> None:
    (block,) = filled(
        ctx,
        BlockSpec("charts"),
        newsroom=charts(ChartSpec("c", "Bitcoin rose", symbols=("BTC", "ETH"), comment="*So.*")),
    )
    (figure,) = block.figures
    assert figure.image.alt == ("Line chart, 3/5 to 3/12: Bitcoin from 0.0% to +8.3%; Ether from 0.0% to −7.7%")
    assert (figure.source, figure.as_of, figure.comment) == ("Exchange", NOW, "*So.*")
    assert (figure.image.width, figure.image.height) == (592, 330)
    data = (ctx.media / figure.image.url.rsplit("/", 1)[-1]).read_bytes()
    assert Picture.open(io.BytesIO(data)).width == 2 * figure.image.width


def test_a_chart_of_written_figures_is_shown_on_its_days_and_in_its_newsletters(ctx: Context) -> None:
    bars = ChartSpec(
        "b", "Fees fell", kind="bars", labels=("Q1", "Q2"), series=(SeriesSpec("Fees", (4.0, 2.5)),), unit="$"
    )
    shown = charts(
        replace(bars, slug="ok"), replace(bars, slug="over", until=DAY - timedelta(days=1)),
        replace(bars, slug="ahead", starts=DAY + timedelta(days=1)), replace(bars, slug="other", newsletters=("week",)),
    )  # fmt: skip
    (block,) = filled(ctx, BlockSpec("charts"), newsroom=shown)
    assert [figure.image.alt for figure in block.figures] == ["Bar chart: Q1: $4; Q2: $2.5"]


def test_without_fresh_prices_there_is_no_chart_and_no_block(ctx: Context) -> None:
    assert filled(ctx, BlockSpec("charts"), newsroom=charts(ChartSpec("c", "Old", symbols=("BTC", "OLD")))) == ()


def test_a_market_table_takes_the_prices_that_it_names_in_that_order(ctx: Context) -> None:
    (block,) = filled(ctx, BlockSpec("markets", symbols=("ETH", "OLD", "BTC")))
    assert [quote.symbol for quote in block.quotes] == ["ETH", "BTC"]
    (german,) = filled(ctx, BlockSpec("markets"), locale="de")
    assert german.charts["BTC"].alt == "Bitcoin stieg in 7 Tagen um 8,3\u00a0%"


def test_what_is_written_ahead_takes_its_day_and_no_other(ctx: Context) -> None:
    layout = (BlockSpec("letter", "The usual", body="Every day."), BlockSpec("corrections"), BlockSpec("mailbag"))
    newsroom = Newsroom(letters=(
        LetterSpec("a", SPEC.slug, DAY, "Just today."),
        LetterSpec("b", SPEC.slug, DAY, "We were wrong.", "corrections", "Sorry"),
        LetterSpec("c", SPEC.slug, DAY, "### Is it?\n\nIt is.", "mailbag"),
        LetterSpec("d", "other", DAY, "Not here."),
    ))  # fmt: skip
    today = filled(ctx, *layout, newsroom=newsroom)
    assert [(block.type, block.title, block.body) for block in today[:2]] == [
        ("letter", "The usual", "Just today."), ("corrections", "Sorry", "We were wrong."),
    ]  # fmt: skip
    assert today[2].questions[0].question == "Is it?"
    (tomorrow,) = filled(ctx, *layout, newsroom=newsroom, day=DAY + timedelta(days=1))
    assert tomorrow.body == "Every day."


def test_each_slot_shows_the_sponsor_it_was_sold_to_and_nothing_when_unsold(ctx: Context) -> None:
    sold = SponsorSpec("t", "Tern", "Wallets.", "https://tern.example", DAY, DAY, approved=True)
    sponsors = (
        sold,
        replace(sold, slug="k", advertiser="Kestrel", placement="low"),
        replace(sold, slug="n", placement="mid", approved=False),
    )
    slots = [BlockSpec("sponsor", placement=name) for name in ("top", "mid", "low")]
    shown = filled(ctx, *slots, newsroom=Newsroom(sponsors=sponsors))
    assert [block.sponsor.advertiser for block in shown if block.sponsor] == ["Tern", "Kestrel"]
    assert filled(ctx, *slots, newsroom=Newsroom(sponsors=sponsors), day=DAY + timedelta(days=1)) == ()


def logo(folder: Path, size: tuple[int, int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Picture.new("RGBA", size, (10, 20, 30, 128)).save(folder / "logo.png")


def test_a_logo_from_the_newsletters_folder_stands_in_the_masthead(ctx: Context) -> None:
    assert ctx.newsroom is not None
    logo(ctx.newsroom / "newsletters" / SPEC.slug, (800, 200))
    (block,) = filled(ctx, BlockSpec("masthead"), theme=Theme(logo="logo.png", logo_width=200))
    assert block.image is not None
    assert (block.image.width, block.image.height, block.image.alt) == (200, 50, SPEC.name)
    page, _ = mail(ctx, block)
    assert f'src="{block.image.url}"' in page
    (without,) = filled(ctx, BlockSpec("masthead"), theme=Theme(logo="lost.png"))
    assert without.image is None


def mail(ctx: Context, *blocks: Block) -> tuple[str, str]:
    document = (
        documents.framed(*blocks[1:], newsletter=SPEC.slug)
        if len(blocks) > 1
        else documents.document(*blocks, documents.footer(), newsletter=SPEC.slug)
    )
    fragments = renderer(ctx, SPEC.slug).render(document)
    values = tokens(Head.of(document), fragments, whole(fragments), documents.addressee())
    return html_of(fragments, whole(fragments), values), text_of(fragments, whole(fragments), values)


def own(ctx: Context, name: str, text: str, *, everywhere: bool = False) -> Path:
    assert ctx.newsroom is not None
    folder = ctx.newsroom / ("templates/email" if everywhere else f"newsletters/{SPEC.slug}")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


LETTER = Block(key="letter:1", type="letter", title="Dear reader", body="Hello.")
OWN_LETTER = (
    '<mj-raw>{{ mark(block.key) }}</mj-raw><mj-section><mj-column><mj-table role="presentation"><tr><td>'
    "{{ block.title }}: ours</td></tr></mj-table></mj-column></mj-section>"
)


def test_a_newsletters_own_template_stands_in_for_the_shipped_one_and_no_other(ctx: Context) -> None:
    own(ctx, "blocks/letter.mjml", OWN_LETTER)
    page, text = mail(ctx, documents.masthead(), LETTER)
    assert "Dear reader: ours" in page
    assert "DEAR READER" in text  # its text twin is the shipped one
    fragments = renderer(ctx, "another").render(documents.framed(LETTER))
    assert b"Dear reader: ours" not in b"".join(fragment.html for fragment in fragments)


def test_sheets_words_and_parts_can_be_overridden_for_one_newsletter_or_all(ctx: Context) -> None:
    own(ctx, "words/en.toml", 'unsubscribe = "Leave us"\n')
    own(ctx, "words/en.toml", 'unsubscribe = "Go"\npause = "Take a holiday"\n', everywhere=True)
    own(ctx, "blocks/_parts.txt", "{% macro title(text) %}\n== {{ text }} ==\n{% endmacro %}\n", everywhere=True)
    page, text = mail(ctx, documents.masthead(), LETTER)
    assert "Leave us" in page
    assert "Take a holiday" in page
    assert "== Dear reader ==" in text


def test_a_mistake_in_an_own_template_is_named_by_its_file_and_line(ctx: Context) -> None:
    path = own(ctx, "blocks/letter.mjml", "{{ mark(block.key) }}\n{% if %}\n")
    with pytest.raises(RenderError, match=rf"{path}:2"):
        mail(ctx, documents.masthead(), LETTER)
    path.write_text("<mj-raw>{{ mark(block.key) }}</mj-raw>\n\n{{ block.tytle }}\n")
    with pytest.raises(RenderError, match=rf"{path}:3: .*tytle"):
        mail(ctx, documents.masthead(), LETTER)


def test_the_steps_of_an_issue_are_kept_as_approved_and_told_before(
    sqlite_db: Database, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = make_context(sqlite_db, clock, tmp_path)
    issue = draft_issue(ctx)
    assert budget_of(ctx, issue).steps == ()
    monkeypatch.setattr(Renderer.fit, "__defaults__", (9_000,))
    assert [finding.id for finding in preview.findings(ctx, issue)].count("byte-budget") == 1
    before = budget_of(ctx, issue)
    approve.approve(ctx, issue, "ed")
    after = budget_of(ctx, issue)
    assert (before.frozen, after.frozen) == (False, True)
    assert (after.steps, after.largest) == (before.steps, before.largest)
    assert after.steps
    assert replay.rebuild(ctx, issue).same
