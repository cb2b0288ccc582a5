"""The ledger: one row per issue and subscriber. Sets of rows move at once, and only from the state the mover saw.

queued → sending (a worker's, until its lease ends) → sent | failed | unknown, or back to queued; and skipped.

Rows that are queued, sending or unknown stand in the queue; when they are sent, failed or skipped, they move into the
ledger proper and are never written again. Whoever only looks reads the view of both (``tables.Delivery``).
"""

from digest.store.deliveries.audience import PAUSED, SUPPRESSED, WORD, Audience, Group, Hour, any_weekly, audience
from digest.store.deliveries.claiming import Claimed, bury, claim, make_wait, release, with_recipients
from digest.store.deliveries.counting import (
    ReasonCount,
    counts,
    cut_of_subscriber,
    has_many_due,
    is_due,
    next_due,
    of_subscriber,
    reasons,
    skip_reasons,
    tally,
    waiting_at,
    wants_work,
)
from digest.store.deliveries.foreseeing import Addressed, Counted, count_plan, domains_of, longest_of
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
    SUPERSEDED,
    WAITING,
    Change,
    note_problem,
    put_off,
    record,
    skip_cancelled,
    sweep,
    wake,
)
from digest.store.deliveries.rows import row_id
from digest.store.deliveries.superseding import supersede
from digest.store.deliveries.tidying import tidy

__all__ = [
    "Claimed",
    "bury",
    "claim",
    "make_wait",
    "release",
    "with_recipients",
    "ReasonCount",
    "reasons",
    "counts",
    "cut_of_subscriber",
    "has_many_due",
    "is_due",
    "next_due",
    "of_subscriber",
    "skip_reasons",
    "tally",
    "waiting_at",
    "wants_work",
    "PAUSED",
    "SUPPRESSED",
    "WORD",
    "Audience",
    "Group",
    "Hour",
    "any_weekly",
    "audience",
    "Addressed",
    "Carried",
    "Counted",
    "count_plan",
    "domains_of",
    "longest_of",
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
    "SUPERSEDED",
    "supersede",
    "sweep",
    "wake",
    "row_id",
    "tidy",
]
