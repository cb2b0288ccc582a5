"""A small house with two newsletters, served over real HTTP on loopback."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from digest.domain.audience import Signer
from digest.domain.content import TopicProfile
from digest.domain.issue import Block, PlacedItem, Section, StoryItem
from digest.domain.mail import Message, SendResult
from digest.domain.newsroom import BlockSpec, NewsletterSpec, Newsroom, Site
from digest.feeds.fetch import Fetcher
from digest.render.pipeline import Renderer
from digest.senders.base import HandOver
from digest.store import issues
from digest.store.database import Database
from digest.store.newsroom import write_newsroom
from digest.store.tables import Issue, Story
from digest.workflows.context import Context
from digest.workflows.document import document_of
from tests.conftest import Clock

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
RENDERER = Renderer(TEMPLATES)

NEWSROOM = Newsroom(
    site=Site(name="Harbour Street Press", editors=("ed@example.com",)),
    topics=(
        TopicProfile("policy", "Policy", "Laws, courts and those who write them", include=("law",)),
        TopicProfile("markets", "Markets", "Prices and what moves them", include=("price",)),
        TopicProfile("stablecoins", "Stablecoins", include=("stablecoin",)),
    ),
    newsletters=(
        NewsletterSpec(
            slug="ledger",
            name="The Ledger",
            tagline="Decoding crypto and the markets.",
            host="Ada Morrow",
            from_address="ledger@example.com",
            postal_address="Harbour Street Press, 1 Harbour Street, Lisbon",
            topics=("policy", "markets"),
            blocks=(BlockSpec("masthead"), BlockSpec("lead"), BlockSpec("footer")),
        ),
        NewsletterSpec(
            slug="week",
            name="The Long Week",
            tagline="Seven days in ten minutes.",
            host="Ben Okafor",
            from_address="week@example.com",
            postal_address="Harbour Street Press, 1 Harbour Street, Lisbon",
            cadence="weekly",
            weekday=4,
            topics=("markets", "stablecoins"),
            blocks=(BlockSpec("masthead"), BlockSpec("lead"), BlockSpec("footer")),
        ),
    ),
)


class KeepingSender:
    """Keeps what it is handed, as a relay would that never fails."""

    name, idempotent, batch = "keeping", True, 10

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, messages: Sequence[Message], hand_over: HandOver) -> Iterator[SendResult]:
        for message in messages:
            hand_over(message)
            self.messages.append(message)
            yield SendResult(message, "sent", "250 2.0.0")

    def close(self) -> None:
        pass


def make_context(db: Database, clock: Clock, var: Path, public_url: str = "https://news.example.com") -> Context:
    """A house with the newsroom above."""
    with db.write() as session:
        write_newsroom(session, NEWSROOM, clock())
    return Context(
        db=db,
        sender=KeepingSender(),
        fetcher=Fetcher(),
        signer=Signer(b"a key that is only good for tests, 1234"),
        clock=clock,
        public_url=public_url,
        var=var,
        templates=TEMPLATES,
    )


def publish(ctx: Context, slug: str = "ledger", *, headline: str = "Ports reopen", state: str = "sent") -> int:
    """An issue with one story, as approval leaves it; its id."""
    with ctx.db.write() as session:
        newsletter, spec = issues.newsletter(session, slug)
        assert newsletter.id is not None
        now = ctx.clock()
        issue = Issue(
            newsletter_id=newsletter.id,
            cadence=spec.cadence,
            slot=f"at:{headline}",
            number=len(issues.recent(session, slug)) + 1,
            state="planned",
            window_start=now.replace(hour=0),
            window_end=now,
            due_at=now,
            created_at=now,
        )
        session.add(issue)
        session.flush()
        assert issue.id is not None
        story = Story(headline=headline, created_at=now, last_article_at=now)
        session.add(story)
        session.flush()
        assert story.id is not None
        item = StoryItem(story.id, 1, headline, "https://wire.example.com/1", "Harbour Wire", now, dek="What happened.")
        lead = Section("lead", "", items=(PlacedItem(item, "lead"),))
        blocks = (Block("masthead", "masthead"), Block("lead", "lead"), Block("footer", "footer"))
        issues.save_draft(session, issue.id, spec, blocks, (lead,))
        session.flush()
        issues.save_fragments(session, issue.id, RENDERER.render(document_of(session, issue.id, ctx)))
        row = session.get_one(Issue, issue.id)
        row.state, row.finished_at = state, now
        return issue.id


def listening_socket() -> socket.socket:
    """A socket on a free port of loopback, so that the address is known before the server starts."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    return listener


@contextmanager
def served(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    """Serve the application until the block ends."""
    config = uvicorn.Config(app, log_level="critical", access_log=False, proxy_headers=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server takes too long to start"
        time.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)
