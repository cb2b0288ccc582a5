"""Who gets what: one row of the ledger for every reader of an approved issue, before anything leaves.

::

    what the issue carries → which of it earlier issues carried → who received it
    readers fall into few groups (topics, how often, received) → the cut of each group, or why there is none
    and into few hours (hour, zone)                 → the moment of each hour
    one INSERT … SELECT joins groups and hours to all readers, with suppressions and pauses
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from sqlmodel import Session

from digest.curation.select import Offer
from digest.domain.audience import Arrival, Due, TopicChoice
from digest.domain.calendar import Frequency
from digest.domain.issue import Section, stories_of_the_week
from digest.domain.mail import Cut, Fragment
from digest.domain.newsroom import NewsletterSpec
from digest.errors import StateConflict
from digest.render.budget import size, within
from digest.render.cut import Cutter
from digest.store import deliveries, issues, subscribers
from digest.store.deliveries import PAUSED, SUPPRESSED, WORD, Audience, Group
from digest.store.tables import Issue, Subscriber
from digest.workflows.context import Context
from digest.workflows.messages import PrintedIssue, printed
from digest.workflows.timetable import Timetable, moment_of

__all__ = ["PAUSED", "SUPPRESSED", "Chooser", "plan_deliveries", "retime", "write_ledger"]

NOTHING_NEW = "nothing new in the chosen topics"
NOT_TODAY = "not on this day"
WEEKLY_TOPICS = f"{NOT_TODAY}: the chosen topics come weekly"
OTHER_DAYS = f"{NOT_TODAY}: the chosen topics come on others"
SECOND = "another mail of this newsletter bears the same day"


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
        return deliveries.tally(session, issue_id)


def write_ledger(ctx: Context, session: Session, issue_id: int) -> None:
    """Plan within the caller's transaction, in which the issue is locked."""
    issue = printed(session, issue_id, ctx)
    subscribers.hash_addresses(session, ctx.signer)
    deliveries.keep_stories(session, issue_id, positions_of(issue.fragments), articles_of(issue.sections))
    with assigned(ctx, session, issues.get(session, issue_id), issue) as plan:
        ids = deliveries.keep_cuts(session, issue_id, plan.cuts)
        plan.write_cuts(ids)
        deliveries.write_plan(session, issue_id, plan.audience.plan())


def retime(session: Session, person: Subscriber) -> None:
    """Let mails of a reader that wait for their hour follow a change of hour or zone.

    Each still belongs to its own issue, so none is doubled or lost. One whose new hour has passed leaves at once; one that
    was tried already keeps the time of its next attempt.
    """
    assert person.id is not None
    for delivery_id, issue, hour in deliveries.waiting_of(session, person.id):
        at = moment_of(issues.spec_of(issue), issue.due_at, hour, person.zone)
        deliveries.move_to(session, delivery_id, None if at is None else at.at)


@dataclass
class Plan:
    """A plan that is worked out for groups and hours, and waits to be joined to the readers.

    Attributes:
        cuts: the distinct cuts, in the order in which they were found.
    """

    audience: Audience
    choices: list[tuple[Group, Cut | None, str]]

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
    of_the_week = stories_of_the_week(issue.sections)
    with deliveries.audience(
        session, row.newsletter_id, row.id, stories=len(known), same_day=timetable.same_day
    ) as audience:
        for earlier in sorted({each.issue_id for each in before}):
            cuts = deliveries.cuts(session, earlier)
            # Every earlier reader has seen the week's stories; it matters only to those who may get them again.
            for weekly in (False, True):
                ours = [
                    each for each in before
                    if each.issue_id == earlier and (each.story_id in of_the_week) is weekly
                ]  # fmt: skip
                shown: dict[int, int] = {}
                for each in ours:  # a story may be one that was merged from several
                    shown[each.story_id] = shown.get(each.story_id, 0) | each.positions
                if ours:
                    holdings = _holdings(cuts, shown, known)
                    audience.receive(earlier, holdings, goes_on=ours[0].goes_on, weekly=weekly)
        audience.assign_hours([(hour, *timetable.of_hour(hour)) for hour in audience.hours()])
        choices = [(group, *chooser.cut_of_group(group, known)) for group in audience.groups()]
        yield Plan(audience, choices)


@dataclass
class Chooser:
    """Finds the cut for a choice; who chose the same shares the work.

    Attributes:
        weekly_day: whether this issue is the one of its week that brings weekly topics.
    """

    issue: PrintedIssue
    spec: NewsletterSpec
    weekly_day: bool = True
    _known: dict[tuple[Due, frozenset[int]], tuple[Cut | None, str]] = field(default_factory=dict)

    def cut_of_group(self, group: Group, stories: list[int]) -> tuple[Cut | None, str]:
        """The cut of a group, or why there is none; ``stories`` are those that its bits stand for."""
        received = frozenset(story for n, story in enumerate(stories) if group.received[n // WORD] >> n % WORD & 1)
        day = group.arrival(weekly=self.weekly_day)
        due = group.choice.due(group.frequency, day)
        return (None, why_not(group.choice, group.frequency, day)) if due is None else self.cut_of(due, received)

    def cut_of(self, due: Due, received: frozenset[int]) -> tuple[Cut | None, str]:
        """The cut for what is due to a reader without what was sent before; or None and why there is none."""
        key = due, received
        if key not in self._known:
            selection = self._offer.select(due, received, self.spec.min_stories)
            if selection.reason or not selection.stories:
                self._known[key] = None, selection.reason or NOTHING_NEW
            else:
                if due.week is not None:
                    selection = within(self.issue.fragments, self.issue.sections, selection, self._sizes)
                self._known[key] = self._cutter.cut_for(selection), ""
        return self._known[key]

    @cached_property
    def _offer(self) -> Offer:
        return Offer(self.issue.sections)

    @cached_property
    def _cutter(self) -> Cutter:
        return Cutter(self.issue.fragments)

    @cached_property
    def _sizes(self) -> dict[int, int]:
        return {fragment.position: size(fragment) for fragment in self.issue.fragments}


def why_not(choice: TopicChoice, frequency: Frequency, day: Arrival) -> str:
    """Why nothing of an issue is due to readers of that choice on that day."""
    if day.second:
        return SECOND
    own = set(choice.own.values())
    if not own:
        return f"{NOT_TODAY}: {frequency}"
    return WEEKLY_TOPICS if own == {"weekly"} else OTHER_DAYS


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
