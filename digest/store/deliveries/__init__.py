"""The ledger: one row per issue and subscriber. Sets of rows move at once, and only from the state the mover saw.

queued → sending (a worker's, until its lease ends) → sent | failed | unknown, or back to queued; and skipped.
"""

from digest.store.deliveries.claiming import Claimed, claim, release, with_recipients
from digest.store.deliveries.counting import counts, next_due, of_subscriber, skip_reasons
from digest.store.deliveries.planning import (
    Reader,
    keep_stories,
    lock_issue,
    mark_stories_sent,
    plan,
    readers,
    received,
    suppressed,
)
from digest.store.deliveries.recording import (
    CANCELLED,
    LOST,
    WAITING,
    Change,
    note_problem,
    put_off,
    record,
    skip_cancelled,
    sweep,
    wake,
)

__all__ = [
    "Claimed",
    "claim",
    "release",
    "with_recipients",
    "counts",
    "next_due",
    "of_subscriber",
    "skip_reasons",
    "Reader",
    "keep_stories",
    "lock_issue",
    "mark_stories_sent",
    "plan",
    "readers",
    "received",
    "suppressed",
    "CANCELLED",
    "LOST",
    "WAITING",
    "Change",
    "note_problem",
    "put_off",
    "record",
    "skip_cancelled",
    "sweep",
    "wake",
]
