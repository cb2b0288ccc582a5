"""The ledger: one row per issue and subscriber. Sets of rows move at once, and only from the state the mover saw.

queued → sending (a worker's, until its lease ends) → sent | failed | unknown, or back to queued; and skipped.
"""

from digest.store.deliveries.audience import PAUSED, SUPPRESSED, WORD, Audience, Group, Hour, audience
from digest.store.deliveries.claiming import Claimed, bury, claim, release, with_recipients
from digest.store.deliveries.counting import counts, cut_of_subscriber, next_due, of_subscriber, skip_reasons
from digest.store.deliveries.planning import (
    Carried,
    carried_before,
    cuts,
    keep_cuts,
    keep_stories,
    lock_issue,
    mark_stories_sent,
    move_to,
    neighbours,
    suppressed,
    waiting_of,
    write_plan,
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
    "bury",
    "claim",
    "release",
    "with_recipients",
    "counts",
    "cut_of_subscriber",
    "next_due",
    "of_subscriber",
    "skip_reasons",
    "PAUSED",
    "SUPPRESSED",
    "WORD",
    "Audience",
    "Group",
    "Hour",
    "audience",
    "Carried",
    "carried_before",
    "cuts",
    "keep_cuts",
    "keep_stories",
    "lock_issue",
    "mark_stories_sent",
    "move_to",
    "neighbours",
    "suppressed",
    "waiting_of",
    "write_plan",
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
