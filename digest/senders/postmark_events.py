"""Postmark's webhooks in the service's own words (postmarkapp.com/developer/webhooks/webhooks-overview)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from digest.errors import ParseError

EventKind = Literal["delivered", "bounced", "deferred", "complained", "unsubscribed", "rejected"]

# postmarkapp.com/developer/api/bounce-api#bounce-types. What is not named here is passing.
_HARD = frozenset({"HardBounce", "BadEmailAddress", "AddressChange"})
_POLICY = frozenset({"Blocked", "SpamNotification", "ManuallyDeactivated", "DMARCPolicy", "TemplateRenderingFailed"})


@dataclass(frozen=True, slots=True)
class MailEvent:
    """What a provider says about a mail after it was accepted.

    Attributes:
        permanent: for ``bounced``: never write there again.
        delivery_id: the ledger row, from the metadata that the sender gave; None if it is not there.
        provider_id: the provider's id of the message.
    """

    kind: EventKind
    address: str
    at: datetime
    permanent: bool = False
    delivery_id: int | None = None
    provider_id: str = ""
    detail: str = ""


def parse_event(payload: Mapping[str, Any]) -> MailEvent | None:
    """The event in a webhook's JSON, None for record types that mean nothing here (opens, clicks).

    Raises:
        ParseError: fields that every such record has are missing or can't be read.
    """
    kind, permanent, when = _kind(payload)
    if kind is None:
        return None
    try:
        delivery = (payload.get("Metadata") or {}).get("delivery", "")
        return MailEvent(
            kind=kind,
            address=str(payload.get("Email") or payload["Recipient"]),
            at=_moment(str(payload[when])),
            permanent=permanent,
            delivery_id=int(delivery) if str(delivery).isdigit() else None,
            provider_id=str(payload.get("MessageID") or ""),
            detail=str(payload.get("Details") or payload.get("Description") or payload.get("SuppressionReason") or ""),
        )
    except (KeyError, ValueError, AttributeError) as error:
        raise ParseError(f"a Postmark {payload.get('RecordType')} without a readable {error}") from None


def _kind(payload: Mapping[str, Any]) -> tuple[EventKind | None, bool, str]:
    match payload.get("RecordType"):
        case "Delivery":
            return "delivered", False, "DeliveredAt"
        case "SpamComplaint":
            return "complained", True, "BouncedAt"
        case "SubscriptionChange" if payload.get("SuppressSending"):
            return "unsubscribed", True, "ChangedAt"
        case "Bounce":
            reason = payload.get("Type")
            if reason in _HARD:
                return "bounced", True, "BouncedAt"
            if reason in _POLICY:
                return "rejected", False, "BouncedAt"
            if reason == "Unsubscribe":
                return "unsubscribed", True, "BouncedAt"
            if reason in ("Transient", "DnsError", "SoftBounce"):
                return ("bounced" if reason == "SoftBounce" else "deferred"), False, "BouncedAt"
            return "bounced", False, "BouncedAt"
    return None, False, ""


def _moment(text: str) -> datetime:
    # Postmark writes seven digits of a second; Python reads six.
    head, dot, tail = text.partition(".")
    zone = tail.lstrip("0123456789")
    digits = tail[: len(tail) - len(zone)][:6]
    parsed = datetime.fromisoformat(f"{head}.{digits.ljust(6, '0')}{zone}" if dot else text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
