"""Who reads: what they chose and how often they want it; tokens that stand for them."""

import base64
import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from struct import pack, unpack
from typing import Literal

from digest.domain.calendar import FREQUENCIES, Frequency
from digest.errors import InvalidToken

Purpose = Literal["confirm", "unsubscribe", "preferences", "archive", "websub"]
"""What a token is good for. A token made for one purpose never opens another door."""


@lru_cache(maxsize=64)
def _begun(key: bytes, purpose: str) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """HMAC's inner and outer hash (RFC 2104) with the key in them, and the purpose in the inner one."""
    # Setting up a key costs more than hashing a few bytes, and every mail needs three tokens: each goes on from copies.
    padded = (sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner, outer = (sha256(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C))
    inner.update(purpose.encode() + b"\0")
    return inner, outer


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the day of a reader's copy means for how often they want mail.

    Attributes:
        weekly: the issue is the one of its week.
        weekend: the copy of a daily newsletter arrives on a Saturday or Sunday.
        second: they had another mail of this newsletter that bears the same day.
    """

    weekly: bool = True
    weekend: bool = False
    second: bool = False

    def suits(self, frequency: Frequency) -> bool:
        """Whether who wants mail that often gets it on this day."""
        if frequency == "every-issue":
            return True
        if self.second:
            return False
        return self.weekly if frequency == "weekly" else not (frequency == "weekdays" and self.weekend)


@dataclass(frozen=True, slots=True)
class Due:
    """What of an issue is a reader's on one day.

    Attributes:
        topics: slugs; none at all means everything.
        week: topics of which they get the best of the week as well; none at all means everything, None nothing.
        whole_week: everything that they get comes weekly, so the best story of the week leads their mail.
    """

    topics: frozenset[str] = frozenset()
    week: frozenset[str] | None = None
    whole_week: bool = False


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """The topics that a subscription asks for, and those among them that have a frequency of their own.

    Attributes:
        topics: slugs; none at all means everything.
        often: pairs of a chosen topic and how often it is wanted; the others come as often as the subscription says.
    """

    topics: frozenset[str] = frozenset()
    often: frozenset[tuple[str, Frequency]] = frozenset()

    def __post_init__(self) -> None:
        if odd := {topic for topic, _ in self.often} - self.topics:
            raise ValueError(f"topics with a frequency of their own must be chosen topics: {sorted(odd)}")
        if len(dict(self.often)) < len(self.often):
            raise ValueError("a topic comes at one frequency")

    @classmethod
    def of(cls, topics: Iterable[str], often: Mapping[str, Frequency] | None = None) -> "TopicChoice":
        """A choice; frequencies of topics that are not chosen are left out."""
        chosen = frozenset(topics)
        return cls(chosen, frozenset((topic, each) for topic, each in (often or {}).items() if topic in chosen))

    def among(self, topics: Collection[str]) -> "TopicChoice":
        """The part of the choice that is on offer."""
        return TopicChoice.of(self.topics & frozenset(topics), self.own)

    @property
    def own(self) -> dict[str, Frequency]:
        """The topics with a frequency of their own."""
        return dict(sorted(self.often))

    def encode(self) -> str:
        """The one text of this choice: ``markets:weekly policy``; "" for everything."""
        own = self.own
        return " ".join(f"{topic}:{own[topic]}" if topic in own else topic for topic in sorted(self.topics))

    @classmethod
    def decode(cls, text: str) -> "TopicChoice":
        """The inverse of :meth:`encode`.

        Raises:
            ValueError: a word that is no topic with a known frequency.
        """
        own: dict[str, Frequency] = {}
        topics = set()
        for word in text.split():
            topic, colon, often = word.partition(":")
            if not colon:
                topics.add(topic)  # as nearly all of them
                continue
            known = next((each for each in FREQUENCIES if each == often), None)
            if not topic or known is None:
                raise ValueError(f"{word!r} is no topic; write TOPIC or TOPIC:weekly ({', '.join(FREQUENCIES)})")
            topics.add(topic)
            own[topic] = known
        return cls.of(topics, own)

    def due(self, frequency: Frequency, day: Arrival) -> Due | None:
        """What a copy that arrives on ``day`` brings to a subscription of that frequency; None if it brings nothing."""
        own = self.own
        if not own:  # everything comes as often as the subscription says
            is_weekly = frequency == "weekly"
            return Due(self.topics, self.topics if is_weekly else None, is_weekly) if day.suits(frequency) else None
        topics = frozenset(topic for topic in self.topics if day.suits(own.get(topic, frequency)))
        week = frozenset(topic for topic in topics if own.get(topic, frequency) == "weekly")
        return Due(topics, week or None, bool(week) and week == topics) if topics else None


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
