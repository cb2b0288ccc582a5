"""Preflight asks the readers what they will get, the disk for pictures, and the web for links if it is told to."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from digest.errors import FetchError, ForbiddenAddress, GoneError, ParseError
from digest.feeds.fetch import Fetched
from digest.store import deliveries, issues
from digest.store.database import Database
from digest.workflows.context import Context
from digest.workflows.preview import inspection
from tests.conftest import Clock
from tests.workflows.world import FakeSender, context, publish, reader


@dataclass
class Web:
    """Answers each address as it is told, or raises."""

    answers: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, **_limits: object) -> Fetched:
        self.asked.append(url)
        if url in self.answers:
            raise self.answers[url]
        return Fetched(200, url, "", {}, b"<p>here", "text/html", "", "")


@pytest.fixture
def ctx(db: Database, tmp_path: Path, clock: Clock) -> Context:
    return replace(context(db, tmp_path, FakeSender(), clock), fetcher=Web())  # type: ignore[arg-type]


def test_every_distinct_mail_that_readers_would_get_is_counted_and_weighed(ctx: Context) -> None:
    issue_id = publish(ctx)
    for number, topics in enumerate(
        [("policy",), ("policy",), ("markets",), ("policy", "markets"), ("markets", "policy"), ()]
    ):
        reader(ctx, f"r{number}@r.example", *topics)
    reader(ctx, "gone@r.example", "policy", state="unsubscribed")
    found = inspection(ctx, issue_id)
    # Both topics are all that there is: the same mail as everything.
    assert found.cuts == 3
    assert 5_000 < found.smallest < found.largest < 102_400
    assert found.errors == ()


def test_a_day_that_is_over_and_a_story_that_comes_again_are_named(ctx: Context, clock: Clock) -> None:
    first = publish(ctx)
    with ctx.db.write() as session:
        deliveries.keep_stories(session, first, {1: 1, 2: 2}, {})
        issues.move(session, first, ["approved"], "sent")
    clock.advance(days=1)
    second = publish(ctx, 2)
    assert {f.id for f in inspection(ctx, second).findings} == {"sent-before"}
    assert len([f for f in inspection(ctx, second).findings if f.id == "sent-before"]) == 2
    clock.advance(days=3)
    assert "day-stale" in {f.id for f in inspection(ctx, second).findings}


def test_links_are_looked_up_only_when_asked_and_those_that_do_not_answer_are_named(ctx: Context) -> None:
    issue_id = publish(ctx)
    web: Web = ctx.fetcher  # type: ignore[assignment]
    web.answers = {
        "https://news.example/1": FetchError("it answered 404", status=404),
        "https://news.example/2": FetchError("it answered 403", status=403),  # closed to machines, open to readers
        "https://news.example/3": ParseError("larger than 2,000,000 bytes"),
        "https://news.example/4": GoneError("gone"),
        "https://news.example/5": ForbiddenAddress("a private address"),
    }
    assert inspection(ctx, issue_id).links == 0
    assert web.asked == []
    found = inspection(ctx, issue_id, look_up=True)
    dead = {f.message.split()[0] for f in found.findings if f.id == "links-unreachable"}
    assert dead == {f"https://news.example/{number}" for number in (1, 4, 5)}
    assert {f.level for f in found.findings} == {"warning"}
    assert found.links == len(web.asked) == len(set(web.asked)) >= 7
