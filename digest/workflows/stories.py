"""The stories of the last days as an editor looks at them: how each would rank now, why, and what is new in it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from digest.curation.compose import suitable_for
from digest.curation.dedupe import READ
from digest.curation.developing import developments
from digest.curation.explain import Explanation, explain
from digest.curation.group import as_known, group
from digest.curation.learned import classify_learned
from digest.curation.rank import rank
from digest.curation.window import fresh
from digest.domain.calendar import Window
from digest.domain.content import Story
from digest.domain.newsroom import NewsletterSpec
from digest.errors import NotFound
from digest.store import issues, newsroom, story_rules
from digest.store.articles import candidates, of_story
from digest.store.stories import save_stories
from digest.store.tables import Issue, Placement
from digest.store.tables import Story as StoryRow
from digest.workflows.context import Context
from digest.workflows.draft import MEMORY, cadence_of, offered
from digest.workflows.meanings import meanings
from digest.workflows.topic_learning import learned
from digest.workflows.track_record import track_record


@dataclass(frozen=True, slots=True)
class Overview:
    """All stories of the last days, best first, ranked as an issue of one newsletter that ended now would rank them.

    Attributes:
        window: what that issue would cover.
        ranked: stories that could stand in it.
        foreign: stories of that time that have none of the newsletter's topics; they stand behind, without a score.
        older: stories without newer articles; they stand last, without a score.
        memory: the time whose articles are grouped, ``window`` included.
        articles: how many articles there are; ``ungrouped`` of them stand in no story yet.
    """

    spec: NewsletterSpec
    window: Window
    memory: Window
    ranked: tuple[Story, ...]
    foreign: tuple[Story, ...]
    older: tuple[Story, ...]
    articles: int
    ungrouped: int

    @property
    def period(self) -> timedelta:
        """The time that an issue covers."""
        return self.window.end - self.window.start

    def place(self, story_id: int) -> int | None:
        """Where a story stands among the ranked ones, from 0."""
        return next((index for index, story in enumerate(self.ranked) if story.story_id == story_id), None)


@dataclass(frozen=True, slots=True)
class Portrait:
    """One story: where it stands and why, what is new since an issue carried it, and in which issues it stands.

    Attributes:
        explanation: None if it would not stand in an issue now.
        neighbours: the stories before and behind it in rank, if there are.
        news: sentences that earlier articles did not have.
        since: the moment from which they are new: when an issue last carried the story, else the end of the last issue;
            None for a story that began after it.
        carried: whether an issue of this newsletter carried it before ``since``.
    """

    story: Story
    explanation: Explanation | None
    neighbours: tuple[Story | None, Story | None]
    news: tuple[str, ...]
    since: datetime | None
    carried: bool
    issues: tuple[Issue, ...]


def overview(ctx: Context, slug: str = "") -> Overview:
    """The stories of the last days, as the newsletter ``slug`` would rank them; "" takes the first newsletter.

    Raises:
        NotFound: no such newsletter, or none at all.
    """
    now = ctx.clock()
    with ctx.db.read() as session:
        spec = _newsletter(session, slug)
        period = cadence_of(spec).period
        window = Window(now - period, now)
        memory = Window(now - max(MEMORY, period), now)
        found = candidates(session, memory)
        topics, verdicts = newsroom.topics(session), learned(session)
        row, _ = issues.newsletter(session, spec.slug)
        told = issues.carried(session, row.id or 0)
        record = track_record(session, row.id or 0, now)
    known = [article for article in found if article.story_id is not None]
    labelled = classify_learned(known, topics, verdicts)
    stories = [replace(story, last_sent_at=told.get(story.story_id or 0)) for story in as_known(labelled)]
    current = rank(fresh(stories, window), as_of=now, window=period, weights=spec.ranking, priors=record)
    ranked = suitable_for(current, spec.blocks, offered(spec, topics))
    running = {story.story_id for story in ranked}
    foreign = tuple(story for story in current if story.story_id not in running)
    there = {story.story_id for story in current}
    older = [story for story in stories if story.story_id not in there]
    older.sort(key=lambda story: max(article.published_at for article in story.articles), reverse=True)
    return Overview(spec, window, memory, tuple(ranked), foreign, tuple(older), len(found), len(found) - len(known))


def portrait(ctx: Context, seen: Overview, story_id: int) -> Portrait:
    """One story of an overview; an older one is shown as far as its articles are kept.

    Raises:
        NotFound: no such story.
    """
    place, ranked = seen.place(story_id), seen.ranked
    with ctx.db.read() as session:
        if session.get(StoryRow, story_id) is None:
            raise NotFound(f"there is no story {story_id}")
        found = of_story(session, story_id)
        if not found:
            raise NotFound(f"story {story_id} has no articles any more")
        row, _ = issues.newsletter(session, seen.spec.slug)
        last = issues.latest(session, row.id or 0)
        sent = issues.carried(session, row.id or 0).get(story_id)
        placed = select(Placement.issue_id).where(Placement.story_id == story_id)
        query = select(Issue).where(col(Issue.id).in_(placed)).order_by(col(Issue.window_end).desc())
        standing = tuple(session.exec(query))
    story = replace(as_known(found)[0], last_sent_at=sent)
    if place is not None:
        story = replace(story, score=ranked[place].score, topics=ranked[place].topics)
    since = sent or (last.window_end if last is not None else None)
    is_running = since is not None and found[0].published_at < since
    return Portrait(
        story=story,
        explanation=None if place is None else explain(ranked, place, window=seen.period, weights=seen.spec.ranking),
        neighbours=(
            ranked[place - 1] if place else None,
            ranked[place + 1] if place is not None and place + 1 < len(ranked) else None,
        ),
        news=developments(story, since) if since is not None and is_running else (),
        since=since if is_running else None,
        carried=sent is not None,
        issues=standing,
    )


def regroup(ctx: Context) -> int:
    """Group the articles of the last days, as the next draft would; how many stories there are."""
    now = ctx.clock()
    with ctx.db.read() as session:
        found = candidates(session, Window(now - MEMORY, now + timedelta(minutes=1)), text=READ)
        rules = story_rules.among(session, [article.id for article in found])
    stories = group(found, rules, meanings(ctx, found))
    with ctx.db.write() as session:
        save_stories(session, stories, now)
    return len(stories)


def _newsletter(session: Session, slug: str) -> NewsletterSpec:
    if slug:
        return issues.newsletter(session, slug)[1]
    first = next(iter(newsroom.newsletters(session)), None)
    if first is None:
        raise NotFound("there is no newsletter yet: run `digest newsroom apply`")
    return first
