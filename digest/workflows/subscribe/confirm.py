"""Confirming: the page asks, the button acts."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.errors import InvalidToken
from digest.store import newsletters, subscribers
from digest.store.newsletters import Offer
from digest.store.tables import Subscription
from digest.workflows.context import Context
from digest.workflows.subscribe import consent
from digest.workflows.subscribe.sign_up import CONFIRM_LIFE


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirmation link is about.

    Attributes:
        offers: the newsletters.
        done: whether they are confirmed.
        preferences_token: opens the person's choices once it is done.
    """

    offers: tuple[Offer, ...]
    done: bool
    preferences_token: str


def confirmation_of(ctx: Context, token: str) -> Confirmation:
    """What confirming would do; looking changes nothing.

    Raises:
        InvalidToken: forged, altered, run out after 7 days, or the reader has left since.
    """
    subscription_id = ctx.signer.verify("confirm", token)
    with ctx.db.read() as session:
        subscription = session.get(Subscription, subscription_id)
        return _about(ctx, session, subscription, _asked(ctx, session, subscription))


def confirm(ctx: Context, token: str) -> Confirmation:
    """Make active whatever is pending for the owner of the mailbox. Twice is as good as once.

    Raises:
        InvalidToken: see ``confirmation_of``.
    """
    subscription_id = ctx.signer.verify("confirm", token)
    now = ctx.clock()
    with ctx.db.write() as session:
        subscription = subscribers.locked(session, subscription_id)
        asked = _asked(ctx, session, subscription)
        for each in asked:
            if each.state == "pending":
                activate(each, now)
                consent.note(session, now, "reader", "subscription.confirmed", each)
        return _about(ctx, session, subscription, asked)


def activate(subscription: Subscription, now: datetime) -> None:
    """The owner of the mailbox wants it: whatever ended or paused it before is over."""
    subscription.state = "active"
    subscription.confirmed_at = now
    subscription.ended_at, subscription.ended_why, subscription.paused_until = None, "", None


def _asked(ctx: Context, session: Session, subscription: Subscription | None) -> list[Subscription]:
    """All that the link is about: the person's fresh pending subscriptions, or the one that is confirmed already."""
    if subscription is None or subscription.state == "ended":
        raise InvalidToken("this link is not valid any more")
    fresh = [
        each
        for each in subscribers.subscriptions_of(session, subscription.subscriber_id)
        if each.state == "pending" and ctx.clock() < each.created_at + CONFIRM_LIFE
    ]
    if subscription.state == "pending" and subscription not in fresh:
        raise InvalidToken("this link is not valid any more")
    return fresh if subscription.state == "pending" else [subscription]


def _about(
    ctx: Context, session: Session, subscription: Subscription | None, asked: list[Subscription]
) -> Confirmation:
    assert subscription is not None
    assert subscription.id is not None
    found = (newsletters.offer_by_id(session, each.newsletter_id) for each in asked)
    return Confirmation(
        offers=tuple(offer for offer in found if offer),
        done=all(each.state == "active" for each in asked),
        preferences_token=ctx.signer.sign("preferences", subscription.id),
    )
