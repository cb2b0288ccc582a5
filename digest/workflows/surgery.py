"""What an editor does to stories themselves: split, merge, move. Each writes rules that grouping obeys for ever.

Every step is one transaction: the articles change stories at once, the rules are kept for all later runs, and the
audit log gets who did it. A step writes about as many rules as it has articles, and can be taken back as one. Drafts
that exist stay as editors shaped them.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise

from sqlmodel import Session, col, select

from digest.domain.content import StoryRule
from digest.errors import NotFound, StateConflict, UsageError
from digest.store import audit_log, story_rules
from digest.store.tables import Article, Story
from digest.workflows.context import Context


def split(ctx: Context, story_id: int, article_ids: Collection[int], actor: str) -> int:
    """Make a story of its own from some articles of a story.

    Returns:
        The id of the new story.

    Raises:
        NotFound: no such story.
        UsageError: an article does not stand in the story, or nothing would be left of one side.
    """
    with ctx.db.write() as session:
        story, articles = _story(session, story_id)
        leaving = _chosen(articles, article_ids, story_id)
        staying = [article for article in articles if article not in leaving]
        if not leaving or not staying:
            raise UsageError(f"story {story_id}: choose some of its {len(articles)} articles, and leave some")
        now = ctx.clock()
        newest = max(article.published_at for article in leaving)
        fresh = Story(
            headline=leaving[0].title, created_at=now, last_article_at=newest, last_sent_at=story.last_sent_at
        )
        session.add(fresh)
        session.flush()
        assert fresh.id is not None
        rules = [_rule(leaving[0], staying[0], together=False), *_chain(leaving), *_chain(staying)]
        _carry_out(ctx, session, leaving, fresh.id, rules, actor, "split", story_id)
        return fresh.id


def merge(ctx: Context, story_id: int, other_id: int, actor: str) -> int:
    """Make one story of two; it keeps the identity of the first.

    Returns:
        ``story_id``.

    Raises:
        NotFound: no such story.
        UsageError: it is one story, or one of them has no articles.
    """
    if story_id == other_id:
        raise UsageError(f"story {story_id} can't be merged with itself")
    with ctx.db.write() as session:
        _, articles = _story(session, story_id)
        _, others = _story(session, other_id)
        if not articles or not others:
            empty = other_id if articles else story_id
            raise UsageError(f"story {empty} has no articles any more: there is nothing to merge")
        rules = _chain([*articles, *others])
        _carry_out(ctx, session, others, story_id, rules, actor, "merge", other_id)
    return story_id


def move(ctx: Context, article_id: int, story_id: int, actor: str) -> int:
    """Put one article into another story, and keep it out of the one it stood in.

    Returns:
        ``story_id``.

    Raises:
        NotFound: no such article or story.
        UsageError: the article stands there already.
    """
    with ctx.db.write() as session:
        article = session.get(Article, article_id)
        if article is None:
            raise NotFound(f"there is no article {article_id}")
        if article.story_id == story_id:
            raise UsageError(f"article {article_id} stands in story {story_id} already")
        _, there = _story(session, story_id)
        if not there:
            raise UsageError(f"story {story_id} has no articles any more: there is nothing to join")
        former = _of(session, article.story_id) if article.story_id is not None else []
        left = [other for other in former if other.id != article_id]
        apart = [_rule(article, left[0], together=False)] if left else []
        rules = [*apart, *_chain(left), *_chain([article, *there])]
        _carry_out(ctx, session, [article], story_id, rules, actor, "move", article.story_id)
    return story_id


def revoke(ctx: Context, step: int, actor: str) -> None:
    """Take a step back: its rules end, and its articles return to the story that they came from.

    An article that a later step has moved on stays where it is.

    Args:
        step: as ``story_rules.steps`` names it.

    Raises:
        NotFound: no such step.
        StateConflict: it was taken back already.
    """
    with ctx.db.write() as session:
        now = ctx.clock()
        entry = story_rules.step_entry(session, step)
        if entry is None or entry.before is None or entry.after is None:
            raise NotFound(f"there is no step {step} on a story")
        if not story_rules.end(session, step, actor, now):
            raise StateConflict("this step was taken back already")
        former, present = entry.before["story"], entry.after["story"]
        returned = []
        if former is not None:
            for article in _of(session, present):
                if article.id in entry.after["articles"]:
                    article.story_id = former
                    session.add(article)
                    returned.append(article.id)
        audit_log.record(
            session, now, actor, "revoke", f"story:{present}",
            before={"step": step, "story": present, "articles": returned}, after={"story": former, "articles": returned},
        )  # fmt: skip


def _story(session: Session, story_id: int) -> tuple[Story, list[Article]]:
    story = session.get(Story, story_id)
    if story is None:
        raise NotFound(f"there is no story {story_id}")
    return story, _of(session, story_id)


def _of(session: Session, story_id: int) -> list[Article]:
    found = select(Article).where(Article.story_id == story_id)
    return list(session.exec(found.order_by(col(Article.published_at), col(Article.id))))


def _chosen(articles: Sequence[Article], wanted: Collection[int], story_id: int) -> list[Article]:
    strange = sorted(set(wanted) - {article.id for article in articles})
    if strange:
        raise UsageError(f"article {strange[0]} does not stand in story {story_id}")
    return [article for article in articles if article.id in wanted]


def _chain(articles: Sequence[Article]) -> list[StoryRule]:
    """One story, said with as few rules as can be; it holds when articles in its middle have left the window."""
    return [_rule(one, other, together=True) for one, other in pairwise(articles)]


def _rule(one: Article, other: Article, *, together: bool) -> StoryRule:
    return StoryRule(one.id or 0, other.id or 0, together)


def _carry_out(
    ctx: Context,
    session: Session,
    articles: Sequence[Article],
    story_id: int,
    rules: Sequence[StoryRule],
    actor: str,
    action: str,
    former: int | None,
) -> None:
    now = ctx.clock()
    for article in articles:
        article.story_id = story_id
        session.add(article)
    story = session.get(Story, story_id)
    if story is not None:
        story.last_article_at = max(story.last_article_at, *(article.published_at for article in articles))
        session.add(story)
    moved = sorted(article.id or 0 for article in articles)
    entry = audit_log.record(
        session,
        now,
        actor,
        action,
        f"story:{story_id}",
        before={"story": former, "articles": moved},
        after={"story": story_id, "articles": moved},
    )
    story_rules.add(session, rules, actor, now, step=entry.id)
