"""The proof of consent (GDPR Art. 7(1)): to which words, where, when. And what became of it since."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.store import audit_log
from digest.store.tables import Subscription

CONSENT_VERSION = "2026-11"
"""Changes whenever the words below change."""


def consent_text(newsletter: str) -> str:
    """The words beside the button, kept with every subscription that they lead to."""
    return f"Send me {newsletter} by mail. I can change my choices or leave at any time by the links in every issue."


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody agreed to.

    Attributes:
        text, version: the exact words.
        url: the page on which they stood; "" for lists that an operator brings.
    """

    text: str
    version: str = CONSENT_VERSION
    url: str = ""


def give(subscription: Subscription, consent: Consent) -> None:
    """Put the proof on the subscription."""
    subscription.consent_text = consent.text
    subscription.consent_version = consent.version
    subscription.consent_url = consent.url


def note(session: Session, now: datetime, actor: str, action: str, subscription: Subscription) -> None:
    """Keep in the audit log what a later sign-up or departure would overwrite. It holds no address."""
    session.flush()
    after = {
        "state": subscription.state,
        "why": subscription.ended_why,
        "consent_text": subscription.consent_text,
        "consent_version": subscription.consent_version,
        "consent_url": subscription.consent_url,
    }
    audit_log.record(session, now, actor, action, f"subscription:{subscription.id}", after=after)
