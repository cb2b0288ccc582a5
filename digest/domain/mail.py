"""What is sent: fragments, cuts, messages, results, events. Values only."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from digest.domain.refusals import Refusal, refusal_of

FragmentRole = Literal["shell", "block", "heading", "item", "closing", "web"]
DeliveryState = Literal["queued", "sending", "sent", "skipped", "failed", "unknown"]
DELIVERY_STATES: tuple[DeliveryState, ...] = ("queued", "sending", "sent", "skipped", "failed", "unknown")
Outcome = Literal["sent", "deferred", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Fragment:
    """The finished bytes of one block or item of an approved issue.

    A cut is the join of its fragments in ``position`` order; every fragment's bytes are complete
    quoted-printable lines (they end in a soft or hard line break), so any join is valid.

    Attributes:
        position: bit number in a cut, and order in the mail.
        key: readable name, such as ``section:policy/item:42``.
        role: ``shell`` and ``block`` are in every cut (a block may be personal by omission),
            ``heading`` and ``closing`` only where one of their group's items is, ``item`` by choice;
            ``web`` is in no mail, but on the issue's page.
        group: the block that headings, items and closings belong to; "" for the shell.
        story_id: the story that an item shows, None for other fragments.
        form: ``lead``, ``related``, ``card``, ``brief`` or ``line`` for items, "" for others.
        html, text: quoted-printable bytes; tokens stand alone in them as ``@@NAME@@``.
        headline: an item's headline, from which a cut's subject and preheader are made.
        dek: an item's dek, plain text.
    """

    position: int
    key: str
    role: FragmentRole
    group: str
    html: bytes
    text: bytes
    story_id: int | None = None
    form: str = ""
    headline: str = ""
    dek: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """The fragments that one subscriber gets: bit *n* stands for the fragment at position *n*."""

    bits: int

    @classmethod
    def of(cls, positions: Iterable[int]) -> "Cut":
        """The cut that holds exactly these positions."""
        bits = 0
        for position in positions:
            bits |= 1 << position
        return cls(bits)

    def __contains__(self, position: int) -> bool:
        return bool(self.bits >> position & 1)

    def encode(self) -> str:
        """Lower-case hexadecimal, as the ledger keeps it."""
        return f"{self.bits:x}"

    @classmethod
    def decode(cls, text: str) -> "Cut":
        """The inverse of :meth:`encode`."""
        return cls(int(text, 16))


class Message(NamedTuple):  # a tuple, as one is made for every mail
    """A finished mail for one recipient.

    Attributes:
        delivery_id: the ledger row that it belongs to; None for mails outside the ledger.
        message_id: with angle brackets.
        envelope_from: the return path.
        recipient: the bare address.
        data: the whole message, CRLF lines, no dot-stuffing.
        prepared: its maker vouches for ``data``: ASCII, every line ends in CRLF, none is longer than RFC 5322 allows
            or begins with a dot. Looking through 50 kB again costs more than sending them.
    """

    delivery_id: int | None
    message_id: str
    envelope_from: str
    recipient: str
    data: bytes
    prepared: bool = False


class SendResult(NamedTuple):  # a tuple, as one is made for every mail
    """What became of one message.

    Attributes:
        outcome: ``sent`` (accepted), ``deferred`` (4xx: try later), ``failed`` (5xx: never again),
            ``unknown`` (handed over, no answer came).
        code: the SMTP or HTTP status, with the enhanced code where there is one ("550 5.1.1").
        detail: the server's words, for the ledger.
        provider_id: the provider's own id of the message.
        retry_after: seconds that the server asked for.
        speaks_of: what a deferral or failure speaks of, if the sender knows better than code and words.
    """

    message: Message
    outcome: Outcome
    code: str = ""
    detail: str = ""
    provider_id: str = ""
    retry_after: float | None = None
    speaks_of: Refusal = ""

    @property
    def refusal(self) -> Refusal:
        """What a deferral or failure speaks of."""
        if self.speaks_of or self.outcome not in ("deferred", "failed"):
            return self.speaks_of
        return refusal_of(self.code, self.detail)
