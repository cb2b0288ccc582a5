"""Who gets what: one row of the ledger for every reader of an approved issue, before anything leaves.

::

    what the issue carries → which of it earlier issues carried → who received it
    readers fall into few groups (topics, received) → the cut of each group, or why there is none
    and into few hours (hour, zone, frequency)      → the moment of each hour, or why there is none
    one INSERT … SELECT joins groups and hours to all readers, with suppressions and pauses
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlmodel import Session

from digest.curation.select import select
from digest.domain.appointment import Appointment, appointment
from digest.domain.issue import Section
from digest.domain.mail import Cut, Fragment
from digest.domain.newsroom import NewsletterSpec
from digest.errors import StateConflict
from digest.render.cut import cut_for
from digest.store import deliveries, issues, subscribers
from digest.store.deliveries import PAUSED, SUPPRESSED, WORD, Audience, Group, Hour
from digest.store.tables import Issue, Subscriber
from digest.workflows.blocks import day_of
from digest.workflows.context import Context
from digest.workflows.messages import PrintedIssue, printed

__all__ = ["PAUSED", "SUPPRESSED", "Chooser", "Timetable", "plan_deliveries", "retime", "write_ledger"]

NOTHING_NEW = "nothing new in the chosen topics"
WEEKLY_TOPICS = "not on this day: the chosen topics come weekly"


def plan_deliveries(ctx: Context, issue_id: int) -> dict[str, int]:
    """Write the ledger of an approved issue: everybody is queued with their cut, or skipped with a reason.

    Safe to repeat, and from several processes at once: while the issue is approved it follows what readers
    change; once it is being sent, it is left alone.

    Returns:
        What :func:`digest.workflows.deliver.audit` returns.

    Raises:
        NotFound: no such issue.
        StateConflict: it is neither approved nor being sent.
    """
    with ctx.db.write() as session:
        state = deliveries.lock_issue(session, issue_id)
        if state == "approved":
            write_ledger(ctx, session, issue_id)
        elif state not in ("sending", "sent"):
            raise StateConflict(f"issue {issue_id} is {state}: approve it before it is sent")
        return deliveries.counts(session, issue_id)


def write_ledger(ctx: Context, session: Session, issue_id: int) -> None:
    """Plan within the caller's transaction, in which the issue is locked."""
    issue = printed(session, issue_id, ctx)
    subscribers.hash_addresses(session, ctx.signer)
    deliveries.keep_stories(session, issue_id, positions_of(issue.fragments), articles_of(issue.sections))
    with assigned(ctx, session, issues.get(session, issue_id), issue) as plan:
        ids = deliveries.keep_cuts(session, issue_id, plan.cuts)
        plan.write_cuts(ids)
        deliveries.write_plan(session, issue_id, plan.audience.plan(plan.same_day))


def retime(session: Session, person: Subscriber) -> None:
    """Let mails of a reader that wait for their hour follow a change of hour or zone.

    Each still belongs to its own issue, so none is doubled or lost. One whose new hour has passed leaves at once; one that
    was tried already keeps the time of its next attempt.
    """
    assert person.id is not None
    for delivery_id, issue, hour in deliveries.waiting_of(session, person.id):
        at = _moment(issues.spec_of(issue), issue.due_at, hour, person.zone)
        deliveries.move_to(session, delivery_id, None if at is None else at.at)


def _moment(spec: NewsletterSpec, due: datetime, hour: str, zone: str) -> Appointment | None:
    """When a copy leaves for that hour and zone; None: as soon as the issue goes out."""
    if not hour:
        return None
    return appointment(
        day_of(spec, due), due, hour=time.fromisoformat(spec.hour), zone=spec.zone,
        reader_hour=time.fromisoformat(hour), reader_zone=zone,
    )  # fmt: skip


@dataclass
class Plan:
    """A plan that is worked out for groups and hours, and waits to be joined to the readers.

    Attributes:
        cuts: the distinct cuts, in the order in which they were found.
        same_day: other issues of the newsletter that bear the same day.
    """

    audience: Audience
    choices: list[tuple[Group, Cut | None, str]]
    same_day: list[int]

    @property
    def cuts(self) -> list[Cut]:
        """Each once."""
        return list(dict.fromkeys(cut for _, cut, _ in self.choices if cut is not None))

    def write_cuts(self, ids: Mapping[Cut, int]) -> None:
        """Name the cuts by these ids."""
        self.audience.assign_cuts((group, None if cut is None else ids[cut], why) for group, cut, why in self.choices)


@contextmanager
def assigned(ctx: Context, session: Session, row: Issue, issue: PrintedIssue) -> Iterator[Plan]:
    """Work out cut and moment of every group of readers of an issue."""
    assert row.id is not None
    spec = issues.spec_of(row)
    carried = positions_of(issue.fragments)
    # Updates come again on purpose, and so does what an editor pinned.
    repeatable = updates(issue.sections) | issues.pinned(session, row.id)
    articles = articles_of(issue.sections)
    before = deliveries.carried_before(
        session, row.id, {story: articles.get(story, ()) for story in carried if story not in repeatable}
    )
    known = sorted({each.story_id for each in before})
    timetable = Timetable.of(session, row, spec, ctx.clock())
    chooser = Chooser(issue, spec, timetable.weekly_day)
    with deliveries.audience(session, row.newsletter_id, row.id, stories=len(known)) as audience:
        for earlier in sorted({each.issue_id for each in before}):
            ours = [each for each in before if each.issue_id == earlier]
            shown: dict[int, int] = {}
            for each in ours:  # a story may be one that was merged from several
                shown[each.story_id] = shown.get(each.story_id, 0) | each.positions
            holdings = _holdings(deliveries.cuts(session, earlier), shown, known)
            audience.receive(earlier, holdings, goes_on=ours[0].goes_on)
        choices = [(group, *chooser.cut_of_group(group, known)) for group in audience.groups()]
        audience.assign_hours((hour, *timetable.of_hour(hour)) for hour in audience.hours())
        yield Plan(audience, choices, timetable.same_day)


@dataclass
class Chooser:
    """Finds the cut for a choice; who chose the same shares the work.

    Attributes:
        weekly_day: whether this issue is the one of its week that brings weekly topics.
    """

    issue: PrintedIssue
    spec: NewsletterSpec
    weekly_day: bool = True
    _known: dict[tuple[frozenset[str], frozenset[int]], tuple[Cut | None, str]] = field(default_factory=dict)

    def cut_of_group(self, group: Group, stories: list[int]) -> tuple[Cut | None, str]:
        """The cut of a group, or why there is none; ``stories`` are those that its bits stand for."""
        received = frozenset(story for n, story in enumerate(stories) if group.received[n // WORD] >> n % WORD & 1)
        topics = group.choice.on(self.weekly_day)
        return (None, WEEKLY_TOPICS) if topics is None else self.cut_of(topics, received)

    def cut_of(self, topics: frozenset[str], received: frozenset[int]) -> tuple[Cut | None, str]:
        """The cut for these topics without what was sent before; or None and why there is none."""
        key = topics, received
        if key not in self._known:
            selection = select(self.issue.sections, topics, received, self.spec.min_stories)
            if selection.reason or not selection.stories:
                self._known[key] = None, selection.reason or NOTHING_NEW
            else:
                self._known[key] = cut_for(self.issue.fragments, selection), ""
        return self._known[key]


@dataclass(frozen=True)
class Timetable:
    """On which day and at which moment readers get an issue.

    Attributes:
        day: the local date that it bears.
        weekly_day: whether it is the issue of its week for those who want one a week.
        same_day: other issues of the newsletter that bear the same day.
    """

    spec: NewsletterSpec
    day: date
    due: datetime
    now: datetime
    weekly_day: bool
    same_day: list[int]

    @classmethod
    def of(cls, session: Session, row: Issue, spec: NewsletterSpec, now: datetime) -> "Timetable":
        """The timetable of an issue, which knows the other issues of its week.

        The weekly issue is that of the newsletter's weekday. If there was none on that day (nothing to say, cancelled, a
        missed slot), it is the first one after it.
        """
        assert row.id is not None
        day = day_of(spec, row.due_at)
        back = timedelta(days=(day.weekday() - spec.weekday) % 7)
        week = deliveries.neighbours(session, row.id, row.newsletter_id, row.due_at - back - timedelta(days=2))
        days = [
            (issue_id, day_of(spec, due)) for issue_id, due, state in week
            if state in ("approved", "sending", "sent", "held") and due <= row.due_at
        ]  # fmt: skip
        started = issues.began(session, row.newsletter_id)
        missed = (
            started is not None and day_of(spec, started) < day - back
            and not any(day - back <= other < day for _, other in days)
        )  # fmt: skip
        return cls(
            spec, day, row.due_at, now, not back or spec.cadence == "weekly" or missed,
            [issue_id for issue_id, other in days if other == day],
        )  # fmt: skip

    def of_hour(self, hour: Hour) -> tuple[datetime | None, datetime, str]:
        """The moment of a copy for these readers (None: as soon as the issue goes out), when that is, or why it is skipped."""
        found = _moment(self.spec, self.due, hour.hour, hour.zone)
        if found is None:
            return None, max(self.due, self.now), self._reason(hour.frequency, self.day)
        return found.at, max(found.at, self.now), self._reason(hour.frequency, found.day)

    def _reason(self, frequency: str, day: date) -> str:
        """Why readers with that frequency get no copy that arrives on ``day``; "" if they do."""
        if frequency == "weekly" and not self.weekly_day:
            return f"not on this day: {frequency}"
        # A newsletter that comes out on weekdays is theirs whole, also where Friday's arrives on Saturday.
        if frequency == "weekdays" and self.spec.cadence == "daily" and day.weekday() > 4:
            return f"not on this day: {frequency}"
        return ""


def positions_of(fragments: Iterable[Fragment]) -> dict[int, int]:
    """For each story, as bits, the fragments that show it."""
    carried: dict[int, int] = {}
    for fragment in fragments:
        if fragment.story_id is not None:
            carried[fragment.story_id] = carried.get(fragment.story_id, 0) | 1 << fragment.position
    return carried


def articles_of(sections: Iterable[Section]) -> dict[int, frozenset[int]]:
    """For each story, the ids of its articles."""
    return {placed.item.story_id: frozenset(placed.item.articles) for section in sections for placed in section.items}


def updates(sections: Iterable[Section]) -> frozenset[int]:
    """Stories that are marked as updates: those come again on purpose."""
    return frozenset(
        placed.item.story_id for section in sections for placed in section.items if placed.item.update_of is not None
    )


def _holdings(cuts: Mapping[int, Cut], shown: Mapping[int, int], known: list[int]) -> dict[int, list[int]]:
    """For each cut of an earlier issue that showed one of the stories: which ones, as words of bits."""
    holdings: dict[int, list[int]] = {}
    for cut_id, cut in cuts.items():
        words = [0] * -(-len(known) // WORD)
        for n, story in enumerate(known):
            if cut.bits & shown.get(story, 0):
                words[n // WORD] |= 1 << n % WORD
        if any(words):
            holdings[cut_id] = words
    return holdings
