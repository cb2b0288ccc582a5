"""On which day and at which moment readers get an issue."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlmodel import Session

from digest.domain.appointment import Appointment, appointment
from digest.domain.newsroom import NewsletterSpec
from digest.store import deliveries, issues
from digest.store.deliveries import Hour
from digest.store.tables import Issue
from digest.workflows.blocks import day_of


@dataclass(frozen=True)
class Timetable:
    """The days and moments of one issue.

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

    @property
    def week_began(self) -> date:
        """The weekday before the week that the weekly issue closes: what bears a later day belongs to the week."""
        return self.day - timedelta(days=(self.day.weekday() - self.spec.weekday) % 7 + 7)

    def of_hour(self, hour: Hour) -> tuple[datetime | None, datetime, bool]:
        """The moment of a copy for these readers (None: as soon as the issue goes out), when that is, and whether it is
        on a weekend that those who want mail on weekdays have free.
        """
        found = moment_of(self.spec, self.due, hour.hour, hour.zone)
        day = self.day if found is None else found.day
        # A newsletter that comes out on weekdays is theirs whole, also where Friday's arrives on Saturday.
        is_free = self.spec.cadence == "daily" and day.weekday() > 4
        return (
            (None, max(self.due, self.now), is_free) if found is None else (found.at, max(found.at, self.now), is_free)
        )


def moment_of(spec: NewsletterSpec, due: datetime, hour: str, zone: str) -> Appointment | None:
    """When a copy leaves for that hour and zone; None: as soon as the issue goes out."""
    if not hour:
        return None
    return appointment(
        day_of(spec, due), due, hour=time.fromisoformat(spec.hour), zone=spec.zone,
        reader_hour=time.fromisoformat(hour), reader_zone=zone,
    )  # fmt: skip
