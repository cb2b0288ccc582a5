"""Leaving, at once and for as long as the reader likes; and coming back."""

from dataclasses import dataclass

from sqlmodel import Session

from digest.errors import InvalidToken, StateConflict
from digest.store import newsletters, subscribers
from digest.store.newsletters import Offer
from digest.store.tables import Subscriber, Subscription
from digest.workflows.context import Context
from digest.workflows.subscribe import consent
from digest.workflows.subscribe.confirm import activate
from digest.workflows.subscribe.words import MAX_REASON, one_line


@dataclass(frozen=True, slots=True)
class Membership:
    """What an unsubscribe link is about.

    Attributes:
        active: whether the reader still gets it.
        others: newsletters that the reader gets besides.
        preferences_token: opens the gentler choices.
    """

    offer: Offer
    active: bool
    others: tuple[Offer, ...]
    preferences_token: str


def membership_of(ctx: Context, token: str) -> Membership:
    """What leaving would end; looking changes nothing.

    Raises:
        InvalidToken: forged or altered. These links do not run out.
    """
    subscription_id = ctx.signer.verify("unsubscribe", token)
    with ctx.db.read() as session:
        return _membership(ctx, session, _known(session.get(Subscription, subscription_id)))


def unsubscribe(ctx: Context, token: str, *, reason: str = "", everything: bool = False) -> Membership:
    """End the subscription now; queued copies are not sent, as delivery looks again right before sending.

    Leaving twice is no error and changes nothing.

    Args:
        reason: in the reader's own words, if they gave any.
        everything: leave all newsletters that this person gets.

    Raises:
        InvalidToken: forged or altered.
    """
    subscription_id = ctx.signer.verify("unsubscribe", token)
    now = ctx.clock()
    with ctx.db.write() as session:
        subscription = _known(subscribers.locked(session, subscription_id))
        leaving = subscribers.subscriptions_of(session, subscription.subscriber_id) if everything else [subscription]
        for each in leaving:
            if each.state != "ended":
                each.state, each.ended_at = "ended", now
                each.ended_why = ": ".join(filter(None, ("unsubscribed", one_line(reason, MAX_REASON))))
                consent.note(session, now, "reader", "subscription.ended", each)
        return _membership(ctx, session, subscription)


def resubscribe(ctx: Context, token: str) -> Membership:
    """Take a departure back, with the choices as they were. Who never left stays as they are.

    Raises:
        InvalidToken: forged or altered.
        StateConflict: mails to the address bounced or were reported as unwanted, or it was never confirmed.
    """
    subscription_id = ctx.signer.verify("unsubscribe", token)
    now = ctx.clock()
    with ctx.db.write() as session:
        subscription = _known(subscribers.locked(session, subscription_id))
        person = session.get(Subscriber, subscription.subscriber_id)
        membership = _membership(ctx, session, subscription)
        if subscription.state == "active":
            return membership
        if person is None or subscribers.is_suppressed(session, ctx.signer, person.address):
            raise StateConflict(
                "Mails to this address came back or were reported as unwanted, so we may not write to it."
            )
        if subscription.confirmed_at is None:
            raise StateConflict("This address was never confirmed. Sign up again, and we will send you a link.")
        words = consent.consent_text(membership.offer.spec.name)
        consent.give(subscription, consent.Consent(words, url=f"{ctx.public_url}/unsubscribe"))
        activate(subscription, now)
        consent.note(session, now, "reader", "subscription.resumed", subscription)
        return _membership(ctx, session, subscription)


def _known(subscription: Subscription | None) -> Subscription:
    if subscription is None:
        raise InvalidToken("this link is not valid")
    return subscription


def _membership(ctx: Context, session: Session, subscription: Subscription) -> Membership:
    assert subscription.id is not None
    offer = newsletters.offer_by_id(session, subscription.newsletter_id)
    if offer is None:
        raise InvalidToken("this link is not valid")
    others = (
        newsletters.offer_by_id(session, each.newsletter_id)
        for each in subscribers.subscriptions_of(session, subscription.subscriber_id)
        if each.id != subscription.id and each.state == "active"
    )
    return Membership(
        offer=offer,
        active=subscription.state == "active",
        others=tuple(other for other in others if other),
        preferences_token=ctx.signer.sign("preferences", subscription.id),
    )
