"""Signing up: a pending subscription and a mail that asks. Only the mailbox's owner can make it real."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from digest.domain.calendar import Frequency
from digest.store import newsletters, subscribers
from digest.store.newsletters import Offer
from digest.store.tables import Subscriber, Subscription
from digest.workflows.context import Context
from digest.workflows.notices import queue_notice
from digest.workflows.subscribe import consent
from digest.workflows.subscribe.words import WrongField, listing, one_line, reader_address

CONFIRM_LIFE = timedelta(days=7)
"""How long a confirmation link works."""

MAX_NOTICES = 5
"""Mails a day that forms can make us send to one address, so that nobody's inbox is flooded through them."""


@dataclass(frozen=True, slots=True)
class SignUp:
    """A filled-in form.

    Attributes:
        choices: newsletter slug → topic slugs; no topics means everything. Topics not on offer are ignored.
        form_url: the page on which the form stood; "" for our own sign-up page.
    """

    address: str
    choices: Mapping[str, frozenset[str]]
    name: str = ""
    frequency: Frequency = "every-issue"
    form_url: str = ""


def sign_up(ctx: Context, form: SignUp) -> None:
    """Ask the owner of the address, by mail, whether they want this.

    Who reads one of the newsletters already keeps it as it is, and gets the link to their choices if they asked
    for nothing new. Suppressed addresses get no mail. The caller sends the notices afterwards, and tells
    everybody the same.

    Raises:
        WrongField: ``address`` can't be used, or ``newsletters`` names none that is on offer.
    """
    address = reader_address(form.address)
    now = ctx.clock()
    with ctx.db.write() as session:
        wanted = [offer for offer in newsletters.offers(session) if offer.slug in form.choices]
        if not wanted:
            raise WrongField("newsletters", "Choose at least one newsletter.")
        if subscribers.is_suppressed(session, ctx.signer, address):
            return
        person = subscribers.find_or_add(session, ctx.signer, address, now, one_line(form.name))
        asked = [(offer, _begin(ctx, session, person, offer, form)) for offer in wanted]
        pending = [(offer, subscription) for offer, subscription in asked if subscription.state == "pending"]
        if pending:
            ask_to_confirm(ctx, session, person, pending)
        else:
            send_link(ctx, session, person, *asked[0])


def _begin(ctx: Context, session: Session, person: Subscriber, offer: Offer, form: SignUp) -> Subscription:
    """The subscription as pending, unless it is active: a form that anybody can fill in changes no choices."""
    assert person.id is not None
    now = ctx.clock()
    subscription = subscribers.find_or_add_subscription(session, person.id, offer.id, now)
    if subscription.state == "active":
        return subscription
    assert subscription.id is not None
    # ended_at stays until the owner confirms: the address counts as departed until then.
    subscription.state = "pending"
    subscription.created_at = now
    subscription.frequency = form.frequency
    url = form.form_url or f"{ctx.public_url}/"
    consent.give(subscription, consent.Consent(consent.consent_text(offer.spec.name), url=url))
    subscribers.choose_topics(session, subscription.id, form.choices[offer.slug] & offer.topic_slugs)
    consent.note(session, now, "reader", "subscription.asked", subscription)
    return subscription


def ask_to_confirm(
    ctx: Context, session: Session, person: Subscriber, pending: Sequence[tuple[Offer, Subscription]]
) -> None:
    """Queue one mail that asks for all of them; its link confirms whatever is pending for that person."""
    offer, subscription = pending[0]
    assert subscription.id is not None
    token = ctx.signer.sign("confirm", subscription.id)
    _queue(
        ctx,
        session,
        person,
        "confirm",
        {
            "newsletter": offer.slug,
            "name": listing(offer.spec.name for offer, _ in pending),
            "url": f"{ctx.public_url}/confirm/{token}",
            "tagline": offer.spec.tagline if len(pending) == 1 else "",
        },
    )


def send_link(ctx: Context, session: Session, person: Subscriber, offer: Offer, subscription: Subscription) -> None:
    """Queue a mail with the link to the person's choices."""
    assert subscription.id is not None
    token = ctx.signer.sign("preferences", subscription.id)
    payload = {"newsletter": offer.slug, "name": offer.spec.name, "url": f"{ctx.public_url}/preferences/{token}"}
    _queue(ctx, session, person, "preferences-link", payload)


def _queue(ctx: Context, session: Session, person: Subscriber, kind: str, payload: Mapping[str, object]) -> None:
    now = ctx.clock()
    if subscribers.notices_since(session, person.address, now - timedelta(days=1)) < MAX_NOTICES:
        queue_notice(session, now, kind, person.address, dict(payload))
