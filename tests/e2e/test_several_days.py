"""Five days around a change of clocks, hour by hour, with readers who choose, move, pause and change their minds."""

import itertools
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from digest.store.tables import Article, Delivery, Feed, Issue, Subscriber, Subscription
from digest.workflows.autopilot import advance, plan_due
from digest.workflows.deliver import audit
from digest.workflows.subscribe import Choices, add_subscriber, save_preferences
from tests.conftest import Clock
from tests.e2e.conftest import Service

FRIDAY = datetime(2026, 3, 6, 11, 30, tzinfo=UTC)
"""06:30 in New York, half an hour after the newsletter's hour. On Sunday clocks go forward there, and not in Europe."""

NEWS = {
    "bitcoin": ("Bitcoin miners in {} switch off old machines", "Bitcoin fund of {} sees record inflow"),
    "regulation": (
        "Regulator in {} fines an exchange over custody rules",
        "Regulators of {} open a comment period on licences",
    ),
    "defi": ("DeFi lending protocol from {} repays its depositors", "Liquidity pool run in {} halts withdrawals"),
}
PLACES = ("Lisbon", "Oslo", "Nairobi", "Lima", "Hanoi", "Accra", "Quito", "Riga", "Doha", "Perth", "Cork", "Turin")


@pytest.fixture
def clock() -> Clock:
    return Clock(FRIDAY)


def publish_news(service: Service, day: int) -> None:
    """Two stories a topic for each day: the sample's own run out after two."""
    with service.ctx.db.write() as session:
        feed = session.exec(select(Feed).where(Feed.kind == "feed")).first()
        assert feed is not None
        tags = {"bitcoin": "Bitcoin", "regulation": "Regulation", "defi": "DeFi"}
        for index, (topic, titles) in enumerate(NEWS.items()):
            for part, title in enumerate(titles):
                place = PLACES[(day * 5 + index * 2 + part) % len(PLACES)]
                session.add(
                    Article(
                        url=f"https://late.example/{day}/{topic}/{part}", title=title.format(place), source=f"Daily {place}",
                        summary=f"{title.format(place)}. {topic.capitalize()} was the talk of {place} on day {day}.",
                        published_at=service.clock(), first_seen_at=service.clock(), tags=[tags[topic]], feed_id=feed.id or 0,
                    )
                )  # fmt: skip


def join(service: Service, name: str, *topics: str, **wishes: str) -> str:
    """A reader of the daily newsletter; returns the token of their choices."""
    [ident] = add_subscriber(
        service.ctx, f"{name}@example.org", newsletter=["clearing-price"], topics=topics, confirmed=True, **wishes
    )  # type: ignore[arg-type]
    return service.ctx.signer.sign("preferences", ident)


def mails_of(service: Service, name: str) -> list[EmailMessage]:
    found = [mail for mail in service.mails() if str(mail["To"]) == f"{name}@example.org" and mail["List-Id"]]
    return sorted(found, key=lambda mail: mail["Date"].datetime)


def arrivals(service: Service, name: str, zone: str) -> list[str]:
    """When a reader's mails left, on their clock."""
    return [f"{mail['Date'].datetime.astimezone(ZoneInfo(zone)):%a %H:%M}" for mail in mails_of(service, name)]


def stories_of(service: Service, mails: Iterable[EmailMessage]) -> Counter[str]:
    with service.ctx.db.read() as session:
        known = set(session.exec(select(Article.url)))
    found: Counter[str] = Counter()
    for mail in mails:
        body = mail.get_body(("plain",))
        assert body is not None
        found.update({word.strip("<>()") for word in body.get_content().split()} & known)
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_five_days_around_a_change_of_clocks(service: Service) -> None:
    join(service, "plain")
    join(service, "morning", hour="07:00", zone="America/New_York")
    join(service, "berlin", hour="08:00", zone="Europe/Berlin")
    join(service, "weekly", frequency="weekly")
    join(service, "office", frequency="weekdays")
    join(service, "mixed", "bitcoin", "regulation:weekly")
    mover = join(service, "mover", hour="07:00", zone="Asia/Tokyo")
    pausing = join(service, "pausing", hour="07:00", zone="America/New_York")
    fickle = join(service, "fickle", "bitcoin", hour="20:00", zone="America/New_York")
    service.gather()
    for hour in range(4 * 24 + 14):  # until Tuesday evening in New York
        now = service.clock.now
        if hour % 24 == 20:  # before the draft of the next day
            publish_news(service, hour // 24)
        if now == FRIDAY + timedelta(hours=6):
            save_preferences(service.ctx, pausing, Choices(pause_until="2026-03-09"))
        if now == FRIDAY + timedelta(hours=30):  # on Saturday afternoon she flies to Los Angeles
            save_preferences(service.ctx, mover, Choices(zone="America/Los_Angeles"))
        if now == FRIDAY + timedelta(hours=54):  # after Sunday's is planned, before it comes
            save_preferences(service.ctx, fickle, Choices(topics=frozenset({"defi"})))
        plan_due(service.ctx)
        advance(service.ctx)
        for issue in daily(service):
            numbers = audit(service.ctx, issue.id or 0)
            assert numbers["audience"] == sum(count for state, count in numbers.items() if state != "audience")
        service.clock.advance(hours=1)

    issues = daily(service)
    assert [issue.slot for issue in issues] == ["first", "2026-03-07", "2026-03-08", "2026-03-09", "2026-03-10"]
    for before, after in itertools.pairwise(issues):
        assert after.window_start == before.window_end

    # The first issue came out at once; from then on at 06:00 in New York, an hour earlier in UTC from Sunday on.
    assert arrivals(service, "plain", "America/New_York")[1:] == ["Sat 06:30", "Sun 06:30", "Mon 06:30", "Tue 06:30"]
    assert arrivals(service, "morning", "America/New_York")[1:] == [
        f"{day} 07:30" for day in ("Sat", "Sun", "Mon", "Tue")
    ]
    # At 08:00 in Berlin the issue of the day is never out: it is yesterday's, and one on each day.
    assert arrivals(service, "berlin", "Europe/Berlin") == [f"{day} 08:30" for day in ("Sat", "Sun", "Mon", "Tue")]
    assert arrivals(service, "weekly", "America/New_York") == ["Mon 06:30"]
    assert arrivals(service, "office", "America/New_York")[1:] == ["Mon 06:30", "Tue 06:30"]
    assert arrivals(service, "pausing", "America/New_York")[1:] == ["Mon 07:30", "Tue 07:30"]

    # Every issue reached everybody who was to get it once, also who moved; nobody got a story twice.
    with service.ctx.db.read() as session:
        rows = session.exec(
            select(Subscriber.address, Issue.slot).join(Delivery, col(Delivery.subscriber_id) == Subscriber.id)
            .join(Issue, col(Issue.id) == Delivery.issue_id).join(Subscription, col(Subscription.id) == Delivery.subscription_id)
            .where(Delivery.state == "sent", Issue.newsletter_id == issues[0].newsletter_id)
        ).all()  # fmt: skip
    assert set(Counter(rows).values()) == {1}
    assert [slot for address, slot in sorted(rows) if address == "mover@example.org"][:4] == [
        "2026-03-07", "2026-03-08", "2026-03-09", "2026-03-10",
    ]  # fmt: skip
    for name in ("plain", "morning", "berlin", "office", "mixed", "mover", "pausing", "fickle"):
        mails = mails_of(service, name)
        assert len(mails) >= 2, name
        assert set(stories_of(service, mails).values()) == {1}, name

    # Weekly topics come on Monday only; a topic chosen late is in the next issue that is planned.
    mixed = {
        mail["Date"].datetime.date(): {topic_of(url) for url in stories_of(service, [mail])}
        for mail in mails_of(service, "mixed")
    }
    assert "regulation" in mixed[date(2026, 3, 9)]
    assert all(
        "regulation" not in topics for day, topics in mixed.items() if day in (date(2026, 3, 8), date(2026, 3, 10))
    )
    last = {topic_of(url) for url in stories_of(service, mails_of(service, "fickle")[-1:])}
    assert "defi" in last
    assert "bitcoin" not in last


def topic_of(url: str) -> str:
    """The topic that our own news are about."""
    return url.split("/")[4] if url.startswith("https://late.example/") else ""


def daily(service: Service) -> list[Issue]:
    """The issues of the newsletter that is sent by policy, oldest first."""
    with service.ctx.db.read() as session:
        return list(
            session.exec(
                select(Issue).where(Issue.cadence == "daily", Issue.newsletter_id == 1).order_by(col(Issue.window_end))
            )
        )
