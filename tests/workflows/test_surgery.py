"""Stories under an editor's hand: what was split, merged or moved stays so in every later run."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from digest.curation.group import group
from digest.domain.content import Candidate
from digest.errors import NotFound, StateConflict, UsageError
from digest.store import audit_log, story_rules
from digest.store.database import Database
from digest.store.stories import save_stories
from digest.store.tables import Article, Feed
from digest.workflows import surgery
from digest.workflows.context import Context
from tests.conftest import Clock
from tests.curation.make import EVENT, OTHERS
from tests.web.house import make_context

ACTOR = "ed@example.com"


@pytest.fixture
def ctx(db: Database, clock: Clock, tmp_path: Path) -> Context:
    return make_context(db, clock, tmp_path)


def run(ctx: Context) -> dict[str, int]:
    """Group all there is, as a draft does; title → story."""
    with ctx.db.write() as session:
        rows = list(session.exec(select(Article)))
        found = [
            Candidate(row.id or 0, row.title, row.url, row.source, row.published_at, story_id=row.story_id)
            for row in rows
        ]
        stories = save_stories(session, group(found, story_rules.among(session, [c.id for c in found])), ctx.clock())
    return {article.title: story.story_id or 0 for story in stories for article in story.articles}


def article_of(ctx: Context, title: str) -> int:
    with ctx.db.read() as session:
        return session.exec(select(Article.id).where(Article.title == title)).one() or 0


@pytest.fixture
def before(ctx: Context) -> dict[str, int]:
    with ctx.db.write() as session:
        feed = Feed(url="https://a.example/feed", name="A")
        session.add(feed)
        session.flush()
        for number, title in enumerate((*EVENT, *OTHERS)):
            at = ctx.clock() - timedelta(hours=number)
            session.add(
                Article(url=f"https://a.example/{number}", title=title, source=f"S{number}", feed_id=feed.id or 0,
                        published_at=at, first_seen_at=at)
            )  # fmt: skip
    return run(ctx)


def test_what_was_split_off_stays_a_story_of_its_own(ctx: Context, before: dict[str, int]) -> None:
    fresh = surgery.split(ctx, before[EVENT[0]], [article_of(ctx, EVENT[1])], ACTOR)
    after = run(ctx)
    assert after == run(ctx)
    assert (after[EVENT[0]], after[EVENT[1]], after[EVENT[2]]) == (before[EVENT[0]], fresh, before[EVENT[0]])
    with ctx.db.read() as session:
        entry = audit_log.about(session, f"story:{fresh}")[0]
        assert (entry.actor, entry.action) == (ACTOR, "split")


def test_merged_stories_stay_one_with_the_first_identity(ctx: Context, before: dict[str, int]) -> None:
    surgery.merge(ctx, before[OTHERS[0]], before[OTHERS[1]], ACTOR)
    after = run(ctx)
    assert after[OTHERS[0]] == after[OTHERS[1]] == before[OTHERS[0]]


def test_a_moved_article_stays_where_it_was_put_and_may_be_moved_back(ctx: Context, before: dict[str, int]) -> None:
    there, ident = before[OTHERS[0]], article_of(ctx, EVENT[2])
    surgery.move(ctx, ident, there, ACTOR)
    assert run(ctx)[EVENT[2]] == there
    surgery.move(ctx, ident, before[EVENT[0]], ACTOR)
    assert run(ctx) == before


def test_a_step_that_is_taken_back_leaves_no_rule_and_its_articles_return(ctx: Context, before: dict[str, int]) -> None:
    surgery.merge(ctx, before[OTHERS[0]], before[EVENT[0]], ACTOR)
    with ctx.db.read() as session:
        step = story_rules.steps(session)[0]
    assert (step.action, step.actor, len(step.articles), step.revoked_at) == ("merge", ACTOR, len(EVENT), None)
    surgery.revoke(ctx, step.id, "other@example.com")
    assert run(ctx) == before
    with ctx.db.read() as session:
        assert story_rules.steps(session)[0].revoked_by == "other@example.com"
        assert story_rules.among(session, [article_of(ctx, title) for title in EVENT]) == ()
        assert audit_log.about(session, f"story:{before[OTHERS[0]]}")[0].action == "revoke"
    with pytest.raises(StateConflict):
        surgery.revoke(ctx, step.id, ACTOR)
    with pytest.raises(NotFound):
        surgery.revoke(ctx, step.id + 1, ACTOR)


def test_what_a_later_step_moved_on_stays_there(ctx: Context, before: dict[str, int]) -> None:
    first, second, ident = before[OTHERS[0]], before[OTHERS[1]], article_of(ctx, EVENT[2])
    surgery.move(ctx, ident, first, ACTOR)
    surgery.move(ctx, ident, second, ACTOR)
    with ctx.db.read() as session:
        newest, oldest = story_rules.steps(session, [ident])
    assert newest.id > oldest.id
    surgery.revoke(ctx, oldest.id, ACTOR)
    assert run(ctx)[EVENT[2]] == second


def test_merging_writes_about_as_many_rules_as_there_are_articles(ctx: Context, before: dict[str, int]) -> None:
    surgery.merge(ctx, before[EVENT[0]], before[OTHERS[0]], ACTOR)
    surgery.merge(ctx, before[EVENT[0]], before[OTHERS[1]], ACTOR)
    with ctx.db.read() as session:
        assert [step.rules for step in story_rules.steps(session)] == [len(EVENT) + 1, len(EVENT)]


def test_a_story_holds_together_when_the_middle_of_its_chain_has_left_the_window(
    ctx: Context, before: dict[str, int]
) -> None:
    surgery.merge(ctx, before[OTHERS[2]], before[EVENT[0]], ACTOR)
    ends = [article_of(ctx, OTHERS[2]), article_of(ctx, EVENT[0])]
    with ctx.db.read() as session:
        rules = story_rules.among(session, ends)
    titles = zip(ends, (OTHERS[0], OTHERS[1]), strict=True)
    candidates = [Candidate(i, title, f"https://a.example/{i}", f"S{i}", ctx.clock()) for i, title in titles]
    assert len(group(candidates, rules)) == 1


def test_what_makes_no_sense_is_refused_and_changes_nothing(ctx: Context, before: dict[str, int]) -> None:
    one, ident = before[EVENT[0]], article_of(ctx, EVENT[0])
    everything = [article_of(ctx, title) for title in EVENT]
    for step in (
        lambda: surgery.split(ctx, one, everything, ACTOR),
        lambda: surgery.split(ctx, one, [], ACTOR),
        lambda: surgery.split(ctx, one, [article_of(ctx, OTHERS[0])], ACTOR),
        lambda: surgery.merge(ctx, one, one, ACTOR),
        lambda: surgery.move(ctx, ident, one, ACTOR),
    ):
        with pytest.raises(UsageError):
            step()
    for missing in (lambda: surgery.merge(ctx, one, 9999, ACTOR), lambda: surgery.move(ctx, 9999, one, ACTOR)):
        with pytest.raises(NotFound):
            missing()
    assert run(ctx) == before
