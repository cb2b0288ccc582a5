"""How often a source is asked: as often as it has news, and never more often than it wishes.

A poll's pause is the longest of three: the editor's interval; half of what usually lies between two items of the
source (the longer it has been silent, the longer); what the source asks for (RSS ``ttl``, ``Cache-Control``,
``Expires``). It then moves past the hours and days that an RSS feed asks to skip.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from statistics import median

SLOWEST = timedelta(hours=3)
"""However rarely a source has news, it is asked this often (unless its editor or the source itself wants less)."""
LONGEST_WISH = timedelta(hours=6)
"""A source may ask for longer pauses than its interval, up to this."""
LONGEST_SKIP = timedelta(days=3)
"""Hours and days to skip are honoured up to this; a source that asks to be skipped always is not."""
RECENT, ENOUGH = 20, 5
"""Items whose dates say how a source goes: so many of the newest, and at least so many."""

_SKIPS = re.compile(rb"<skip(?:Hours|Days)>", re.IGNORECASE)
_SKIP_HOURS = re.compile(rb"<skipHours>(.{0,2000}?)</skipHours>", re.IGNORECASE | re.DOTALL)
_SKIP_DAYS = re.compile(rb"<skipDays>(.{0,1000}?)</skipDays>", re.IGNORECASE | re.DOTALL)
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HEAD = 100_000


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a source goes: what lies between two of its items (None if unknown), and when the newest is from."""

    gap: timedelta | None = None
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a source asks for: a pause, and hours (0–23) and days (0 is Monday) of UTC at which to stay away."""

    pause: timedelta = timedelta()
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


def rhythm_of(moments: Iterable[datetime | None], now: datetime) -> Rhythm:
    """The rhythm of a source that shows items of these dates. Dates in the future say nothing."""
    dated = sorted({moment for moment in moments if moment and moment <= now}, reverse=True)[:RECENT]
    if len(dated) < ENOUGH:
        return Rhythm(None, dated[0] if dated else None)
    gaps = ((later - earlier).total_seconds() for later, earlier in pairwise(dated))
    return Rhythm(timedelta(seconds=median(gaps)), dated[0])


def wishes_of(headers: Mapping[str, str], body: bytes = b"", ttl_minutes: int | None = None) -> Wishes:
    """What a source asks for in its answer; of a 304 only the headers speak."""
    asked = max(fresh_for(headers), timedelta(minutes=min(ttl_minutes or 0, 525_600)))
    head = body[:_HEAD]
    if not _SKIPS.search(head):
        return Wishes(asked)
    hours = {int(number) % 24 for number in _inside(_SKIP_HOURS, head, rb"\b(\d{1,2})\b")}
    words = {name.decode().lower() for name in _inside(_SKIP_DAYS, head, rb"\b([A-Za-z]{6,9})\b")}
    return Wishes(asked, frozenset(hours), frozenset(_DAYS.index(word) for word in words if word in _DAYS))


def fresh_for(headers: Mapping[str, str]) -> timedelta:
    """How long an answer stays current by its own headers (RFC 9111 4.2); zero if they don't say."""
    control = headers.get("Cache-Control", "")
    if re.search(r"no-cache|no-store", control, re.IGNORECASE):
        return timedelta()
    if found := _MAX_AGE.search(control):
        age = headers.get("Age", "")
        return timedelta(seconds=max(0, int(found[1]) - (int(age[:9]) if age.isdecimal() else 0)))
    try:
        stale = parsedate_to_datetime(headers["Expires"]) - parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError, TypeError, OverflowError):
        return timedelta()
    return max(timedelta(), stale)


def next_poll(now: datetime, interval: int, rhythm: Rhythm, wishes: Wishes) -> datetime:
    """When to ask a source again that has just answered.

    Args:
        interval: the editor's, in minutes: never sooner.
    """
    base = timedelta(minutes=interval)
    own = base
    if rhythm.gap is not None and rhythm.newest is not None:
        expected = max(rhythm.gap, (now - rhythm.newest) / 4)
        own = min(expected / 2, max(base, SLOWEST))
    return _past_skipped(now + max(base, own, min(wishes.pause, LONGEST_WISH)), wishes)


def _past_skipped(moment: datetime, wishes: Wishes) -> datetime:
    later = moment.astimezone(UTC)
    while later.hour in wishes.skip_hours or later.weekday() in wishes.skip_days:
        later = later.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        if later - moment > LONGEST_SKIP:
            return moment
    return later


def _inside(block: re.Pattern[bytes], text: bytes, part: bytes) -> Collection[bytes]:
    found = block.search(text)
    return re.findall(part, found[1]) if found else ()


class HostGate:
    """Keeps our requests to one host few at a time and apart from each other. For one thread.

    A request that has turned out to be slow gives its place at the host to another one, up to a few: else one
    address that trickles would keep us from all the others there. The more of them a host has, the sooner it is seen
    that the next one is slow as well.

    Args:
        per_host: requests to one host that may be under way at once.
        gap: seconds between the beginnings of two.
        slow: seconds after which a request counts as slow.
        slow_per_host: slow requests to one host that may go on beside those.
        unhurried: tells the operator's own hosts: they need no gap, and may have any number of slow ones.
    """

    def __init__(
        self,
        per_host: int,
        gap: float,
        *,
        slow: float = 2.0,
        slow_per_host: int = 4,
        unhurried: Callable[[str], bool] = lambda _host: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.per_host, self.gap, self.slow, self.slow_per_host = per_host, gap, slow, slow_per_host
        self.is_unhurried, self.clock = unhurried, clock
        self._brisk = Counter[str]()
        self._slow = Counter[str]()
        self._begun: dict[str, float] = {}

    def wait(self, host: str) -> float | None:
        """Seconds until one more request may begin; None while it depends on the end of another."""
        if self._brisk[host] >= self.per_host:
            return None
        own = self.is_unhurried(host)
        if self._slow[host] >= self.slow_per_host and not own:
            return None
        if host not in self._begun or own:
            return 0.0
        return max(0.0, self._begun[host] + self.gap - self.clock())

    def begin(self, host: str) -> None:
        """A request to ``host`` begins."""
        self._brisk[host] += 1
        self._begun[host] = self.clock()

    def patience(self, host: str) -> float:
        """Seconds after which a request to ``host`` counts as slow."""
        return self.slow / (1 + min(self._slow[host] // 2, 7))

    def is_slow(self, host: str) -> None:
        """A request to ``host`` has turned out to be slow."""
        self._brisk[host] -= 1
        self._slow[host] += 1

    def end(self, host: str, *, was_slow: bool = False) -> None:
        """A request to ``host`` has ended."""
        (self._slow if was_slow else self._brisk)[host] -= 1
