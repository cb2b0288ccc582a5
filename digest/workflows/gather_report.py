"""What a run of gathering did: to each feed, and in all."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "not_modified", "failed", "retired", "postponed", "busy"]


@dataclass(frozen=True, slots=True)
class FeedOutcome:
    """What a run did to one feed.

    Attributes:
        state: ``ok`` (read), ``not_modified`` (304), ``failed``, ``retired`` (410), ``postponed`` (its host asked
            for a pause in this run), ``busy`` (another process has it).
        new, seen: articles (or quotes, or events) that are new, and that the feed shows.
        error: why, for the editor who looks after the feed.
        note: what else is worth knowing, such as a permanent move.
    """

    feed_id: int
    url: str
    name: str
    state: State
    new: int = 0
    seen: int = 0
    error: str = ""
    note: str = ""
    kind: str = "feed"


NO_ARTICLES = ("quotes", "events")
"""Kinds of sources that bring something else."""


@dataclass(frozen=True, slots=True)
class GatherReport:
    """The result of a run. ``feeds`` counts those that it dealt with: ok, not_modified and failed add up to it.

    Attributes:
        pages: article pages that were read for their full text; ``pages_failed`` those that could not be.
        busy: feeds that another process was gathering.
    """

    outcomes: tuple[FeedOutcome, ...]
    seconds: float
    pages: int = 0
    pages_failed: int = 0

    def _count(self, *states: State) -> int:
        return sum(outcome.state in states for outcome in self.outcomes)

    @property
    def feeds(self) -> int:
        """Feeds that this run dealt with."""
        return len(self.outcomes) - self.busy

    @property
    def busy(self) -> int:
        """Feeds that another process was gathering."""
        return self._count("busy")

    @property
    def ok(self) -> int:
        """Feeds that were read."""
        return self._count("ok")

    @property
    def not_modified(self) -> int:
        """Feeds that had nothing new to say (304)."""
        return self._count("not_modified")

    @property
    def failed(self) -> int:
        """Feeds that could not be read, have ended, or were put off."""
        return self._count("failed", "retired", "postponed")

    @property
    def articles_new(self) -> int:
        """Articles that no feed had brought before."""
        return sum(outcome.new for outcome in self.outcomes if outcome.kind not in NO_ARTICLES)

    @property
    def articles_seen(self) -> int:
        """Articles that the feeds show, new or known."""
        return sum(outcome.seen for outcome in self.outcomes if outcome.kind not in NO_ARTICLES)

    def as_dict(self) -> dict[str, Any]:
        """The document that ``digest gather --json`` prints."""
        return {
            "feeds": self.feeds,
            "ok": self.ok,
            "not_modified": self.not_modified,
            "failed": self.failed,
            "articles_new": self.articles_new,
            "articles_seen": self.articles_seen,
            "seconds": round(self.seconds, 3),
            "pages": self.pages,
            "pages_failed": self.pages_failed,
            "busy": self.busy,
            "problems": [{"feed": each.url, "error": each.error} for each in self.outcomes if each.error],
            "outcomes": [asdict(each) for each in self.outcomes],
        }


Progress = Callable[[FeedOutcome, int, int], None]
"""Called after every feed with its outcome, how many are done, and how many there are."""
