"""A small service with an approved issue and readers, for tests of delivery. Everything in it is the real thing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter
from sqlmodel import Session, col, select

from digest.domain.audience import Signer, TopicChoice
from digest.domain.content import TopicProfile
from digest.domain.issue import Block, IssueDocument, PlacedItem, Section, StoryItem
from digest.domain.mail import Fragment, Message, SendResult
from digest.domain.newsroom import BlockSpec, NewsletterSpec
from digest.feeds.fetch import Fetcher
from digest.render.pipeline import Renderer
from digest.senders.base import HandOver, Sender
from digest.store import issues
from digest.store.database import Database
from digest.store.subscribers import choose_topics
from digest.store.tables import (
    Delivery,
    Issue,
    LedgerRow,
    Newsletter,
    QueueRow,
    Story,
    Subscriber,
    Subscription,
    Suppression,
    Topic,
)
from digest.workflows.context import Context
from digest.workflows.document import document_of
from tests.conftest import NOW, Clock  # type: ignore[import-not-found]

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
TOPICS = ("policy", "markets")
SPEC = NewsletterSpec(
    slug="ledger",
    name="The Ledger",
    tagline="Money, plainly told.",
    host="Ann Lee",
    from_address="ann@ledger.example",
    postal_address="1 Harbour Road, Lisbon",
    topics=TOPICS,
    blocks=(
        BlockSpec("masthead"),
        BlockSpec("lead"),
        BlockSpec("section", "Policy", "policy"),
        BlockSpec("section", "Markets", "markets"),
        BlockSpec("footer"),
    ),
)
STORIES = {"policy": (1, 2, 3), "markets": (4, 5, 6)}


_RENDERED: dict[str, tuple[Fragment, ...]] = {}


def rendered(document: IssueDocument) -> tuple[Fragment, ...]:
    """The real fragments; rendered once for all tests that publish the same."""
    key = repr(document)
    if key not in _RENDERED:
        _RENDERED[key] = Renderer(TEMPLATES).render(document)
    return _RENDERED[key]


@dataclass
class FakeSender:
    """Takes everything, or does what its ``script`` says for an address."""

    name: str = "fake"
    idempotent: bool = False
    batch: int = 10
    script: dict[str, SendResult | Exception] = field(default_factory=dict)
    taken: list[Message] = field(default_factory=list)
    on_hand_over: Callable[[Message], None] = lambda _message: None

    def send(self, messages: Sequence[Message], hand_over: HandOver) -> Iterable[SendResult]:
        for message in messages:
            answer = self.script.get(message.recipient, self.script.get("*"))
            if isinstance(answer, Exception):
                raise answer
            hand_over(message)
            self.on_hand_over(message)
            if answer is None:
                self.taken.append(message)
                yield SendResult(message, "sent", code="250 2.0.0", detail="taken")
            else:
                yield SendResult(message, answer.outcome, answer.code, answer.detail, retry_after=answer.retry_after)

    def close(self) -> None:
        pass

    @property
    def recipients(self) -> list[str]:
        return sorted(message.recipient for message in self.taken)


def context(db: Database, var: Path, sender: Sender, clock: Clock, **more: object) -> Context:
    return Context(
        db=db,
        sender=sender,
        fetcher=Fetcher(),
        signer=Signer(b"k" * 32),
        clock=clock,
        public_url="https://mail.ledger.example",
        var=var,
        templates=TEMPLATES,
        **{"rest": lambda seconds: clock.advance(seconds=seconds), **more},  # type: ignore[arg-type]
    )


def item(number: int, topic: str, **changes: object) -> StoryItem:
    values: dict[str, object] = {
        "story_id": number, "rank": number, "headline": f"Story {number} on {topic} moves on",
        "url": f"https://news.example/{number}", "source": "The Wire", "published_at": NOW - timedelta(hours=number),
        "dek": f"What happened in story {number}, and why it matters to those who hold the bag.",
        "topics": (topic,), "kicker": topic.title(),
    }  # fmt: skip
    return StoryItem(**{**values, **changes})  # type: ignore[arg-type]


def publish(
    ctx: Context, number: int = 1, stories: dict[str, tuple[int, ...]] = STORIES, updates: Iterable[int] = ()
) -> int:
    """An approved issue with these stories; its id. The newsletter is made with the first."""
    now = ctx.clock()
    with ctx.db.write() as session:
        newsletter = session.exec(select(Newsletter)).first()
        if newsletter is None:
            newsletter = Newsletter(
                slug=SPEC.slug, name=SPEC.name, spec=TypeAdapter(NewsletterSpec).dump_python(SPEC, mode="json")
            )
            session.add(newsletter)
            for topic in TOPICS:
                profile = TypeAdapter(TopicProfile).dump_python(TopicProfile(topic, topic.title()), mode="json")
                session.add(Topic(slug=topic, name=topic.title(), spec=profile))
        known = set(session.exec(select(Story.id)))
        for story in {story for group in stories.values() for story in group} - known:
            session.add(Story(id=story, headline=f"Story {story}", created_at=now, last_article_at=now))
        session.flush()
        issue = Issue(
            newsletter_id=newsletter.id, cadence="daily", slot=f"slot {number}", number=number, due_at=now,
            window_start=now - timedelta(days=1), window_end=now, created_at=now,
        )  # fmt: skip
        session.add(issue)
        session.flush()
        assert issue.id is not None
        changes = {"update_of": now - timedelta(days=1)}
        sections = [
            Section(
                f"section:{topic}",
                topic.title(),
                topic,
                tuple(PlacedItem(item(n, topic, **(changes if n in updates else {})), "card") for n in group),
            )
            for topic, group in stories.items()
        ]
        blocks = [
            Block(key="masthead", type="masthead"),
            Block(key="lead", type="lead"),
            *(Block(key=section.key, type="section", title=section.title) for section in sections),
            Block(key="footer", type="footer"),
        ]
        issues.save_draft(session, issue.id, SPEC, blocks, sections)
        document = document_of(session, issue.id, ctx)
        issues.save_fragments(session, issue.id, rendered(document))
        issues.move(session, issue.id, ["draft"], "approved", approved_at=now, approved_by="ann")
        return issue.id


def reader(
    ctx: Context,
    address: str,
    *topics: str,
    state: str = "active",
    frequency: str = "every-issue",
    paused_until: datetime | None = None,
    weekly: Iterable[str] = (),
    often: dict[str, str] | None = None,
    hour: str = "",
    zone: str = "UTC",
) -> int:
    """A subscriber of the newsletter; the id of the subscription."""
    with ctx.db.write() as session:
        person = Subscriber(address=address, address_key=address.casefold(), created_at=ctx.clock(), zone=zone)
        session.add(person)
        session.flush()
        newsletter = session.exec(select(Newsletter)).one()
        subscription = Subscription(
            subscriber_id=person.id, newsletter_id=newsletter.id, state=state, frequency=frequency,
            paused_until=paused_until, hour=hour, created_at=ctx.clock(),
        )  # fmt: skip
        session.add(subscription)
        session.flush()
        assert subscription.id is not None
        choose_topics(session, subscription.id, TopicChoice.of(topics, dict.fromkeys(weekly, "weekly") | (often or {})))
        return subscription.id


def suppress(ctx: Context, address: str) -> None:
    with ctx.db.write() as session:
        session.add(
            Suppression(address_hash=ctx.signer.address_hash(address), reason="complained", created_at=ctx.clock())
        )


def ledger(ctx: Context, issue_id: int) -> dict[str, tuple[str, str]]:
    """State and reason of every reader's row."""
    query = select(Subscriber.address, Delivery.state, Delivery.reason).join(
        Delivery, col(Delivery.subscriber_id) == Subscriber.id
    )
    with ctx.db.read() as session:
        return {
            address.split("@")[0]: (state, reason)
            for address, state, reason in session.exec(query.where(Delivery.issue_id == issue_id))
        }


def back_into_the_queue(session: Session) -> None:
    """What was sent is to be sent again, as if nothing had become of it."""
    for row in session.exec(select(LedgerRow).where(LedgerRow.state == "sent")).all():
        session.add(
            QueueRow(
                issue_id=row.issue_id, subscriber_id=row.subscriber_id, subscription_id=row.subscription_id,
                cut_id=row.cut_id, dated_at=row.dated_at, attempts=1,
            )
        )  # fmt: skip
        session.delete(row)


def issue_row(ctx: Context, issue_id: int) -> Issue:
    with ctx.db.read() as session:
        return issues.get(session, issue_id)
