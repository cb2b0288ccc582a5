"""From an approved issue and a row of the ledger to the mail of one person: the same bytes whenever it is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlmodel import Session

from digest.domain.audience import Signer
from digest.domain.issue import IssueDocument, Section
from digest.domain.mail import Cut, Fragment, Message
from digest.errors import NotFound, StateConflict
from digest.render.budget import Step
from digest.render.cut import cut_for, selection_all
from digest.render.headers import domain_of
from digest.render.message import Addressee, Head
from digest.render.stitch import Stitcher
from digest.store import deliveries, issues, subscribers
from digest.store.tables import Subscriber
from digest.workflows import replay
from digest.workflows.context import Context
from digest.workflows.document import document_of
from digest.workflows.printing import renderer


@dataclass(frozen=True)
class PrintedIssue:
    """An approved issue as it is handed out: what all its mails have in common.

    ``revision`` is the one that was approved: cuts speak of the fragments of one revision. ``signer`` has the key that
    was in force then (None: the one that is in force now); ``key_lost`` says that it is neither in force nor retired.
    ``cuts`` are those that the ledger refers to, by id; none before it is written. ``steps`` are those by which stories
    were made smaller, of an issue that is not approved yet.
    """

    document: IssueDocument
    head: Head
    fragments: tuple[Fragment, ...]
    revision: int = 0
    signer: Signer | None = None
    key_lost: bool = False
    cuts: dict[int, Cut] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()

    def learn(self, session: Session, cut_ids: Iterable[int]) -> None:
        """Make sure that these cuts are known: a reader who waits for their hour may have chosen anew meanwhile."""
        if not self.cuts.keys() >= set(cut_ids):
            self.cuts.update(deliveries.cuts(session, self.document.issue_id))

    @property
    def sections(self) -> tuple[Section, ...]:
        """The blocks of stories, from which readers get their own selection."""
        return tuple(block.section for block in self.document.blocks if block.section is not None)

    @cached_property
    def stitcher(self) -> Stitcher:
        """What makes its mails."""
        return Stitcher(self.head, self.fragments)

    @cached_property
    def domain(self) -> str:
        """The domain that Message-IDs bear: that of the visible sender."""
        return domain_of(self.head.envelope_from)


def printed(session: Session, issue_id: int, ctx: Context) -> PrintedIssue:
    """The issue with its frozen fragments.

    Raises:
        NotFound: no such issue.
        StateConflict: it is not approved, so that it has no fragments.
    """
    fragments = issues.fragments(session, issue_id)
    if not fragments:
        issue = issues.get(session, issue_id)
        raise StateConflict(f"issue {issue_id} is {issue.state} and has no frozen bytes yet: approve it first")
    kept = replay.manifest_of(session, issue_id)
    document = kept.document if kept else document_of(session, issue_id, ctx)
    signer = ctx.signer.with_key(kept.key) if kept else ctx.signer
    revision, cuts = issues.get(session, issue_id).revision, deliveries.cuts(session, issue_id)
    return PrintedIssue(document, Head.of(document), fragments, revision, signer, signer is None, cuts)


def drafted(ctx: Context, issue_id: int) -> PrintedIssue:
    """The issue as it would be printed now.

    Raises:
        NotFound: no such issue.
        RenderError: it can't be rendered.
    """
    with ctx.db.read() as session:
        document = document_of(session, issue_id, ctx)
    fitted = renderer(ctx, document.newsletter).fit(document)
    return PrintedIssue(fitted.document, Head.of(fitted.document), fitted.fragments, steps=fitted.steps)


def addressed(
    ctx: Context,
    issue: PrintedIssue,
    cut: Cut,
    *,
    delivery_id: int | None,
    subscriber_id: int,
    subscription_id: int,
    address: str,
    name: str,
    dated_at: datetime,
) -> Message:
    """The mail of one person. Same arguments, same secret, same bytes; the Message-ID too (RFC 5322 3.6.4).

    An approved issue keeps the addresses of its pages and the key of its links, whatever the settings say later.

    Raises:
        MessageError: an address that can't stand in a mail.
    """
    signer, pages = issue.signer or ctx.signer, issue.document.public_url
    unsubscribe = signer.sign("unsubscribe", subscription_id)
    preferences = signer.sign("preferences", subscription_id)
    addressee = Addressee(
        delivery_id=delivery_id,
        message_id=message_id_of(ctx, issue, subscriber_id),
        address=address,
        name=name,
        date=dated_at,
        unsubscribe_url=f"{pages}/unsubscribe/{unsubscribe}",
        preferences_url=f"{pages}/preferences/{preferences}",
    )
    return issue.stitcher.message(cut, addressee)


def message_id_of(ctx: Context, issue: PrintedIssue, subscriber_id: int) -> str:
    """The Message-ID of an issue's copy for one subscriber, on every attempt and whenever it is asked for."""
    signer = issue.signer or ctx.signer
    return signer.message_id(issue.document.issue_id, subscriber_id, issue.domain)


def shown_again(ctx: Context, issue_id: int, address: str) -> bytes:
    """What somebody was sent, byte for byte, from the issue and their cut alone.

    It needs the secret that signed the links, and the address as it was then.

    Raises:
        NotFound: no such issue, nobody with that address, or nothing was sent to them (with the reason).
        StateConflict: the secret that signed its links is not known any more.
    """
    with ctx.db.read() as session:
        issue = printed(session, issue_id, ctx)
        person = _person(session, address)
        assert person.id is not None
        row = deliveries.of_subscriber(session, issue_id, person.id)
    if row is None:
        raise NotFound(f"{address} is not among the readers of issue {issue_id}")
    if row.dated_at is None or row.cut_id is None:
        raise NotFound(f"{address} was sent nothing of issue {issue_id}: {row.reason or row.state}")
    if issue.key_lost:
        raise StateConflict(
            f"the secret that signed the links of issue {issue_id} is gone: name it in DIGEST_RETIRED_KEYS to see its mails"
        )
    return addressed(
        ctx,
        issue,
        issue.cuts[row.cut_id],
        delivery_id=row.id,
        subscriber_id=person.id,
        subscription_id=row.subscription_id,
        address=person.address,
        name=person.name,
        dated_at=row.dated_at,
    ).data


def proof_for(ctx: Context, issue_id: int, address: str) -> Message:
    """The whole issue as it would be sent now, marked [Test], with links that belong to nobody.

    Raises:
        NotFound: no such issue.
        MessageError: an address that can't stand in a mail.
    """
    with ctx.db.read() as session:
        frozen = printed(session, issue_id, ctx) if issues.fragments(session, issue_id) else None
    issue = frozen or drafted(ctx, issue_id)
    document, fragments = issue.document, issue.fragments
    now = ctx.clock()
    return addressed(
        ctx,
        PrintedIssue(document, Head.of(document, test=True), fragments),
        cut_for(fragments, selection_all(document)),
        delivery_id=None,
        # A negative number is nobody's, and each test is a mail of its own.
        subscriber_id=-int(now.timestamp() * 1_000_000),
        subscription_id=0,
        address=address,
        name="",
        dated_at=now,
    )


def _person(session: Session, address: str) -> Subscriber:
    person = subscribers.find(session, address)
    if person is None:
        raise NotFound(f"no subscriber has the address {address}")
    return person
