"""What one call of :func:`digest.workflows.deliver.deliver` did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class DeliveryReport:
    """What one call of :func:`deliver` did.

    Attributes:
        issues: ids of the issues that it worked on.
        sent, skipped, failed, unknown: rows that reached that state during the call.
        deferred: rows that a server put off, and that will be tried again.
        waiting: rows still queued at the end.
        problem: what kept it from going on, in the server's words; "" if nothing did.
    """

    issues: list[int] = field(default_factory=list)
    sent: int = 0
    skipped: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    waiting: int = 0
    problem: str = ""

    @property
    def words(self) -> str:
        """One line for people."""
        numbers = {
            "sent": self.sent,
            "skipped": self.skipped,
            "put off": self.deferred,
            "failed": self.failed,
            "unknown": self.unknown,
            "waiting": self.waiting,
        }
        said = ", ".join(f"{number} {word}" for word, number in numbers.items() if number) or "nothing to send"
        return f"{said} — {self.problem}" if self.problem else said

    def add(self, rows: Mapping[str, Any]) -> None:
        """Rows that reached a state, by its name; also another one's :meth:`as_dict`, but for its ``waiting``."""
        self.sent += rows.get("sent", 0)
        self.skipped += rows.get("skipped", 0)
        self.deferred += rows.get("deferred", 0)
        self.failed += rows.get("failed", 0)
        self.unknown += rows.get("unknown", 0)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "issues": self.issues,
            "sent": self.sent,
            "skipped": self.skipped,
            "deferred": self.deferred,
            "failed": self.failed,
            "unknown": self.unknown,
            "waiting": self.waiting,
            "problem": self.problem,
        }
