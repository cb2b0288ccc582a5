"""Stories over days, in the real store: who they are, what joins them late, and what editors held of them."""

from pathlib import Path

import pytest
from sqlmodel import select

from digest.domain.content import StoryRule
from digest.store import story_rules
from digest.store.database import Database
from digest.store.tables import Article, Feed
from digest.workflows import stories, surgery
from digest.workflows.context import Context
from tests.conftest import Clock
from tests.curation.make import EVENT, OTHERS
from tests.web.house import make_context


@pytest.fixture
def ctx(db: Database, clock: Clock, tmp_path: Path) -> Context:
    with db.write() as session:
        session.add(Feed(url="https://a.example/feed", name="A"))
    return make_context(db, clock, tmp_path)


def publish(ctx: Context, *titles: str) -> None:
    """Articles that appear now, each from an outlet of its own, and a run."""
    with ctx.db.write() as session:
        feed = session.exec(select(Feed.id)).one() or 0
        for title in titles:
            at = ctx.clock()
            session.add(
                Article(url=f"https://a.example/{title}", title=title, source=f"Outlet of {title}", feed_id=feed,
                        published_at=at, first_seen_at=at)
            )  # fmt: skip
    stories.regroup(ctx)


def where(ctx: Context, *titles: str) -> list[int | None]:
    """The stories that these articles stand in."""
    with ctx.db.read() as session:
        return [session.exec(select(Article.story_id).where(Article.title == title)).one() for title in titles]


def ident(ctx: Context, title: str) -> int:
    with ctx.db.read() as session:
        return session.exec(select(Article.id).where(Article.title == title)).one() or 0


def test_a_running_story_keeps_its_identity_after_its_first_articles_left_the_window(
    ctx: Context, clock: Clock
) -> None:
    publish(ctx, EVENT[0], OTHERS[0])
    first, other = where(ctx, EVENT[0], OTHERS[0])
    for title in EVENT[1:]:
        clock.advance(days=2)
        publish(ctx, title)
    assert where(ctx, *EVENT) == [first, first, first]
    assert first != other


def test_two_runs_one_after_the_other_change_nothing(ctx: Context) -> None:
    publish(ctx, *EVENT, *OTHERS)
    before = where(ctx, *EVENT, *OTHERS)
    assert stories.regroup(ctx) == len(set(before))
    assert where(ctx, *EVENT, *OTHERS) == before


def test_what_was_split_stays_two_when_the_article_that_it_was_split_from_has_left(ctx: Context, clock: Clock) -> None:
    publish(ctx, EVENT[0], EVENT[1])
    old = where(ctx, EVENT[0])[0]
    own = surgery.split(ctx, old or 0, [ident(ctx, EVENT[1])], "ed@example.com")
    clock.advance(days=2)
    publish(ctx, EVENT[2])
    clock.advance(days=2)
    stories.regroup(ctx)
    assert where(ctx, EVENT[0], EVENT[1]) == [old, own]


def test_what_was_merged_stays_one_when_the_articles_between_have_left(ctx: Context, clock: Clock) -> None:
    publish(ctx, OTHERS[0])
    clock.advance(hours=40)
    publish(ctx, OTHERS[1], OTHERS[2])
    one, other, third = where(ctx, *OTHERS)
    surgery.merge(ctx, one or 0, other or 0, "ed@example.com")
    surgery.merge(ctx, one or 0, third or 0, "ed@example.com")
    clock.advance(hours=40)
    stories.regroup(ctx)
    assert where(ctx, *OTHERS) == [one, one, one]
    with ctx.db.read() as session:
        assert story_rules.among(session, [ident(ctx, OTHERS[1])])


def test_of_a_big_window_the_rules_are_those_of_its_articles_alone(ctx: Context) -> None:
    publish(ctx, *OTHERS)
    first, between, last = (ident(ctx, title) for title in OTHERS)
    with ctx.db.write() as session:
        apart, chain = StoryRule(between, between + 9000, False), StoryRule(last, first, True)
        session.add(
            Article(id=between + 9000, url="https://a.example/far", title="Far", source="A", feed_id=1,
                    published_at=ctx.clock(), first_seen_at=ctx.clock())
        )  # fmt: skip
        session.flush()
        story_rules.add(session, [apart, chain], "ed@example.com", ctx.clock())
    window = [first, last, *range(20_000, 21_000)]
    with ctx.db.read() as session:
        assert story_rules.among(session, window) == (chain,)
        assert story_rules.among(session, [*window, between]) == (apart, chain)
        assert story_rules.among(session, [first, last]) == (chain,)


def test_a_sentence_model_reads_what_is_grouped(ctx: Context) -> None:
    read: list[str] = []

    class Model:
        def vectors(self, texts: list[str]) -> list[list[float]]:
            read.extend(texts)
            return [[1.0, 0.0] for _ in texts]

    object.__setattr__(ctx, "sentences", Model())
    publish(ctx, *EVENT)
    assert sorted(read) == sorted(f"{title}." for title in EVENT)
    assert len(set(where(ctx, *EVENT))) == 1
