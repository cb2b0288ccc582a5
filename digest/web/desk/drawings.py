"""Figures as numbers that a template can draw: time lines, histograms, bars. No script, no inline style."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from digest.domain.calendar import Window
from digest.domain.content import ScorePart, Story

WIDE = 1000
"""Units across a time line."""

MOST_DOTS = 120
"""Stories drawn on a map: those behind them are too many to tell apart."""


@dataclass(frozen=True)
class Tick:
    """One article on a time line; ``copy`` if it is a copy of another."""

    x: float
    copy: bool
    title: str


@dataclass(frozen=True)
class Day:
    """Where a day begins on a time line."""

    x: float
    label: str


@dataclass(frozen=True)
class Column:
    """A piece of time with its count of articles, ``height`` in per cent of the tallest."""

    x: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Dot:
    """One story on the map: to the right newer coverage, upwards more outlets, larger a higher score."""

    story_id: int
    x: float
    y: float
    radius: float
    rank: int
    title: str


@dataclass(frozen=True)
class PartBar:
    """A part of a score as a bar from the zero line, in per cent of the whole width."""

    part: ScorePart
    kind: int
    x: float
    width: float


def x_of(moment: datetime, window: Window) -> float:
    """Where a moment stands on the time line of a window; outside of it, at its nearer end."""
    share = (moment - window.start) / (window.end - window.start)
    return round(WIDE * min(max(share, 0.0), 1.0), 1)


def ticks(story: Story, window: Window) -> tuple[Tick, ...]:
    """The articles of a story on the time line."""
    return tuple(
        Tick(x_of(article.published_at, window), article.id in story.copies, f"{article.source}: {article.title}")
        for article in sorted(story.articles, key=lambda article: (article.published_at, article.id))
    )


def days(window: Window, zone: str) -> tuple[Day, ...]:
    """The beginnings of the days of a window on the clock of ``zone``; of quarters of a day in a window within a day."""
    local = ZoneInfo(zone)
    is_short = window.end - window.start <= timedelta(hours=26)
    day = window.start.astimezone(local).date()
    found = []
    while (start := datetime.combine(day, time(0), local)) < window.end:
        for hour in (0, 6, 12, 18) if is_short else (0,):
            moment = start.replace(hour=hour)
            if window.start < moment < window.end:
                found.append(Day(x_of(moment, window), f"{moment:%a %d %b}" if not hour else f"{moment:%H:%M}"))
        day += timedelta(days=1)
    return tuple(found)


def columns(story: Story, window: Window, zone: str, *, most: int = 48) -> tuple[Column, ...]:
    """How many articles appeared in each piece of the window; pieces are whole hours, at most ``most`` of them."""
    hours = max(1, math.ceil((window.end - window.start) / timedelta(hours=1) / most))
    step = timedelta(hours=hours)
    counts = Counter((a.published_at - window.start) // step for a in story.articles if a.published_at in window)
    pieces = math.ceil((window.end - window.start) / step)
    tallest = max(counts.values(), default=1)
    width = WIDE / pieces
    return tuple(
        Column(
            round(piece * width, 2), round(width * 0.8, 2), round(100 * count / tallest, 1),
            f"{(window.start + piece * step).astimezone(ZoneInfo(zone)):%a %H:%M}, {hours} h: {count}",
        )
        for piece, count in sorted(counts.items())
    )  # fmt: skip


def stage(story: Story, now: datetime) -> Window:
    """The time that a story's own time line shows: from an hour before its first article until now, a day at least."""
    first = min(article.published_at for article in story.articles)
    return Window(min(first - timedelta(hours=1), now - timedelta(days=1)), max(now, first + timedelta(hours=1)))


def latest(stories: Sequence[Story], window: Window) -> Window:
    """The part of a window in which the newest coverage of these stories lies: what a map shows."""
    newest = [max(article.published_at for article in story.articles) for story in stories[:MOST_DOTS]]
    hour = timedelta(hours=1)
    return Window(max(window.start, min(newest, default=window.start) - hour), window.end)


def dots(stories: Sequence[Story], window: Window, *, height: int = 300) -> tuple[Dot, ...]:
    """The map of ranked stories, the last first so that the best are drawn on top."""
    shown = stories[:MOST_DOTS]
    most = math.log2(max((story.sources for story in shown), default=1) + 1)
    totals = [story.score.total for story in shown]
    low, high = min(totals, default=0.0), max(totals, default=0.0)
    found = []
    for rank, story in enumerate(shown, start=1):
        newest = max(article.published_at for article in story.articles)
        share = (story.score.total - low) / (high - low) if high > low else 1.0
        radius = round(5 + 15 * share, 1)
        # Most stories have one outlet: they would lie on each other without a little spread.
        spread = ((story.story_id or 0) * 37 % 17 - 8) * 1.5
        y = height - 26 - (height - 60) * (math.log2(story.sources + 1) - 1) / max(most - 1, 1) + spread
        outlets = "1 outlet" if story.sources == 1 else f"{story.sources} outlets"
        title = f"#{rank}, {outlets}, score {story.score.total:.2f}: {story.lead.title}"
        x = 24 + x_of(newest, window) * (WIDE - 48) / WIDE
        found.append(Dot(story.story_id or 0, round(x, 1), round(max(y, 22), 1), radius, rank, title))
    return tuple(reversed(found))


def part_bars(parts: Iterable[ScorePart]) -> tuple[tuple[PartBar, ...], float]:
    """The parts of a score, each as a bar from a common zero line; and where that line stands, in per cent."""
    parts = tuple(parts)
    gain = max((part.value for part in parts), default=0.0)
    loss = max((-part.value for part in parts), default=0.0)
    gain, loss = max(gain, 0.0), max(loss, 0.0)
    whole = (gain + loss) or 1.0
    zero = round(100 * loss / whole, 2)
    bars = []
    for number, part in enumerate(parts):
        width = round(100 * abs(part.value) / whole, 2)
        x = zero if part.value >= 0 else round(zero - width, 2)
        bars.append(PartBar(part, number % 8 if part.value >= 0 else -1, x, width))
    return tuple(bars), zero
