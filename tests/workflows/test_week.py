"""What readers get who get a week at once: the best of the week that they did not get, in one mail; on both databases."""

import email
import email.policy
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import chain
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sqlmodel import col, select, update

from digest.domain.content import TopicProfile
from digest.domain.issue import WEEK
from digest.domain.newsroom import BlockSpec, NewsletterSpec, Newsroom
from digest.render.archive import archive_html
from digest.store import issues
from digest.store.database import Database
from digest.store.newsroom import write_newsroom
from digest.store.tables import Article, Feed, Issue, Placement, Subscription
from digest.web.desk.running_order import running_order
from digest.workflows import edit
from digest.workflows.approve import approve
from digest.workflows.autopilot import advance, plan_due
from digest.workflows.budget import budget_of
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver
from digest.workflows.document import document_of
from digest.workflows.draft import draft
from digest.workflows.forecast import forecast
from digest.workflows.messages import printed, shown_again
from digest.workflows.preview import findings, preview
from digest.workflows.replay import rebuild
from tests.conftest import Clock
from tests.workflows.world import FakeSender, context, reader

THURSDAY = datetime(2026, 3, 12, 5, 0, tzinfo=UTC)
PLACES = (
    "Lisbon", "Oslo", "Nairobi", "Lima", "Hanoi", "Accra", "Quito", "Riga", "Doha", "Perth", "Cork", "Turin", "Malmo",
    "Dakar", "Sofia", "Cusco", "Izmir", "Kyoto", "Porto", "Tampa", "Delhi", "Busan", "Davos", "Graz", "Lagos", "Minsk",
)  # fmt: skip
THINGS = (
    "ferries", "kites", "bridges", "saddles", "pensions", "orchards", "ladders", "pianos", "tunnels", "lanterns",
    "violins", "harbours", "tractors", "candles", "museums", "carpets", "rockets", "glaciers", "bakeries", "quarries",
    "beehives", "scooters", "chapels", "dolphins", "vineyards", "umbrellas",
)  # fmt: skip
VERBS = ("changes", "is to change", "changes at last", "will change", "changes for good")
REMARKS = (
    "nobody had asked for it", "three ministers resigned over the matter", "owners waited eleven years for this day",
    "a court had the last word on Friday", "the mayor calls it a new beginning",
)  # fmt: skip
SPEC = NewsletterSpec(
    slug="ledger", name="The Ledger", tagline="Money, plainly told.", host="Ann Lee", from_address="ann@ledger.example",
    postal_address="1 Harbour Road, Lisbon", topics=("policy", "markets"), hour="06:00", zone="UTC", draft_lead=60, approval="auto",
    blocks=(
        BlockSpec("masthead"), BlockSpec("lead"), BlockSpec("section", topic="policy"),
        BlockSpec("section", topic="markets"), BlockSpec("footer"),
    ),
)  # fmt: skip
TOPICS = (TopicProfile("policy", "Policy", include=("law",)), TopicProfile("markets", "Markets", include=("price",)))


class World:
    """A daily newsletter with two stories a topic each day, sent at six."""

    def __init__(self, ctx: Context, sender: FakeSender, clock: Clock) -> None:
        self.ctx, self.sender, self.clock, self.told = ctx, sender, clock, 0

    def news(self, *topics: str, outlets: int = 1) -> list[str]:
        """Stories that appear now; their addresses."""
        urls = []
        with self.ctx.db.write() as session:
            feeds = session.exec(select(Feed.id).order_by(col(Feed.id))).all()
            for topic in topics:
                place, thing = PLACES[self.told % 26], THINGS[self.told * 7 % 26]
                word = "law" if topic == "policy" else "price"
                for outlet in range(outlets):
                    urls.append(f"https://news.example/{self.told}/{topic}/{outlet}")
                    session.add(
                        Article(
                            url=urls[-1], title=f"{place} {word} on {thing} {VERBS[outlet]}", source=f"Post {outlet}",
                            summary=f"The {word} on {thing} in {place} {VERBS[outlet]}: {REMARKS[outlet]}.",
                            published_at=self.clock() - timedelta(minutes=30 + outlet), first_seen_at=self.clock(),
                            feed_id=feeds[outlet] or 0,
                        )
                    )  # fmt: skip
                self.told += 1
        return urls

    def draft(self) -> int:
        """The draft of the day; it is five o'clock."""
        plan_due(self.ctx)
        advance(self.ctx)
        with self.ctx.db.read() as session:
            return session.exec(select(Issue.id).order_by(col(Issue.id).desc())).first() or 0

    def send(self) -> None:
        """Six o'clock comes, and then five o'clock of the next day."""
        self.clock.advance(hours=1)
        for _ in range(3):
            advance(self.ctx)
        self.clock.advance(hours=23)

    def day(self, *topics: str) -> list[str]:
        found = self.news(*(topics or ("policy", "policy", "markets", "markets")))
        self.draft()
        self.send()
        return found

    def mails(self, name: str) -> list[EmailMessage]:
        mine = [mail for mail in self.sender.taken if mail.recipient == f"{name}@x.example"]
        return [email.message_from_bytes(mail.data, policy=email.policy.default) for mail in mine]  # type: ignore[misc]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def told_in(text: str) -> Counter[str]:
    """The stories that a text links to, by their addresses."""
    return Counter(word for word in text.split() if word.startswith("https://news.example/"))


@pytest.fixture
def clock() -> Clock:
    return Clock(THURSDAY)


@pytest.fixture
def world(db: Database, tmp_path: Path, clock: Clock) -> World:
    sender = FakeSender()
    ctx = context(db, tmp_path / "var", sender, clock)
    with db.write() as session:
        write_newsroom(session, Newsroom(topics=TOPICS, newsletters=(SPEC,)), clock())
        session.add_all([Feed(url=f"https://news.example/feed/{n}", name=f"Post {n}") for n in range(5)])
    return World(ctx, sender, clock)


def test_a_weekly_reader_gets_the_week_and_a_daily_one_each_day_once(world: World) -> None:
    reader(world.ctx, "daily@x.example")
    reader(world.ctx, "weekly@x.example", frequency="weekly")
    reader(world.ctx, "policy@x.example", "policy", frequency="weekly")
    reader(world.ctx, "mixed@x.example", "policy", "markets", weekly=["markets"])
    days = [world.day() for _ in range(4)]  # Thursday to Sunday
    before = {
        name: sum((told_in(text_of(mail)) for mail in world.mails(name)), Counter()) for name in ("daily", "mixed")
    }
    world.sender.taken.clear()
    days.append(world.day())  # Monday
    got = {name: told_in(text_of(world.mails(name)[0])) for name in ("daily", "weekly", "policy", "mixed")}

    assert before["daily"] == Counter(chain(*days[:4]))
    assert got["daily"] == Counter(days[4])
    earlier = set(chain(*days[:4]))
    assert set(got["weekly"]) >= set(days[4])
    assert max(got["weekly"].values()) == 1
    assert len(set(got["weekly"]) & earlier) in (8, 9)  # eight, and one that may lead
    assert set(got["policy"]) == {url for url in chain(*days) if "/policy/" in url}
    assert set(got["mixed"]) == set(days[4]) | {url for url in earlier if "/markets/" in url}
    assert not set(got["mixed"]) & set(before["mixed"])
    text = text_of(world.mails("weekly")[0])
    assert "THE BEST OF THE WEEK" in text
    assert "THE BEST OF THE WEEK" not in text_of(world.mails("daily")[0])
    assert "Sun · " in text


def test_the_biggest_story_of_the_week_leads_the_weekly_mail_and_no_other(world: World) -> None:
    reader(world.ctx, "daily@x.example")
    reader(world.ctx, "weekly@x.example", frequency="weekly")
    reader(world.ctx, "mixed@x.example", "policy", "markets", weekly=["markets"])
    big = world.news("markets", outlets=5)
    world.day("policy", "markets")
    for _ in range(3):
        world.day()
    world.sender.taken.clear()
    world.day()
    subject = str(world.mails("weekly")[0]["Subject"])
    assert subject.startswith(PLACES[0])
    assert text_of(world.mails("weekly")[0]).index(big[0].rsplit("/", 1)[0]) < text_of(world.mails("weekly")[0]).index(
        "BEST OF THE WEEK"
    )
    assert not str(world.mails("daily")[0]["Subject"]).startswith(PLACES[0])
    assert not str(world.mails("mixed")[0]["Subject"]).startswith(PLACES[0])
    assert "five outlets covered it, more than any other story of the week" not in text_of(world.mails("daily")[0])


def test_what_somebody_got_before_they_turned_weekly_does_not_come_again(world: World) -> None:
    turned = reader(world.ctx, "turned@x.example")
    early: list[str] = []
    for _ in range(2):  # what more outlets covered would stand before all others
        early += [*world.news("policy", "markets", outlets=3), *world.day("policy", "markets")]
    with world.ctx.db.write() as session:
        session.execute(update(Subscription).where(col(Subscription.id) == turned).values(frequency="weekly"))
    late = [*world.day(), *world.day()]
    monday = world.day()
    mails = world.mails("turned")
    shown = told_in(text_of(mails[0]) + text_of(mails[1]))
    assert {url.rpartition("/")[0] for url in shown} == {url.rpartition("/")[0] for url in early}
    assert set(told_in(text_of(mails[2]))) == {*late, *monday}
    for _ in range(6):
        world.day()
    world.day()  # the next Monday
    every = sum((told_in(text_of(mail)) for mail in world.mails("turned")), Counter[str]())
    assert max(every.values()) == 1
    assert len(world.mails("turned")) == 4


def test_the_forecast_equals_the_run_and_every_byte_can_be_made_and_shown_again(world: World) -> None:
    reader(world.ctx, "daily@x.example")
    for name, topics in (("a", ()), ("b", ("policy",)), ("c", ("markets",))):
        reader(world.ctx, f"{name}@x.example", *topics, frequency="weekly")
    reader(world.ctx, "mixed@x.example", "policy", "markets", weekly=["policy"])
    for _ in range(4):
        world.day()
    world.sender.taken.clear()
    world.news("policy", "markets")
    issue = world.draft()
    foreseen = forecast(world.ctx, issue)
    shown = preview(world.ctx, issue, topics=frozenset({"policy"}), weekly=True, form="text")
    world.send()
    assert audit(world.ctx, issue)["sent"] == foreseen.recipients == 5
    assert foreseen.cuts == 5
    assert foreseen.largest == max(len(mail.data) for mail in world.sender.taken)
    assert rebuild(world.ctx, issue).same
    for mail in world.sender.taken:
        assert shown_again(world.ctx, issue, mail.recipient) == mail.data
    assert told_in(str(shown)) == told_in(text_of(world.mails("b")[0]))
    assert budget_of(world.ctx, issue).largest <= budget_of(world.ctx, issue).limit


def test_without_a_weekly_reader_and_on_other_days_an_issue_carries_no_week(world: World) -> None:
    reader(world.ctx, "daily@x.example", "policy", "markets", often={"policy": "weekdays"})
    for _ in range(5):
        world.day()
    reader(world.ctx, "weekly@x.example", frequency="weekly")
    for _ in range(2):
        world.day()
    with world.ctx.db.read() as session:
        assert session.exec(select(Placement.id).where(Placement.section == WEEK)).all() == []


def test_a_topic_comes_at_its_own_pace_in_one_mail(world: World) -> None:
    reader(world.ctx, "a@x.example", "policy", "markets", frequency="weekly", often={"policy": "daily"})
    reader(world.ctx, "b@x.example", "policy", "markets", often={"markets": "weekdays"})
    days = [world.day() for _ in range(5)]
    topics = [
        [sorted({url.split("/")[4] for url in told_in(text_of(mail))}) for mail in world.mails(name)] for name in "ab"
    ]
    assert topics[0] == [["policy"]] * 4 + [["markets", "policy"]]
    assert topics[1] == [["markets", "policy"]] * 2 + [["policy"]] * 2 + [["markets", "policy"]]
    assert {url for url in told_in(text_of(world.mails("a")[4])) if "/markets/" in url} == {
        url for day in days for url in day if "/markets/" in url
    }


def test_a_second_issue_of_a_day_brings_only_topics_that_are_wanted_in_every_issue(world: World) -> None:
    reader(world.ctx, "a@x.example", "policy", "markets", frequency="daily", often={"policy": "every-issue"})
    reader(world.ctx, "b@x.example", "policy", "markets", frequency="daily")
    world.day()
    world.clock.advance(hours=-20)  # nine in the morning of the same day
    second = world.news("policy", "markets")
    world.clock.advance(minutes=1)
    report = draft(world.ctx, "ledger", world.clock())
    approve(world.ctx, report.issue, "ann")
    world.sender.taken.clear()
    deliver(world.ctx, report.issue)
    assert [set(told_in(text_of(mail))) for mail in world.mails("a")] == [{second[0]}]
    assert world.mails("b") == []


def test_an_editor_shapes_the_week_like_any_section(world: World) -> None:
    reader(world.ctx, "daily@x.example")
    reader(world.ctx, "weekly@x.example", frequency="weekly")
    for _ in range(4):
        world.day()
    world.sender.taken.clear()
    world.news("policy", "markets")
    issue = world.draft()
    with world.ctx.db.read() as session:
        rows = [row for row in issues.placements(session, issue) if row.section == WEEK]
    dropped, moved, retitled = rows[0], rows[1], rows[2]
    edit.drop(world.ctx, issue, dropped.story_id, "ed")
    edit.move(world.ctx, issue, moved.story_id, "section:policy", "ed")
    edit.retitle(world.ctx, issue, retitled.story_id, "ed", headline="A better headline")
    reader(world.ctx, "new@x.example")
    world.send()
    weekly, new, daily = (text_of(world.mails(name)[0]) for name in ("weekly", "new", "daily"))
    assert dropped.item["url"] not in weekly
    assert ("A better headline" in weekly, "A better headline" in new) == (True, False)
    assert [moved.item["url"] in text for text in (weekly, new, daily)] == [True, True, False]


def test_the_issues_page_and_the_desk_show_the_week(world: World) -> None:
    reader(world.ctx, "weekly@x.example", frequency="weekly")
    for _ in range(4):
        world.day()
    world.news("policy", "markets")
    issue = world.draft()
    assert [found for found in findings(world.ctx, issue) if found.id in ("repeated-story", "sent-before")] == []
    with world.ctx.db.read() as session:
        document = document_of(session, issue, world.ctx)
        order = running_order(
            document, issues.blocks_of(issues.get(session, issue)), issues.placements(session, issue), {}
        )
    group = next(group for group in order.groups if group.key == WEEK)
    assert (group.title, order.stories) == ("The best of the week", 2)
    assert "of the week; in the issue of" in group.rows[0].gap
    for row in group.rows:
        assert row.item.score.total == round(sum(part.value for part in row.item.score.parts), 6)
        assert "freshness" in [part.name for part in row.item.score.parts]
    world.send()
    with world.ctx.db.read() as session:
        paper = printed(session, issue, world.ctx)
    page = BeautifulSoup(archive_html(paper.fragments, paper.document, "https://x.example/"), "lxml")
    assert "The best of the week" in page.get_text()
    heading = next(h for h in page.find_all("h2") if "best of the week" in h.get_text())
    assert len(heading.find_parent("table").find_all("tr")) == 2 + 8
