"""A backtest rebuilds what was drafted: by the same articles, editors' rules and sentence model."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from digest.domain.newsroom import BlockSpec
from digest.domain.ranking import RankingWeights
from digest.store.database import Database
from digest.store.newsroom import write_newsroom
from digest.store.tables import Article, Feed, Placement
from digest.workflows import stories, surgery
from digest.workflows.backtest import backtest
from digest.workflows.context import Context
from digest.workflows.draft import draft
from tests.conftest import NOW, Clock
from tests.curation.make import EVENT, OTHERS
from tests.web.house import NEWSROOM, make_context

LIKELY = (
    "Senate committee votes for the bill on stablecoin reserves",
    "Panel of the Senate backs a bill on tokens after debate",
)
"""One event, in words so different that only a sentence model finds it."""


@pytest.fixture
def ctx(db: Database, clock: Clock, tmp_path: Path) -> Context:
    policy = replace(NEWSROOM.topics[0], sources=tuple(f"Outlet {number}" for number in range(6)))
    blocks = (BlockSpec("masthead"), BlockSpec("lead"), BlockSpec("section", "Policy", "policy"), BlockSpec("footer"))
    ledger = replace(NEWSROOM.newsletters[0], topics=("policy",), blocks=blocks, min_stories=1)
    found = make_context(db, clock, tmp_path)
    with db.write() as session:
        write_newsroom(session, replace(NEWSROOM, topics=(policy,), newsletters=(ledger,)), NOW)
    return found


def publish(ctx: Context, *titles: str) -> None:
    """Articles of the last hours, each of an outlet of its own."""
    with ctx.db.write() as session:
        for number, title in enumerate(titles):
            feed = Feed(url=f"https://outlet{number}.example/feed", name=f"Outlet {number}")
            session.add(feed)
            session.flush()
            at = NOW - timedelta(hours=1 + number)
            session.add(
                Article(url=f"https://outlet{number}.example/{number}", title=title, source=feed.name,
                        feed_id=feed.id or 0, published_at=at, first_seen_at=at)
            )  # fmt: skip


def forget(ctx: Context) -> None:
    """No article says any more what story it stood in: earlier runs would part and join them a little too."""
    with ctx.db.write() as session:
        for article in session.exec(select(Article)):
            article.story_id = None


def drafted(ctx: Context) -> list[str]:
    """The headlines of a new issue, best first."""
    report = draft(ctx, "ledger")
    with ctx.db.read() as session:
        rows = session.exec(select(Placement).where(col(Placement.issue_id) == report.issue))
        placed = {row.item["rank"]: str(row.item["headline"]) for row in rows}
    return [placed[rank] for rank in sorted(placed)]


def rebuilt(ctx: Context) -> list[str]:
    (found,) = backtest(ctx, "ledger", 7)
    return list(found.before)


def test_what_was_drafted_is_what_a_backtest_rebuilds(ctx: Context) -> None:
    publish(ctx, *EVENT, *OTHERS)
    headlines = drafted(ctx)
    assert len(headlines) == 1 + len(OTHERS)
    assert rebuilt(ctx) == headlines


def test_an_editors_split_and_merge_hold_in_a_backtest(ctx: Context) -> None:
    publish(ctx, *EVENT, *OTHERS)
    stories.regroup(ctx)
    with ctx.db.read() as session:
        found = {row.title: (row.id or 0, row.story_id or 0) for row in session.exec(select(Article))}
    surgery.split(ctx, found[EVENT[0]][1], [found[EVENT[0]][0]], "ed@example.com")
    surgery.merge(ctx, found[OTHERS[0]][1], found[OTHERS[1]][1], "ed@example.com")
    forget(ctx)
    headlines = drafted(ctx)
    assert EVENT[0] in headlines
    assert len(set(headlines) & set(EVENT)) == 2
    assert len(set(headlines) & {OTHERS[0], OTHERS[1]}) == 1
    forget(ctx)
    assert rebuilt(ctx) == headlines


def test_a_sentence_model_reads_what_a_backtest_groups(ctx: Context) -> None:
    class Model:
        """Finds that all articles mean the same."""

        def vectors(self, texts: list[str]) -> list[list[float]]:
            return [[1.0, 0.0] for _ in texts]

    object.__setattr__(ctx, "sentences", Model())
    publish(ctx, *LIKELY, *OTHERS)
    headlines = drafted(ctx)
    assert len(set(headlines) & set(LIKELY)) == 1
    forget(ctx)
    assert rebuilt(ctx) == headlines
    object.__setattr__(ctx, "sentences", None)
    assert set(LIKELY) <= set(rebuilt(ctx))


def test_a_backtest_tells_which_places_other_weights_would_change(ctx: Context) -> None:
    # The oldest event has two outlets: it leads by coverage, and a newer single report leads where freshness decides all.
    publish(ctx, OTHERS[0], OTHERS[1], EVENT[0], EVENT[1])
    headlines = drafted(ctx)
    (usual,) = backtest(ctx, "ledger", 7)
    (other,) = backtest(ctx, "ledger", 7, RankingWeights(freshness=50.0))
    assert list(usual.before) == list(usual.after) == headlines
    assert (usual.changed, "no places of the first 10 would change" in str(usual)) == (0, True)
    assert headlines[0] in EVENT
    assert list(other.before) == headlines
    assert other.after[:2] == (OTHERS[0], OTHERS[1])
    assert (other.changed, "3 places of the first 10 would change" in str(other)) == (3, True)
