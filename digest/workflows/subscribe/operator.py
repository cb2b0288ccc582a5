"""What an operator does for a reader: adding them to a list. Nobody who left is ever brought back this way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.domain.audience import TopicChoice
from digest.domain.calendar import Frequency
from digest.errors import StateConflict
from digest.store import newsletters, subscribers
from digest.store.newsletters import Offer
from digest.store.tables import Subscriber, Subscription
from digest.workflows.context import Context
from digest.workflows.subscribe import consent
from digest.workflows.subscribe.confirm import activate
from digest.workflows.subscribe.sign_up import ask_to_confirm
from digest.workflows.subscribe.words import WrongField, hour_named, one_line, reader_address, topics_named, zone_named

BROUGHT = consent.Consent("Added by the operator, who holds the proof of consent.", version="operator")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody is put on a list with. ``paused_until``: None leaves a pause as it is."""

    choice: TopicChoice
    frequency: Frequency = "every-issue"
    hour: str = ""
    paused_until: datetime | None = None


def add_subscriber(
    ctx: Context,
    address: str,
    name: str = "",
    *,
    newsletter: Sequence[str] = (),
    topics: Collection[str] = (),
    frequency: Frequency = "every-issue",
    hour: str = "",
    zone: str = "",
    confirmed: bool = False,
) -> tuple[int, ...]:
    """Add somebody, or change what they chose.

    Args:
        newsletter: slugs; none means every newsletter that offers one of the topics.
        topics: slugs; none means everything; ``SLUG:weekly`` has a frequency of its own.
        hour, zone: when, on whose clock; "" for as soon as an issue is out, and for the zone that is known.
        confirmed: the operator vouches for the consent. Otherwise the person is asked by mail.

    Returns:
        The ids of the subscriptions.

    Raises:
        WrongField: the address, a newsletter, a topic, an hour or a zone can't be used.
        StateConflict: the address is suppressed, or its owner has left: only they can come back.
    """
    address = reader_address(address, intranet=True)
    wishes = Wishes(topics_named(" ".join(topics)), frequency, hour_named(hour))
    zone = zone_named(zone) if zone else ""
    with ctx.db.write() as session:
        wanted = wanted_offers(newsletters.offers(session), newsletter, wishes.choice.topics)
        refuse_suppressed(ctx, session, address)
        person = subscribers.find_or_add(session, ctx.signer, address, ctx.clock(), one_line(name))
        if name:
            person.name = one_line(name)
        person.zone = zone or person.zone
        joined = [(offer, put_on_list(ctx, session, person, offer, wishes, confirmed=confirmed)) for offer in wanted]
        pending = [(offer, each) for offer, each in joined if each.state == "pending"]
        if pending:
            ask_to_confirm(ctx, session, person, pending)
        return tuple(each.id for _, each in joined if each.id is not None)


def wanted_offers(on_offer: Sequence[Offer], slugs: Sequence[str], topics: Collection[str]) -> list[Offer]:
    """The newsletters of those names, or all that offer one of the topics.

    Raises:
        WrongField: a name that there isn't, with the names that there are.
    """
    known = {offer.slug: offer for offer in on_offer}
    for slug in slugs:
        if slug not in known:
            raise WrongField("newsletter", f"there is no newsletter {slug!r}; there are: {', '.join(known) or 'none'}")
    wanted = [known[slug] for slug in slugs] or list(known.values())
    if not wanted:
        raise WrongField("newsletter", "there is no newsletter yet: run `digest newsroom apply`")
    offered = {topic for offer in wanted for topic in offer.topic_slugs}
    if unknown := sorted(set(topics) - offered):
        raise WrongField("topics", f"there is no topic {unknown[0]!r}; there are: {', '.join(sorted(offered))}")
    return [offer for offer in wanted if slugs or not topics or offer.topic_slugs & set(topics)]


def refuse_suppressed(ctx: Context, session: Session, address: str) -> None:
    """Stop before anything is stored about an address that must never be written to.

    Raises:
        StateConflict: it is suppressed.
    """
    if subscribers.is_suppressed(session, ctx.signer, address):
        raise StateConflict(f"{address} is suppressed: mails to it bounced or were reported as unwanted")


def put_on_list(
    ctx: Context,
    session: Session,
    person: Subscriber,
    offer: Offer,
    wishes: Wishes,
    *,
    confirmed: bool,
) -> Subscription:
    """The person's subscription with these choices: active if the operator vouches for it, else as it was or pending.

    Raises:
        StateConflict: its owner has left.
    """
    now = ctx.clock()
    assert person.id is not None
    subscription = subscribers.find_or_add_subscription(session, person.id, offer.id, now)
    assert subscription.id is not None
    if subscription.ended_at is not None:
        raise StateConflict(f"{person.address} left {offer.spec.name} on {subscription.ended_at:%Y-%m-%d}")
    is_new = not subscription.consent_text
    subscription.frequency, subscription.hour = wishes.frequency, wishes.hour
    if wishes.paused_until is not None:
        subscription.paused_until = wishes.paused_until
    subscribers.choose_topics(session, subscription.id, wishes.choice.among(offer.topic_slugs))
    if is_new:
        consent.give(subscription, BROUGHT)
    if confirmed and subscription.state != "active":
        activate(subscription, now)
        subscription.paused_until = wishes.paused_until
        consent.note(session, now, "operator", "subscription.confirmed", subscription)
    elif is_new:
        consent.note(session, now, "operator", "subscription.asked", subscription)
    return subscription
