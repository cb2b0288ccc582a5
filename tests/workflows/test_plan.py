"""Who gets what and when: hours, frequencies, weekly topics, and nothing twice; on both databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select, update

from digest.domain.audience import Signer
from digest.store.database import Database
from digest.store.tables import Delivery, Issue, Placement, Story, Subscriber, Subscription, Suppression
from digest.workflows.context import Context
from digest.workflows.deliver import audit, deliver, plan_deliveries
from digest.workflows.subscribe import Choices, save_preferences
from tests.conftest import NOW, Clock
from tests.workflows.world import FakeSender, context, ledger, publish, reader

MONDAY = datetime(2026, 3, 16, 11, 0, tzinfo=UTC)


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def ctx(db: Database, tmp_path: Path, sender: FakeSender, clock: Clock) -> Context:
    return context(db, tmp_path / "var", sender, clock)


def got(sender: FakeSender) -> dict[str, set[int]]:
    """Stories in each reader's mails so far."""
    found: dict[str, set[int]] = {}
    for mail in sender.taken:
        stories = {n for n in range(1, 30) if f'https://news.example/{n}"'.encode() in mail.data.replace(b"=3D", b"=")}
        found.setdefault(mail.recipient.split("@")[0], set()).update(stories)
    return found


def moments(ctx: Context, issue_id: int) -> dict[str, datetime | None]:
    query = select(Subscriber.address, Delivery.not_before).join(Delivery, col(Delivery.subscriber_id) == Subscriber.id)
    with ctx.db.read() as session:
        return {a.split("@")[0]: at for a, at in session.exec(query.where(Delivery.issue_id == issue_id))}


# When


def test_everybody_has_their_own_hour_and_the_issue_waits_for_the_last(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(ctx)  # its newsletter comes out at 06:00 UTC; it is 11:00
    reader(ctx, "now@x.example")
    reader(ctx, "passed@x.example", hour="07:00")
    reader(ctx, "evening@x.example", hour="18:30", zone="Europe/Lisbon")
    reader(ctx, "tokyo@x.example", hour="07:00", zone="Asia/Tokyo")
    plan_deliveries(ctx, issue)
    assert moments(ctx, issue) == {
        "now": None,
        "passed": NOW,
        "evening": NOW.replace(hour=18, minute=30),
        "tokyo": NOW.replace(hour=22),  # 07:00 of the 13th
    }
    seen = []
    for _ in range(14):
        deliver(ctx)
        seen.append([address.split("@")[0] for address in sender.recipients])
        numbers = audit(ctx, issue)
        assert numbers["audience"] == sum(value for state, value in numbers.items() if state != "audience") == 4
        clock.advance(hours=1)
    assert seen[0] == ["now", "passed"]
    assert seen[8] == ["evening", "now", "passed"]
    assert seen[-1] == ["evening", "now", "passed", "tokyo"]
    with ctx.db.read() as session:
        assert session.get_one(Issue, issue).state == "sent"


def test_a_mail_that_waits_follows_the_readers_new_hour_or_zone_and_one_that_left_does_not_come_again(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(ctx)
    tokens = {
        name: ctx.signer.sign("preferences", reader(ctx, f"{name}@x.example", hour="18:00"))
        for name in ("earlier", "later", "moved", "gone")
    }
    with ctx.db.write() as session:
        session.execute(update(Subscription).values(confirmed_at=NOW))
    deliver(ctx, issue)
    assert sender.taken == []
    save_preferences(ctx, tokens["earlier"], Choices(hour="07:00"))  # that has passed: at once
    save_preferences(ctx, tokens["later"], Choices(hour="20:00"))
    save_preferences(ctx, tokens["moved"], Choices(zone="America/New_York"))
    deliver(ctx, issue)
    assert sender.recipients == ["earlier@x.example"]
    clock.now = NOW.replace(hour=18)
    deliver(ctx, issue)
    assert sender.recipients == ["earlier@x.example", "gone@x.example"]
    save_preferences(ctx, tokens["gone"], Choices(hour="23:00", zone="Pacific/Auckland"))
    for hour in (20, 22):
        clock.now = NOW.replace(hour=hour)
        deliver(ctx, issue)
    assert len(sender.recipients) == len(set(sender.recipients)) == 4


# How often


def test_weekly_topics_come_with_the_weekly_issue_and_the_others_every_day(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    publish(ctx, 1, {"policy": (1,), "markets": (11,)})
    reader(ctx, "mixed@x.example", "policy", "markets", weekly=["markets"])
    reader(ctx, "weekly@x.example", "markets", weekly=["markets"])
    deliver(ctx)  # a Thursday
    assert got(sender) == {"mixed": {1}}
    assert ledger(ctx, 1)["weekly"] == ("skipped", "not on this day: the chosen topics come weekly")
    sender.taken.clear()
    clock.now = MONDAY
    deliver(ctx, publish(ctx, 2, {"policy": (2,), "markets": (12,)}))
    assert got(sender) == {"mixed": {2, 12}, "weekly": {12}}


def test_a_weekly_reader_gets_the_first_issue_after_a_weekday_that_had_none(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    publish(ctx, 1)
    reader(ctx, "weekly@x.example", frequency="weekly")
    deliver(ctx)
    monday, clock.now = MONDAY, MONDAY
    missed = publish(ctx, 2, {"policy": (7,)})
    with ctx.db.write() as session:
        session.execute(update(Issue).where(col(Issue.id) == missed).values(state="cancelled"))
    assert sender.taken == []
    clock.now = monday + timedelta(days=1)
    deliver(ctx, publish(ctx, 3, {"policy": (8,)}))
    assert got(sender) == {"weekly": {8}}
    clock.advance(days=1)
    fourth = publish(ctx, 4, {"policy": (9,)})
    deliver(ctx, fourth)
    assert ledger(ctx, fourth)["weekly"] == ("skipped", "not on this day: weekly")
    assert len(sender.taken) == 1


def test_weekdays_are_those_on_which_the_mail_arrives(ctx: Context, clock: Clock) -> None:
    reasons = {}
    for day in range(12, 19):  # Thursday to Wednesday
        clock.now = NOW.replace(day=day)
        issue = publish(ctx, day, {"policy": (day,)})
        if day == 12:
            reader(ctx, "here@x.example", frequency="weekdays")
            reader(ctx, "tokyo@x.example", frequency="weekdays", hour="07:00", zone="Asia/Tokyo")
        plan_deliveries(ctx, issue)
        reasons[day] = {name: not reason for name, (_, reason) in ledger(ctx, issue).items()}
    assert [day for day in reasons if not reasons[day]["here"]] == [14, 15]
    # Friday's issue would arrive on Saturday in Tokyo, Sunday's arrives on Monday.
    assert [day for day in reasons if not reasons[day]["tokyo"]] == [13, 14]


def test_who_wants_one_mail_a_day_gets_no_second_issue_of_that_day(ctx: Context, sender: FakeSender) -> None:
    first = publish(ctx, 1, {"policy": (1,)})
    reader(ctx, "daily@x.example", frequency="daily")
    reader(ctx, "all@x.example")
    deliver(ctx, first)
    extra = publish(ctx, 2, {"policy": (2,)})
    deliver(ctx, extra)
    assert ledger(ctx, extra)["daily"] == ("skipped", "another mail of this newsletter bears the same day")
    assert got(sender) == {"daily": {1}, "all": {1, 2}}


def test_a_pause_ends_on_its_day_also_for_a_mail_that_is_planned_before(
    ctx: Context, sender: FakeSender, clock: Clock
) -> None:
    issue = publish(ctx)
    midnight = NOW.replace(hour=15)  # of the 13th in Tokyo
    reader(ctx, "back@x.example", hour="07:00", zone="Asia/Tokyo", paused_until=midnight)
    reader(ctx, "away@x.example", hour="07:00", zone="Asia/Tokyo", paused_until=midnight + timedelta(days=1))
    deliver(ctx, issue)
    clock.advance(hours=11)
    deliver(ctx, issue)
    assert sender.recipients == ["back@x.example"]
    assert ledger(ctx, issue)["away"] == ("skipped", "paused")


# Nothing twice


def with_articles(ctx: Context, issue_id: int, articles: dict[int, list[int]]) -> int:
    """Say of which articles the stories of an issue are made."""
    with ctx.db.write() as session:
        for row in session.exec(select(Placement).where(Placement.issue_id == issue_id)):
            row.item = {**row.item, "articles": articles.get(row.story_id, [])}
            session.add(row)
    return issue_id


def test_a_story_that_grew_was_merged_or_split_is_not_sent_again(ctx: Context, sender: FakeSender) -> None:
    deliver(
        ctx, with_articles(ctx, publish(ctx, 1, {"policy": (1, 2), "markets": (3,)}), {1: [10], 2: [20, 21], 3: [30]})
    )
    reader(ctx, "old@x.example")
    deliver(
        ctx, with_articles(ctx, publish(ctx, 2, {"policy": (4, 5), "markets": (6,)}), {4: [40], 5: [50, 51], 6: [60]})
    )
    sender.taken.clear()
    reader(ctx, "new@x.example")
    # 4 grew; 7 is 5 merged into another one; 8 was split off from 5; 9 is news.
    third = publish(ctx, 3, {"policy": (4, 7), "markets": (8, 9)})
    deliver(ctx, with_articles(ctx, third, {4: [40, 41], 7: [70, 50], 8: [51], 9: [90]}))
    assert got(sender) == {"old": {9}, "new": {4, 7, 8, 9}}


def test_of_an_issue_that_was_taken_back_only_what_has_left_counts(ctx: Context, sender: FakeSender) -> None:
    first = publish(ctx, 1, {"policy": (1, 2)})
    reader(ctx, "had@x.example")
    reader(ctx, "waits@x.example", hour="18:00")
    deliver(ctx, first)
    with ctx.db.write() as session:  # as an edit does that voids the approval of an issue on its way
        session.execute(update(Issue).where(col(Issue.id) == first).values(state="draft"))
    sender.taken.clear()
    with ctx.db.write() as session:
        session.execute(update(Subscription).values(hour=""))
    deliver(ctx, publish(ctx, 2, {"policy": (1, 3)}))
    assert got(sender) == {"had": {3}, "waits": {1, 3}}


def test_more_stories_than_bits_in_an_integer_are_remembered(ctx: Context, sender: FakeSender) -> None:
    many = tuple(range(1, 71))
    first = publish(ctx, 1, {"policy": many[::2], "markets": many[1::2]})
    reader(ctx, "policy@x.example", "policy")
    reader(ctx, "markets@x.example", "markets")
    deliver(ctx, first)
    with ctx.db.write() as session:
        session.add(Story(id=99, headline="New", created_at=NOW, last_article_at=NOW))
        session.execute(update(Subscription).values(choice_set_id=None))  # both want everything from now on
    second = publish(ctx, 2, {"policy": (*many[::2], 99), "markets": many[1::2]})
    sender.taken.clear()
    deliver(ctx, second)
    text = {mail.recipient.split("@")[0]: mail.data for mail in sender.taken}
    for name, had in (("policy", many[::2]), ("markets", many[1::2])):
        for story in (*many, 99):
            shown = f"Story {story} on".encode() in text[name]
            assert shown == (story not in had), (name, story)


def test_who_is_brought_again_by_a_list_keeps_what_they_were_sent(ctx: Context, sender: FakeSender) -> None:
    from digest.workflows.subscribe import import_csv

    first = publish(ctx, 1, {"policy": (1,)})
    lines = ["address,newsletter\n", "Rosa@x.example,ledger\n"]
    import_csv(ctx, lines)
    deliver(ctx, first)
    import_csv(ctx, lines)
    deliver(ctx, publish(ctx, 2, {"policy": (1, 2)}))
    assert [len(mails) for mails in got(sender).values()] == [2]
    assert b"Story 1 on" not in sender.taken[-1].data


# Who not


def test_a_suppression_outlives_a_change_of_the_secret(
    ctx: Context, sender: FakeSender, clock: Clock, tmp_path: Path
) -> None:
    issue = publish(ctx)
    reader(ctx, "bad@x.example")
    reader(ctx, "good@x.example")
    with ctx.db.write() as session:
        session.add(
            Suppression(address_hash=ctx.signer.address_hash("bad@x.example"), reason="complained", created_at=NOW)
        )
    plan_deliveries(ctx, issue)
    assert ledger(ctx, issue)["bad"] == ("skipped", "suppressed")
    rotated = Context(**{**vars(ctx), "signer": Signer(b"n" * 32, (b"k" * 32,))})
    second = publish(rotated, 2, {"policy": (8,)})
    plan_deliveries(rotated, second)
    assert ledger(rotated, second) == {"bad": ("skipped", "suppressed"), "good": ("queued", "")}
