"""What a reader would get with choices that they have not saved: their own cut of the next issue.

Which issue that is, is decided here. A reader sees what editors let go: an issue that is approved, in the bytes that
will be sent. A draft is seen only where it goes out by itself (``approval = "auto"``) and belongs to a slot; one that
waits for a person, is held, or was made by hand for a look, never is. Until there is such an issue it is the newest
one that went out, and the page says so.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import structlog
from sqlmodel import Session

from digest.domain.audience import TopicChoice
from digest.domain.issue import WEEK
from digest.domain.mail import Cut
from digest.errors import NotFound, RenderError
from digest.render.cut import html_of, in_cut
from digest.store import issues, newsletters
from digest.store.tables import Issue
from digest.workflows.context import Context
from digest.workflows.messages import PrintedIssue, drafted, printed
from digest.workflows.preview import cut_of, onlooker
from digest.workflows.subscribe.preferences import Choices, owner
from digest.workflows.subscribe.words import WrongField, frequency_named

log = structlog.get_logger(__name__)

Standing = Literal["approved", "draft", "out"]

MOST_KEPT = 8
"""Printed issues that are kept in memory; more newsletters than this take turns."""


@dataclass(frozen=True)
class NextCopy:
    """One reader's copy.

    Attributes:
        standing: ``approved`` (these bytes will be sent), ``draft`` (as it stands), ``out`` (it went out already).
        day: the local date that the issue bears.
        reason: why these choices bring no mail; "" if they bring one.
        subject: of this reader's copy.
        stories: how many.
        sections: title of each section that has stories for them, and how many.
        html: the mail; its personal links and the address are stand-ins.
    """

    standing: Standing
    day: date
    number: int
    reason: str = ""
    subject: str = ""
    stories: int = 0
    sections: tuple[tuple[str, int], ...] = ()
    html: str = ""


class NextCopies:
    """Finds copies. An issue is printed once for all who look; a copy of it is a choice and a join.

    Safe to use from several threads.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._kept: dict[tuple[int, int, bool], PrintedIssue] = {}
        self._lock = threading.Lock()

    def of(self, token: str, choices: Choices) -> NextCopy | None:
        """The copy for the link's owner, with what ``choices`` says in place of what is kept; None before any issue,
        and for who has left.

        Nothing is written.

        Raises:
            InvalidToken: forged, altered, or never confirmed.
            WrongField: a topic or frequency that there isn't.
        """
        ctx = self._ctx
        with ctx.db.read() as session:
            subscription, person = owner(session, ctx.signer, token)
            offer = newsletters.offer_by_id(session, subscription.newsletter_id)
            if offer is None or subscription.state != "active":
                return None
            reader = onlooker(session, subscription, person)
            rows = _in_turn(session, offer.id)
        topics = reader.choice.among(offer.topic_slugs)
        if choices.topics is not None:
            if unknown := choices.topics - offer.topic_slugs:
                raise WrongField("topics", f"There is no topic {min(unknown)!r} any more. Choose again.")
            topics = TopicChoice.of(choices.topics, {t: frequency_named(o) for t, o in choices.often.items() if o})
        frequency = reader.frequency if choices.frequency is None else frequency_named(choices.frequency)
        reader = replace(reader, choice=topics, frequency=frequency)
        for row, standing in rows:
            try:
                issue = self._printed(row)
                copy = NextCopy(standing, issue.document.day, row.number)
                cut, reason = cut_of(ctx, row, issue, reader)
                return replace(copy, reason=reason) if cut is None else _shown(copy, issue, cut, token)
            except (RenderError, NotFound) as error:  # editors are told elsewhere; readers see the issue before
                log.warning("a copy can't be shown", issue=row.id, error=str(error))
        return None

    def _printed(self, row: Issue) -> PrintedIssue:
        assert row.id is not None
        key = row.id, row.revision, row.state != "draft"
        # One at a time: printing a draft takes as long for a hundred who wait as for one.
        with self._lock:
            if key not in self._kept:
                while len(self._kept) >= MOST_KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = self._print(row)
            return self._kept[key]

    def _print(self, row: Issue) -> PrintedIssue:
        assert row.id is not None
        if row.state == "draft":
            return drafted(self._ctx, row.id)
        with self._ctx.db.read() as session:
            return printed(session, row.id, self._ctx)


def _in_turn(session: Session, newsletter_id: int) -> list[tuple[Issue, Standing]]:
    """The issues that may be shown, the best first."""
    ahead = issues.ahead(session, newsletter_id)
    shown: list[tuple[Issue, Standing]] = [(row, "approved") for row in ahead if row.state == "approved"]
    shown += [
        (row, "draft")
        for row in ahead
        if row.state == "draft" and not row.slot.startswith(issues.BY_HAND) and issues.spec_of(row).approval == "auto"
    ]
    return shown + [(found.issue, "out") for found in newsletters.public_issues(session, newsletter_id, limit=1)]


def _shown(copy: NextCopy, issue: PrintedIssue, cut: Cut, token: str) -> NextCopy:
    chosen = in_cut(issue.fragments, cut)
    titles = {block.key: block.section.title or block.title for block in issue.document.blocks if block.section}
    counts = Counter(each.group for each in chosen if each.role == "item")
    lines, page = issue.head.lines_for(issue.fragments, cut), f"{issue.document.public_url}/preferences/{token}"
    # Mails are forwarded, and this page's link with them: whose it is stays hidden, and no link here ends anything.
    stand_ins = {"PREHEADER": lines.preheader, "UNSUBSCRIBE": page, "PREFERENCES": page, "ADDRESS": "you"}
    return replace(
        copy,
        subject=lines.subject,
        stories=counts.total(),
        sections=tuple(_titled(counts, titles)),
        html=html_of(issue.fragments, cut, stand_ins),
    )


def _titled(counts: Counter[str], titles: dict[str, str]) -> Iterable[tuple[str, int]]:
    for group, count in counts.items():
        title = titles.get(group, "") or ("The best of the week" if group == WEEK else "")
        if title:
            yield title, count
