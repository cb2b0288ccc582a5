"""An approved issue with stories in ten topics, without pictures or a mail around it: what planning needs."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import select

from digest.domain.audience import Signer
from digest.domain.issue import Block, PlacedItem, Section, StoryItem
from digest.domain.newsroom import BlockSpec, NewsletterSpec
from digest.feeds.fetch import Fetcher
from digest.render.pipeline import Renderer
from digest.senders.open import open_sender
from digest.store import issues
from digest.store.database import Database
from digest.store.tables import Issue, Newsletter, Story, Topic
from digest.workflows.context import Context
from digest.workflows.document import document_of

TOPICS = tuple(f"t{n}" for n in range(10))
SPEC = NewsletterSpec(
    slug="bench", name="The Bench", tagline="Measured.", host="Ann", from_address="ann@bench.example",
    postal_address="1 Harbour Road, Lisbon", topics=TOPICS, hour="11:00",
    blocks=(BlockSpec("masthead"), BlockSpec("lead"), *(BlockSpec("section", t, t) for t in TOPICS), BlockSpec("footer")),
)  # fmt: skip
TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


def context(db: Database, now: datetime) -> Context:
    """A service whose clock stands still."""
    return Context(
        db=db, sender=open_sender("console://"), fetcher=Fetcher(), signer=Signer(b"k" * 32), clock=lambda: now,
        public_url="https://mail.bench.example", var=Path("var"), templates=TEMPLATES,
    )  # fmt: skip


def publish(ctx: Context, number: int, stories: Iterable[int]) -> int:
    """An approved issue of these stories; its id."""
    from digest.domain.content import TopicProfile

    now = ctx.clock()
    with ctx.db.write() as session:
        if session.exec(select(Newsletter)).first() is None:
            spec = TypeAdapter(NewsletterSpec).dump_python(SPEC, mode="json")
            session.add(Newsletter(id=1, slug=SPEC.slug, name=SPEC.name, spec=spec))
            for topic in TOPICS:
                profile: dict[str, Any] = TypeAdapter(TopicProfile).dump_python(TopicProfile(topic, topic), mode="json")
                session.add(Topic(slug=topic, name=topic, spec=profile))
        known = set(session.exec(select(Story.id)))
        for story in set(stories) - known:
            session.add(Story(id=story, headline=f"Story {story}", created_at=now, last_article_at=now))
        session.flush()
        issue = Issue(
            newsletter_id=1, cadence="daily", slot=f"slot {number}", number=number,
            due_at=now + timedelta(days=number), window_start=now - timedelta(days=1), window_end=now, created_at=now,
        )  # fmt: skip
        session.add(issue)
        session.flush()
        assert issue.id is not None
        sections = [
            Section(
                f"section:{topic}", topic, topic,
                tuple(PlacedItem(_item(story, topic, now), "card") for story in stories if story % 10 == index),
            )
            for index, topic in enumerate(TOPICS)
        ]  # fmt: skip
        blocks = [
            Block(key="masthead", type="masthead"), Block(key="lead", type="lead"),
            *(Block(key=section.key, type="section", title=section.title) for section in sections),
            Block(key="footer", type="footer"),
        ]  # fmt: skip
        issues.save_draft(session, issue.id, SPEC, blocks, [section for section in sections if section.items])
        issues.save_fragments(session, issue.id, Renderer(TEMPLATES).render(document_of(session, issue.id, ctx)))
        issues.move(session, issue.id, ["draft"], "approved", approved_at=now, approved_by="ann")
        return issue.id


def _item(story: int, topic: str, now: datetime) -> StoryItem:
    return StoryItem(
        story_id=story, rank=story, headline=f"Story {story} moves on", url=f"https://news.example/{story}",
        source="The Wire", published_at=now - timedelta(hours=1), dek="What happened, and why it matters.",
        topics=(topic,), kicker=topic, articles=(story,),
    )  # fmt: skip
