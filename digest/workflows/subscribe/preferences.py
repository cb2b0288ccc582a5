"""The preference centre: a signed link instead of a login."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlmodel import Session

from digest.domain.audience import Signer, TopicChoice
from digest.domain.calendar import Frequency, local_instant
from digest.errors import InvalidToken, StateConflict
from digest.store import newsletters, subscribers
from digest.store.newsletters import Offer
from digest.store.tables import Issue, Subscriber, Subscription
from digest.workflows.context import Context
from digest.workflows.delivery_plan import retime
from digest.workflows.subscribe import consent
from digest.workflows.subscribe.confirm import activate
from digest.workflows.subscribe.sign_up import ask_to_confirm, send_link
from digest.workflows.subscribe.words import WrongField, frequency_named, hour_named, reader_address, zone_named

LONGEST_PAUSE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Choices:
    """A filled-in preference form. None leaves a choice as it is.

    Attributes:
        topics: slugs; empty means everything.
        pause_until: ISO date of the first day with mail again, "" to end a pause.
        zone: IANA name.
        hour: "HH:MM", at which the mail is wanted; "" as soon as an issue is out.
        often: how often topics are wanted that have a frequency of their own; looked at together with ``topics``.
    """

    topics: frozenset[str] | None = None
    frequency: str | None = None
    pause_until: str | None = None
    zone: str | None = None
    hour: str | None = None
    often: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another newsletter of the house, as this reader has it. ``token`` opens its choices, "" if there are none yet."""

    offer: Offer
    active: bool
    token: str


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a reader chose, and what else they may choose.

    Attributes:
        address: with its middle hidden: mails are forwarded, and the link with them.
        topics: chosen slugs; empty means everything.
        often: those of them that have a frequency of their own.
        hour: "HH:MM", "" for as soon as an issue is out.
        paused_until: the first day with mail again, in the reader's zone; None if not paused.
        latest_issue: the newest number on the web, None if there is none.
    """

    address: str
    offer: Offer
    state: Literal["active", "ended"]
    topics: frozenset[str]
    often: Mapping[str, Frequency]
    frequency: Frequency
    hour: str
    zone: str
    paused_until: date | None
    today: date
    neighbours: tuple[Neighbour, ...]
    unsubscribe_token: str
    latest_issue: int | None

    @property
    def earliest_return(self) -> date:
        """The first day to which mail can be paused."""
        return self.today + timedelta(days=1)


def preferences_of(ctx: Context, token: str) -> Preferences:
    """What the link's owner chose.

    Raises:
        InvalidToken: forged, altered, or never confirmed.
    """
    subscription_id = ctx.signer.verify("preferences", token)
    with ctx.db.read() as session:
        return _preferences(ctx, session, *_owner(session, session.get(Subscription, subscription_id)))


def owner(session: Session, signer: Signer, token: str) -> tuple[Subscription, Subscriber]:
    """Whose choices a link opens.

    Raises:
        InvalidToken: forged, altered, or never confirmed.
    """
    return _owner(session, session.get(Subscription, signer.verify("preferences", token)))


def save_preferences(ctx: Context, token: str, choices: Choices) -> Preferences:
    """Keep the choices. A mail that waits for the reader's hour follows them; one that has left does not come again.

    Raises:
        InvalidToken: forged, altered, or never confirmed.
        StateConflict: the reader has left; coming back is a step of its own.
        WrongField: a topic, frequency, hour, date or zone that there isn't.
    """
    subscription_id = ctx.signer.verify("preferences", token)
    now = ctx.clock()
    with ctx.db.write() as session:
        subscription, person = _owner(session, subscribers.locked(session, subscription_id))
        if subscription.state == "ended":
            raise StateConflict("You have left this newsletter. Resubscribe first, then choose.")
        if choices.frequency is not None:
            subscription.frequency = frequency_named(choices.frequency)
        if choices.hour is not None:
            subscription.hour = hour_named(choices.hour)
        if choices.zone is not None:
            person.zone = zone_named(choices.zone)
        if choices.pause_until is not None:
            subscription.paused_until = _end_of_pause(choices.pause_until, person.zone, now)
        if choices.topics is not None:
            offer = newsletters.offer_by_id(session, subscription.newsletter_id)
            on_offer = offer.topic_slugs if offer else frozenset()
            if unknown := choices.topics - on_offer:
                raise WrongField("topics", f"There is no topic {min(unknown)!r} any more. Choose again, then save.")
            own = {topic: frequency_named(often) for topic, often in choices.often.items() if often}
            choice = TopicChoice.of(choices.topics, own)
            subscribers.choose_topics(session, subscription_id, choice)
        session.flush()
        session.refresh(subscription)
        if choices.hour is not None or choices.zone is not None:
            retime(session, person)
        return _preferences(ctx, session, subscription, person)


def join_another(ctx: Context, token: str, newsletter: str) -> Preferences:
    """Subscribe the link's owner to another newsletter of the house; the address is proven already.

    Raises:
        InvalidToken: forged, altered, or never confirmed.
        WrongField: no such newsletter.
    """
    subscription_id = ctx.signer.verify("preferences", token)
    now = ctx.clock()
    with ctx.db.write() as session:
        subscription, person = _owner(session, session.get(Subscription, subscription_id))
        offer = newsletters.offer(session, newsletter)
        if offer is None:
            raise WrongField("newsletter", "There is no such newsletter.")
        joined = subscribers.find_or_add_subscription(session, subscription.subscriber_id, offer.id, now)
        if joined.state != "active":
            url = f"{ctx.public_url}/preferences"
            consent.give(joined, consent.Consent(consent.consent_text(offer.spec.name), url=url))
            activate(joined, now)
            consent.note(session, now, "reader", "subscription.confirmed", joined)
        return _preferences(ctx, session, subscription, person)


def request_link(ctx: Context, address: str) -> None:
    """Send the link to their choices to whoever reads, or has read, something of ours.

    Who never confirmed is asked once more to confirm. Unknown and suppressed addresses get no mail; the caller
    tells everybody the same.

    Raises:
        WrongField: not an address.
    """
    address = reader_address(address)
    with ctx.db.write() as session:
        person = subscribers.find(session, address)
        if person is None or subscribers.is_suppressed(session, ctx.signer, address):
            return
        assert person.id is not None
        known = [
            (offer, each)
            for each in subscribers.subscriptions_of(session, person.id)
            if (offer := newsletters.offer_by_id(session, each.newsletter_id))
        ]
        for state in ("active", "ended"):
            for offer, subscription in known:
                if subscription.state == state and subscription.confirmed_at:
                    send_link(ctx, session, person, offer, subscription)
                    return
        if pending := [(offer, each) for offer, each in known if each.state == "pending"]:
            ask_to_confirm(ctx, session, person, pending)


def _owner(session: Session, subscription: Subscription | None) -> tuple[Subscription, Subscriber]:
    if subscription is None or subscription.confirmed_at is None:
        raise InvalidToken("this link is not valid")
    person = session.get(Subscriber, subscription.subscriber_id)
    if person is None:
        raise InvalidToken("this link is not valid")
    return subscription, person


def _preferences(ctx: Context, session: Session, subscription: Subscription, person: Subscriber) -> Preferences:
    offer = newsletters.offer_by_id(session, subscription.newsletter_id)
    if offer is None or subscription.id is None:
        raise InvalidToken("this link is not valid")
    zone, now = ZoneInfo(person.zone), ctx.clock()
    choice = subscribers.choice_of(session, subscription.id).among(offer.topic_slugs)
    paused = subscription.paused_until if subscription.paused_until and subscription.paused_until > now else None
    latest: list[Issue] = [found.issue for found in newsletters.public_issues(session, offer.id, limit=1)]
    return Preferences(
        address=_masked(person.address),
        offer=offer,
        state="active" if subscription.state == "active" else "ended",
        topics=choice.topics,
        often=choice.own,
        frequency=frequency_named(subscription.frequency),
        hour=subscription.hour,
        zone=person.zone,
        paused_until=paused.astimezone(zone).date() if paused else None,
        today=now.astimezone(zone).date(),
        neighbours=tuple(_neighbours(ctx, session, subscription)),
        unsubscribe_token=ctx.signer.sign("unsubscribe", subscription.id),
        latest_issue=latest[0].number if latest else None,
    )


def _neighbours(ctx: Context, session: Session, own: Subscription) -> list[Neighbour]:
    mine = {each.newsletter_id: each for each in subscribers.subscriptions_of(session, own.subscriber_id)}
    neighbours = []
    for offer in newsletters.offers(session):
        if offer.id == own.newsletter_id:
            continue
        each = mine.get(offer.id)
        is_proven = each is not None and each.confirmed_at is not None and each.id is not None
        token = ctx.signer.sign("preferences", each.id) if is_proven and each and each.id else ""
        neighbours.append(Neighbour(offer, each is not None and each.state == "active", token))
    return neighbours


def _masked(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def _end_of_pause(text: str, zone: str, now: datetime) -> datetime | None:
    """Midnight, on the reader's clock, at which the first day with mail begins."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise WrongField("pause_until", "Write the date as year-month-day, such as 2026-12-24.") from None
    today = now.astimezone(ZoneInfo(zone)).date()
    if not today < day <= today + LONGEST_PAUSE:
        raise WrongField("pause_until", "Choose a day between tomorrow and a year from now.")
    return local_instant(day, time(0), zone)
