"""How long mails take to leave under limits: waves that are due, a rate, and a number a day."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

_LONGEST = 400
"""Days after which a forecast gives up: a limit of nothing never ends."""


@dataclass(frozen=True, slots=True)
class Outflow:
    """What the limits make of it.

    Attributes:
        seconds: of sending at the limit, waiting for hours and days not counted; 0.0 without a limit.
        done_at: when the last mail has left at the earliest; None if that is over a year away.
        shortfall: mails that their own day (UTC) has no place for, so that they leave on a later one.
    """

    seconds: float
    done_at: datetime | None
    shortfall: int


def outflow(
    waves: Mapping[datetime, int],
    *,
    rate: float | None = None,
    cap: Callable[[int], int | None] = lambda _day: None,
    sent_today: int = 0,
    domains: Sequence[tuple[int, float]] = (),
) -> Outflow:
    """Let the waves out.

    Args:
        waves: how many mails are due at which moment.
        rate: mails a second.
        cap: mails on day *n* of sending, counted from the day of the first wave; None for as many as there are.
        sent_today: mails that the first day has spent already.
        domains: for each recipient domain with a rate of its own: mails to it, and how many a second.
    """
    if not waves:
        return Outflow(0.0, None, 0)
    todo = sorted(waves.items())
    now, queue, shortfall, spent, day = todo[0][0], 0, 0, sent_today, 0
    last = now
    while todo or queue:
        while todo and todo[0][0] <= now:
            queue += todo.pop(0)[1]
        midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(0), UTC)
        until = min(midnight, todo[0][0]) if todo else midnight
        allowed = cap(day)
        room = queue if allowed is None else max(allowed - spent, 0)
        in_time = queue if rate is None else int((until - now).total_seconds() * rate + 1e-9)
        sent = min(queue, room, in_time)
        if sent:
            last = now if rate is None else now + timedelta(seconds=sent / rate)
        queue, spent, now = queue - sent, spent + sent, until
        if now == midnight:
            if queue and day == 0:
                shortfall = queue
            # A day on which nothing could leave is no day of the warm-up.
            day, spent = day + 1, 0
            if day > _LONGEST:
                return Outflow(_seconds(waves, rate, domains), None, shortfall)
    slowest = max((timedelta(seconds=count / each) for count, each in domains), default=timedelta(0))
    return Outflow(_seconds(waves, rate, domains), max(last, sorted(waves)[0] + slowest), shortfall)


def _seconds(waves: Mapping[datetime, int], rate: float | None, domains: Sequence[tuple[int, float]]) -> float:
    whole = sum(waves.values()) / rate if rate else 0.0
    return max([whole, *(count / each for count, each in domains)])
