from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from digest.domain.content import Entry, TopicProfile
from digest.domain.incoming import incoming
from digest.errors import NotFound
from digest.store import newsroom
from digest.store.articles import upsert
from digest.store.database import Database
from digest.store.tables import Article, Feed, TopicCorrection
from digest.workflows.context import Context
from digest.workflows.topic_learning import correct, verdicts
from digest.workflows.topics import try_topic
from tests.conftest import NOW, Clock
from tests.workflows.world import FakeSender, context

BANKS = TopicProfile("banks", "Banks", include=("bank",))
TITLES = ("A bank opens", "The bank shuts", "Credit union grows")


@pytest.fixture
def ctx(db: Database, tmp_path: Path) -> Context:
    found = context(db, tmp_path, FakeSender(), Clock())
    with db.write() as session:
        newsroom.write_newsroom(session, replace(newsroom.read_newsroom(session), topics=(BANKS,)), NOW)
        feed = Feed(url="https://wire.example/feed", name="The Wire")
        session.add(feed)
        session.flush()
        entries = [
            incoming(Entry(guid=str(n), url="", title=title), f"https://w.example/{n}", NOW - timedelta(hours=n + 1))
            for n, title in enumerate(TITLES)
        ]  # fmt: skip
        upsert(session, feed.id or 0, feed.name, entries, NOW)
    return found


def ids(ctx: Context) -> dict[str, int]:
    with ctx.db.read() as session:
        return {article.title: article.id or 0 for article in session.exec(select(Article))}


def test_a_change_of_a_topic_is_tried_with_what_joins_leaves_and_stays(ctx: Context) -> None:
    trial = try_topic(ctx, replace(BANKS, include=("bank", "credit union"), exclude=("shuts",)))
    assert [row.title for row in trial.join] == ["Credit union grows"]
    assert trial.join[0].evidence == ('title: "credit union"',)
    assert [row.title for row in trial.leave] == ["The bank shuts"]
    assert (trial.articles, trial.stay) == (3, 1)
    assert str(trial).startswith("banks: of 3 articles 1 stay, 1 join, 1 leave\n  + Credit union grows (The Wire;")


def test_a_trial_saves_nothing_and_looks_at_its_days_alone(ctx: Context) -> None:
    try_topic(ctx, replace(BANKS, include=("union",)))
    with ctx.db.read() as session:
        assert newsroom.topics(session) == (BANKS,)
    ctx.clock.advance(days=8)  # type: ignore[attr-defined]
    assert try_topic(ctx, BANKS).articles == 0


def test_the_newest_word_of_an_editor_counts(ctx: Context) -> None:
    article = ids(ctx)["A bank opens"]
    correct(ctx, "banks", article, belongs=True, editor="ana@example.org")
    correct(ctx, "banks", article, belongs=False, editor="ben@example.org")
    with ctx.db.read() as session:
        (row,) = session.exec(select(TopicCorrection))
        assert (row.belongs, row.editor) == (False, "ben@example.org")
    assert verdicts(ctx)["banks"].why == "the rules decide: 0 and 1 corrections, 25 each needed"


def test_a_correction_of_what_is_not_there_is_refused(ctx: Context) -> None:
    with pytest.raises(NotFound, match="no topic 'boats'"):
        correct(ctx, "boats", ids(ctx)["A bank opens"], belongs=True, editor="ana@example.org")
    with pytest.raises(NotFound, match="no article 99"):
        correct(ctx, "banks", 99, belongs=True, editor="ana@example.org")
