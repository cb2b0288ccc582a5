"""Stories at the desk: all of the last days as they would rank now, one by one with why, and surgery on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from digest.curation.learned import classify_learned
from digest.curation.text import terms
from digest.domain.calendar import Window
from digest.domain.content import Candidate, Story
from digest.errors import DigestError, UsageError
from digest.store import newsroom, story_rules
from digest.store.story_rules import Step
from digest.store.tables import Article
from digest.store.tables import Story as StoryRow
from digest.web.desk import drawings
from digest.web.desk.edits import sentence
from digest.web.desk.running_order import Bar, bars_of
from digest.web.desk.visit import Desk, go
from digest.workflows import stories, surgery, topic_learning
from digest.workflows.context import Context
from digest.workflows.sign_in import EditorView
from digest.workflows.stories import Overview

SHOWN = 100
"""Stories on one page."""

NEAR = 15
"""Other stories offered to merge with."""


@dataclass(frozen=True)
class Row:
    """One story in the list: its rank, its score and its time line; ``why_not`` if it can't stand in an issue (rank 0)."""

    story: Story
    rank: int
    bars: tuple[Bar, ...]
    ticks: tuple[drawings.Tick, ...]
    why_not: str = ""


@dataclass(frozen=True)
class Deed:
    """A step of an editor with the words that its page shows."""

    step: Step
    titles: tuple[str, ...]
    former: str
    present: str


def add_to(routes: APIRouter, desk: Desk) -> None:
    """Adds ``/desk/stories``, ``/desk/stories/rules`` and ``/desk/stories/{id}``."""
    ctx = desk.ctx

    @routes.get("/stories")
    def list_stories(
        request: Request, editor: Annotated[EditorView, Depends(desk.looking())], newsletter: str = "", find: str = "",
        page: int = 1,
    ) -> Response:  # fmt: skip
        """The stories of the last days, best first; ``find`` shows only those with these words in a title."""
        with ctx.db.read() as session:
            offered = newsroom.newsletters(session)
        if not offered:
            return desk.show(request, "stories.html", editor=editor, seen=None, offered=())
        seen = stories.overview(ctx, newsletter)
        page = min(max(page, 1), 10_000)
        rows = [row for row in _rows(seen) if _has(row.story, find)]
        scale = max((sum(abs(part.value) for part in story.score.parts) for story in seen.ranked), default=0.0)
        legend = tuple(dict.fromkeys(part.name for story in seen.ranked for part in story.score.parts))
        shown = [
            replace(
                row,
                bars=bars_of(row.story.score, legend, scale or 1.0) if row.rank else (),
                ticks=drawings.ticks(row.story, seen.memory),
            )
            for row in rows[(page - 1) * SHOWN : page * SHOWN]
        ]
        near = drawings.latest(seen.ranked, seen.memory)
        return desk.show(
            request, "stories.html", editor=editor, seen=seen, offered=offered, rows=shown, found=len(rows), find=find,
            page=page, pages=max(1, -(-len(rows) // SHOWN)), legend=legend, dots=drawings.dots(seen.ranked, near),
            map_days=drawings.days(near, seen.spec.zone),
            days=drawings.days(seen.memory, seen.spec.zone),
        )  # fmt: skip

    @routes.post("/stories/regroup")
    def regroup(_editor: Annotated[EditorView, Depends(desk.acting("edit"))]) -> Response:
        """Group what came in since the last draft."""
        return go("/desk/stories", good=f"Grouped: {stories.regroup(ctx)} stories in the last days.")

    @routes.get("/stories/rules")
    def rules(request: Request, editor: Annotated[EditorView, Depends(desk.looking())]) -> Response:
        """What editors did to stories, newest first; each step can be taken back."""
        with ctx.db.read() as session:
            deeds = _deeds(session, story_rules.steps(session))
        return desk.show(request, "stories_rules.html", editor=editor, deeds=deeds)

    @routes.post("/stories/steps/{step}/revoke")
    def revoke(step: int, editor: Annotated[EditorView, Depends(desk.acting("edit"))]) -> Response:
        """Take a step back."""
        try:
            surgery.revoke(ctx, step, editor.address)
        except DigestError as error:
            return go("/desk/stories/rules", bad=sentence(error))
        return go(
            "/desk/stories/rules", good="Taken back: its rules hold no more, and its articles are where they were."
        )

    @routes.get("/stories/{story_id}")
    def show(
        request: Request, story_id: int, editor: Annotated[EditorView, Depends(desk.looking())], newsletter: str = ""
    ) -> Response:
        """One story: where it stands and why, its coverage over time, what is new in it, and what editors did."""
        seen = stories.overview(ctx, newsletter)
        portrait = stories.portrait(ctx, seen, story_id)
        story = portrait.story
        with ctx.db.read() as session:
            deeds = _deeds(session, story_rules.steps(session, [article.id for article in story.articles]))
            topics, verdicts = newsroom.topics(session), topic_learning.learned(session)
        stage = drawings.stage(story, ctx.clock())
        bars, zero = drawings.part_bars(portrait.explanation.parts if portrait.explanation else ())
        return desk.show(
            request, "stories_one.html", editor=editor, seen=seen, portrait=portrait, story=story, deeds=deeds, bars=bars,
            zero=zero, columns=drawings.columns(story, stage, seen.spec.zone), days=drawings.days(stage, seen.spec.zone),
            lines=_lines(story, stage), near=_near(story, seen), stage=stage,
            since_x=drawings.x_of(portrait.since, stage) if portrait.since else None,
            articles=sorted(
                classify_learned(story.articles, topics, verdicts), key=lambda a: (a.published_at, a.id), reverse=True
            ),
            topics=topics,
        )  # fmt: skip

    @routes.post("/stories/{story_id}")
    def operate(
        story_id: int,
        editor: Annotated[EditorView, Depends(desk.acting("edit"))],
        do: Annotated[str, Form()] = "",
        articles: Annotated[list[int] | None, Form()] = None,
        to: Annotated[str, Form()] = "",
        number: Annotated[str, Form()] = "",
        topic: Annotated[str, Form()] = "",
    ) -> Response:
        """Split off the ticked articles, move them to another story, merge another story into this one, or say whether
        the ticked ones belong to a topic."""
        back, chosen = f"/desk/stories/{story_id}", articles or []
        try:
            if do == "split":
                fresh = surgery.split(ctx, story_id, chosen, editor.address)
                return go(f"/desk/stories/{fresh}", good="A story of its own now. All later runs keep it so.")
            if do in ("belongs", "belongs-not"):
                return go(back, good=_corrected(ctx, topic, chosen, do == "belongs", editor.address))
            if do not in ("merge", "move"):
                raise UsageError(f"there is no step {do!r}")
            other = _number(number or to)
            if do == "merge":
                surgery.merge(ctx, story_id, other, editor.address)
                return go(back, good="One story now. All later runs keep it so.")
            if not chosen:
                raise UsageError("tick the articles that are to move")
            for article in chosen:
                surgery.move(ctx, article, other, editor.address)
            return go(f"/desk/stories/{other}", good=f"Moved {len(chosen)} here. All later runs keep it so.")
        except DigestError as error:
            return go(back, bad=sentence(error))


def _corrected(ctx: Context, topic: str, articles: Sequence[int], belongs: bool, editor: str) -> str:
    if not topic:
        raise UsageError("choose the topic")
    if not articles:
        raise UsageError("tick the articles that you mean")
    for article in articles:
        topic_learning.correct(ctx, topic, article, belongs=belongs, editor=editor)
    verdict = topic_learning.verdicts(ctx).get(topic)
    count = f"{len(articles)} {'article' if len(articles) == 1 else 'articles'}"
    return f"Noted of {count}. {topic}: {verdict.why}." if verdict else f"Noted of {count}."


def _rows(seen: Overview) -> list[Row]:
    ranked = [Row(story, rank, (), ()) for rank, story in enumerate(seen.ranked, start=1)]
    foreign = [Row(story, 0, (), (), "none of its topics") for story in seen.foreign]
    return ranked + foreign + [Row(story, 0, (), (), "older than the issue’s window") for story in seen.older]


def _has(story: Story, find: str) -> bool:
    words = find.casefold().split()
    return not words or any(all(word in article.title.casefold() for word in words) for article in story.articles)


def _number(text: str) -> int:
    if not text.strip().lstrip("#").isdigit():
        raise UsageError("choose the other story, or write its number")
    return int(text.strip().lstrip("#"))


def _near(story: Story, seen: Overview) -> list[Story]:
    """Other stories of the last days, those with most words in common first."""
    own = frozenset(word for article in story.articles for word in terms(article.title))

    def likeness(other: Story) -> float:
        words = frozenset(word for article in other.articles for word in terms(article.title))
        return len(own & words) / (len(own | words) or 1)

    others = [other for other in (*seen.ranked, *seen.foreign, *seen.older) if other.story_id != story.story_id]
    return sorted(others, key=lambda other: (-likeness(other), other.story_id))[:NEAR]


def _lines(story: Story, stage: Window) -> list[tuple[str, tuple[drawings.Tick, ...]]]:
    """A time line for every outlet, the first to have the story on top."""
    outlets: dict[str, list[Candidate]] = {}
    for article in sorted(story.articles, key=lambda article: (article.published_at, article.id)):
        outlets.setdefault(article.source, []).append(article)
    return [
        (
            name,
            tuple(
                drawings.Tick(drawings.x_of(a.published_at, stage), a.id in story.copies, a.title) for a in found
            ),
        )
        for name, found in outlets.items()
    ]  # fmt: skip


def _deeds(session: Session, steps: Sequence[Step]) -> list[Deed]:
    articles = {ident for step in steps for ident in step.articles}
    named = {ident for step in steps for ident in (step.former, step.present) if ident is not None}
    titles = {row.id: row.title for row in session.exec(select(Article).where(col(Article.id).in_(articles)))}
    heads = {row.id: row.headline for row in session.exec(select(StoryRow).where(col(StoryRow.id).in_(named)))}
    return [
        Deed(
            step,
            tuple(titles.get(ident, f"article {ident}") for ident in step.articles),
            heads.get(step.former, "") if step.former is not None else "",
            heads.get(step.present, ""),
        )
        for step in steps
    ]
