"""A day on which every feed is hostile: fetched, kept, drafted, approved, mailed, and nothing leaves its place."""

import email
import email.policy
import json
import re
from pathlib import Path

from bs4 import BeautifulSoup
from pydantic import TypeAdapter
from pytest_httpserver import HTTPServer

from digest.domain.content import TopicProfile
from digest.domain.newsroom import BlockSpec, NewsletterSpec
from digest.feeds.fetch import Fetcher
from digest.senders.open import open_sender
from digest.store.database import Database
from digest.store.tables import Feed, Newsletter, Topic
from digest.workflows.approve import approve
from digest.workflows.context import Context
from digest.workflows.deliver import deliver
from digest.workflows.draft import draft
from digest.workflows.gather import gather
from digest.workflows.preview import preview
from digest.workflows.replay import rebuild
from tests.conftest import NOW, Clock
from tests.render.hostile import HOSTILE
from tests.workflows.world import SPEC, TEMPLATES, Signer, reader

DAY = "2026-03-12T09:{:02}:00Z"


def feed_of(texts: tuple[str, ...]) -> bytes:
    """A JSON Feed that holds each text in every place where a source may write; JSON can carry any of them."""
    items = [
        {
            "id": f"id-{number}", "url": f"https://news.example/{number}", "title": f"N{number} {text}",
            "summary": f"{text} {number}", "content_html": f"<p>{text}</p>", "authors": [{"name": text[:2000]}],
            "date_published": DAY.format(number % 60), "tags": ["policy", text[:2000]],
        }
        for number, text in enumerate(texts)
    ]  # fmt: skip
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "H", "items": items}).encode()


def test_hostile_feeds_become_an_issue_in_which_every_text_stays_in_its_place(
    sqlite_db: Database, clock: Clock, tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/feed").respond_with_data(feed_of(HOSTILE), content_type="application/feed+json")
    ctx = Context(
        db=sqlite_db, sender=open_sender(f"file://{tmp_path / 'outbox'}"),
        fetcher=Fetcher(frozenset({"127.0.0.1", "localhost"})), signer=Signer(b"k" * 32), clock=clock,
        public_url="https://mail.ledger.example", var=tmp_path, templates=TEMPLATES,
    )  # fmt: skip
    layout = (
        BlockSpec("masthead"),
        BlockSpec("lead"),
        BlockSpec("section", "Policy", "policy", max=100),
        BlockSpec("footer"),
    )
    spec = {**TypeAdapter(NewsletterSpec).dump_python(SPEC, mode="json"), "blocks": [
        TypeAdapter(BlockSpec).dump_python(block, mode="json") for block in layout
    ]}  # fmt: skip
    profile = TopicProfile("policy", "Policy", tags=("policy",), sources=("Hostile",))
    with ctx.db.write() as session:
        session.add(Feed(url=httpserver.url_for("/feed"), name="Hostile"))
        session.add(Newsletter(slug="ledger", name="The Ledger", spec=spec))
        session.add(
            Topic(slug="policy", name="Policy", spec=TypeAdapter(TopicProfile).dump_python(profile, mode="json"))
        )
    reader(ctx, "ada@reader.example")

    assert gather(ctx).as_dict()["failed"] == 0
    report = draft(ctx, "ledger", NOW)
    assert report.stories >= 40
    approve(ctx, report.issue, "ann")
    deliver(ctx, report.issue)
    assert rebuild(ctx, report.issue).same
    (file,) = (tmp_path / "outbox" / "new").iterdir()
    data = file.read_bytes()
    assert preview(ctx, report.issue, subscriber="ada@reader.example", form="eml") == data
    ctx.sender.close()
    ctx.fetcher.close()

    assert data.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|^\.", data, re.M)
    mail = email.message_from_bytes(data, policy=email.policy.default)
    assert mail.keys().count("Bcc") == 0
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]  # type: ignore[attr-defined]
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))  # type: ignore[attr-defined]
    page = BeautifulSoup(html.get_content(), "html.parser")
    tags = {tag.name for tag in page.body.find_all(True)}
    assert tags <= {
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "td",
        "th",
        "h1",
        "h2",
        "h3",
        "p",
        "a",
        "span",
        "strong",
        "br",
        "img",
    }
    assert not [name for tag in page.find_all(True) for name in tag.attrs if name.lower().startswith("on")]
    assert {link["href"].split("/")[2] for link in page.find_all("a")} <= {"news.example", "mail.ledger.example"}
    leaving = [link["href"] for link in page.find_all("a") if "/unsubscribe/" in link["href"]]
    assert len(leaving) == 1
    assert text.get_content().count(leaving[0]) == 1
    assert not re.search(r"\{\{|\{%|\}\}|%\}|@@[A-Z]+@@=", page.get_text())
    assert "49" not in re.sub(r"N\d+|/\d+|No\. \d+", "", page.find("h2").get_text())
