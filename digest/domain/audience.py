"""Who reads: recipients and their choices; tokens that stand for them."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from struct import pack, unpack
from typing import Literal

from digest.domain.calendar import Frequency
from digest.errors import InvalidToken

Purpose = Literal["confirm", "unsubscribe", "preferences", "archive", "websub"]
"""What a token is good for. A token made for one purpose never opens another door."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One confirmed subscription as delivery sees it.

    Attributes:
        topics: chosen topic slugs; empty means everything.
        sent_stories: ids of stories that this person was already sent.
    """

    subscriber_id: int
    subscription_id: int
    address: str
    name: str = ""
    topics: frozenset[str] = frozenset()
    frequency: Frequency = "every-issue"
    paused_until: datetime | None = None
    sent_stories: frozenset[int] = frozenset()


@lru_cache(maxsize=64)
def _begun(key: bytes, purpose: str) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """HMAC's inner and outer hash (RFC 2104) with the key in them, and the purpose in the inner one."""
    # Setting up a key costs more than hashing a few bytes, and every mail needs three tokens: each goes on from copies.
    padded = (sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner, outer = (sha256(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C))
    inner.update(purpose.encode() + b"\0")
    return inner, outer


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """The topics that a subscription asks for, and those among them that are wanted once a week only.

    Attributes:
        topics: slugs; none at all means everything.
        weekly: a part of ``topics``.
    """

    topics: frozenset[str] = frozenset()
    weekly: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.weekly <= self.topics:
            raise ValueError(f"weekly topics must be chosen topics: {sorted(self.weekly - self.topics)}")

    def encode(self) -> str:
        """The one text of this choice: ``markets:weekly policy``; "" for everything."""
        return " ".join(f"{topic}:weekly" if topic in self.weekly else topic for topic in sorted(self.topics))

    @classmethod
    def decode(cls, text: str) -> "TopicChoice":
        """The inverse of :meth:`encode`.

        Raises:
            ValueError: a word that is no topic with a known frequency.
        """
        topics, weekly = set(), set()
        for word in text.split():
            topic, colon, often = word.partition(":")
            if not topic or (colon and often != "weekly"):
                raise ValueError(f"{word!r} is no topic; write TOPIC or TOPIC:weekly")
            topics.add(topic)
            if colon:
                weekly.add(topic)
        return cls(frozenset(topics), frozenset(weekly))

    def on(self, weekly_day: bool) -> frozenset[str] | None:
        """The topics that an issue brings: on the weekly day all; on another day those that aren't weekly.

        None if that leaves none, which is not the same as everything.
        """
        if weekly_day or not self.weekly:
            return self.topics
        return self.topics - self.weekly or None


def _mac(key: bytes, purpose: str, ident: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104) of purpose and id, 32 bytes."""
    begun, ends = _begun(key, purpose)
    inner, outer = begun.copy(), ends.copy()
    inner.update(ident)
    outer.update(inner.digest())
    return outer.digest()


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and checks opaque tokens: 32 URL-safe characters, 8 bytes of id and 16 of HMAC-SHA256.

    Attributes:
        key: the service's secret, at least 32 bytes.
        retired: earlier secrets that still open old links (key rotation with overlap).
    """

    key: bytes
    retired: tuple[bytes, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Names the key without giving it away."""
        return _mac(self.key, "fingerprint", b"").hex()[:16]

    def with_key(self, fingerprint: str) -> "Signer | None":
        """A signer that signs with the key of that fingerprint; None if it is neither in force nor retired."""
        for key in (self.key, *self.retired):
            signer = Signer(key, tuple(other for other in (self.key, *self.retired) if other != key))
            if hmac.compare_digest(signer.fingerprint, fingerprint):
                return signer
        return None

    def sign(self, purpose: Purpose, ident: int) -> str:
        """A token for ``ident`` (a subscription's or subscriber's id) that is good for ``purpose`` only."""
        raw = pack(">q", ident)
        return base64.urlsafe_b64encode(raw + _mac(self.key, purpose, raw)[:16]).decode()

    def verify(self, purpose: Purpose, token: str) -> int:
        """The id in ``token``.

        Raises:
            InvalidToken: forged, altered, or made for another purpose. Compared in constant time.
        """
        try:
            blob = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except ValueError:
            blob = b""
        if len(blob) == 24:
            raw, mac = blob[:8], blob[8:]
            checks = [hmac.compare_digest(mac, _mac(key, purpose, raw)[:16]) for key in (self.key, *self.retired)]
            if any(checks):
                ident: int = unpack(">q", raw)[0]
                return ident
        raise InvalidToken("this link is not valid")

    def message_id(self, issue_id: int, subscriber_id: int, domain: str) -> str:
        """The Message-ID of an issue's copy for one subscriber: the same on every attempt (RFC 5322 3.6.4)."""
        return f"<{_mac(self.key, 'message-id', pack('>qq', issue_id, subscriber_id))[:16].hex()}@{domain}>"

    def address_hash(self, address: str) -> str:
        """A keyed hash of an address, for suppressions that outlive the address itself (GDPR Art. 17)."""
        return _mac(self.key, "address", address.strip().lower().encode()).hex()

    def address_hashes(self, address: str) -> tuple[str, ...]:
        """``address_hash`` under the secret in force, then under each retired one."""
        return tuple(Signer(key).address_hash(address) for key in (self.key, *self.retired))
