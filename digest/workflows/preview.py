"""Show an issue as somebody would get it: always the bytes that would be sent, or that were."""

import email
import email.policy
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlmodel import Session

from digest.domain.audience import Arrival, TopicChoice
from digest.domain.calendar import Frequency
from digest.domain.mail import Cut, Message
from digest.errors import NotFound, UsageError
from digest.render.cut import cut_for, selection_all
from digest.render.preflight import Finding
from digest.store import deliveries, issues, subscribers
from digest.store.deliveries import Hour
from digest.store.newsroom import topics as all_topics
from digest.store.tables import Issue, Subscriber, Subscription
from digest.workflows.context import Context
from digest.workflows.delivery_plan import Chooser, articles_of, updates, why_not
from digest.workflows.messages import PrintedIssue, addressed, drafted, printed, shown_again
from digest.workflows.preflight import Inspection, inspected
from digest.workflows.subscribe.words import frequency_named
from digest.workflows.timetable import Timetable

Format = Literal["html", "text", "eml"]


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Whose copy is shown: a subscriber's, or (with the id 0) that of a reader who chose the same."""

    subscriber_id: int = 0
    subscription_id: int = 0
    address: str = "reader@example.com"
    name: str = ""
    choice: TopicChoice = field(default_factory=TopicChoice)
    frequency: Frequency = "every-issue"
    hour: Hour = field(default_factory=lambda: Hour("", ""))


NOBODY = Onlooker()
"""Stands in for a reader where a set of topics is shown; no link in such a mail belongs to anybody."""


def preview(
    ctx: Context,
    issue_id: int,
    *,
    topics: frozenset[str] | None = None,
    weekly: bool = False,
    subscriber: str | None = None,
    form: Format = "html",
) -> str | bytes:
    """The issue for a set of topics, for one subscriber, or (with neither) whole.

    Args:
        topics: chosen slugs; the empty set is a reader who chose nothing, and so gets everything.
        weekly: as a reader who gets one mail a week, on the day that brings it.
        subscriber: an address; once their mail has left, exactly what they were sent is shown.

    Returns:
        The whole mail as bytes for ``eml``; else one of its parts, decoded.

    Raises:
        UsageError: a topic that there isn't.
        NotFound: no such issue or subscriber, or no mail for these choices, with the reason.
    """
    mail = _mail(ctx, issue_id, topics, subscriber, "weekly" if weekly else "every-issue")
    if form == "eml":
        return mail
    parts = email.message_from_bytes(mail, policy=email.policy.default)
    body = parts.get_body(("html",) if form == "html" else ("plain",))
    assert body is not None
    return str(body.get_content())


def findings(ctx: Context, issue_id: int) -> tuple[Finding, ...]:
    """What preflight says of the issue as it stands."""
    return inspection(ctx, issue_id).findings


def inspection(ctx: Context, issue_id: int, *, look_up: bool = False) -> Inspection:
    """The same with what it was found in; ``look_up`` fetches every link.

    Raises:
        NotFound: no such issue.
        RenderError: it can't be rendered.
    """
    issue = drafted(ctx, issue_id)
    return inspected(ctx, issue_id, issue.document, issue.fragments, steps=issue.steps, look_up=look_up)


def _mail(
    ctx: Context, issue_id: int, topics: frozenset[str] | None, subscriber: str | None, frequency: Frequency
) -> bytes:
    with ctx.db.read() as session:
        row = issues.get(session, issue_id)
        known = {topic.slug for topic in all_topics(session)}
        if topics and (unknown := topics - known):
            raise UsageError(f"there is no topic {min(unknown)!r}; the topics are {', '.join(sorted(known))}")
        frozen = printed(session, issue_id, ctx) if issues.fragments(session, issue_id) else None
        reader = _reader(session, row.newsletter_id, subscriber) if subscriber else NOBODY
        sent = deliveries.of_subscriber(session, issue_id, reader.subscriber_id) if subscriber else None
    if subscriber and sent is not None and sent.dated_at is not None:
        return shown_again(ctx, issue_id, subscriber)
    issue = frozen or drafted(ctx, issue_id)
    if topics is None and not subscriber and frequency == "every-issue":
        cut = cut_for(issue.fragments, selection_all(issue.document))
    else:
        if not subscriber:
            reader = replace(NOBODY, choice=TopicChoice(topics or frozenset()), frequency=frequency)
        found, reason = cut_of(ctx, row, issue, reader)
        if found is None:
            raise NotFound(f"no mail would be sent for these choices: {reason}")
        cut = found
    message: Message = addressed(
        ctx,
        issue,
        cut,
        delivery_id=None,
        subscriber_id=reader.subscriber_id,
        subscription_id=reader.subscription_id,
        address=reader.address,
        name=reader.name,
        dated_at=row.due_at,
    )
    return message.data


def cut_of(ctx: Context, row: Issue, issue: PrintedIssue, reader: Onlooker) -> tuple[Cut | None, str]:
    """What a reader with these choices gets of an issue; or None, and why they get nothing.

    It is the same choosing as for the ledger. A reader without an id has received nothing, and their copy arrives on
    the day of the issue.
    """
    received, day = frozenset[int](), Arrival()
    if reader.subscriber_id:
        with ctx.db.read() as session:
            received, day = _received(session, row, issue, reader), _arrival(ctx, session, row, reader)
    due = reader.choice.due(reader.frequency, day)
    if due is None:
        return None, why_not(reader.choice, reader.frequency, day)
    return Chooser(issue, issues.spec_of(row)).cut_of(due, received)


def _arrival(ctx: Context, session: Session, row: Issue, reader: Onlooker) -> Arrival:
    """What the day of this reader's copy means for how often they want mail."""
    timetable = Timetable.of(session, row, issues.spec_of(row), ctx.clock())
    others = (deliveries.of_subscriber(session, other, reader.subscriber_id) for other in timetable.same_day)
    return Arrival(
        weekly=timetable.weekly_day,
        weekend=timetable.of_hour(reader.hour)[2],
        second=any(other is not None and other.cut_id is not None and other.state != "failed" for other in others),
    )


def _received(session: Session, row: Issue, issue: PrintedIssue, reader: Onlooker) -> frozenset[int]:
    """Stories of the issue that this reader was sent by an earlier one."""
    assert row.id is not None
    repeatable, articles = updates(issue.sections) | issues.pinned(session, row.id), articles_of(issue.sections)
    before = deliveries.carried_before(
        session, row.id, {story: found for story, found in articles.items() if story not in repeatable}
    )
    had = {
        earlier: deliveries.cut_of_subscriber(session, earlier, reader.subscriber_id)
        for earlier in {each.issue_id for each in before}
    }
    return frozenset(each.story_id for each in before if had[each.issue_id].bits & each.positions)


def onlooker(session: Session, subscription: Subscription, person: Subscriber) -> Onlooker:
    """A subscriber with what they chose."""
    assert person.id is not None
    assert subscription.id is not None
    return Onlooker(
        person.id, subscription.id, person.address, person.name, subscribers.choice_of(session, subscription.id),
        frequency_named(subscription.frequency), Hour(subscription.hour, person.zone if subscription.hour else ""),
    )  # fmt: skip


def _reader(session: Session, newsletter_id: int, address: str) -> Onlooker:
    person = subscribers.find(session, address)
    if person is None or person.id is None:
        raise NotFound(f"no subscriber has the address {address}")
    for subscription in subscribers.subscriptions_of(session, person.id):
        if subscription.newsletter_id == newsletter_id:
            return onlooker(session, subscription, person)
    raise NotFound(f"{address} has not subscribed to this newsletter")
