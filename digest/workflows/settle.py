"""Put in order what workers left that are dead."""

import random
from pathlib import Path

from digest.engine.journal import living, settle_dead
from digest.store import deliveries
from digest.store.deliveries import Change
from digest.workflows.context import Context
from digest.workflows.pace import RETRY, Pace, change_of


def settle(ctx: Context, *, chance: random.Random | None = None) -> None:
    """Put in order what workers left that are dead: by their journals, and by their leases where those are gone.

    Called before every delivery; it costs nothing when there is nothing to settle.
    """
    pace = Pace(chance or random.Random())  # noqa: S311
    folder = journals(ctx)
    for estate in settle_dead(folder):
        now = ctx.clock()
        with ctx.db.write() as session:
            later = now + pace.after(RETRY, 1)
            changes = [change_of(answer, now, later) for answer in estate.answered.values()]
            if not estate.idempotent:
                changes += [
                    Change(delivery_id, "unknown", deliveries.LOST, finished_at=now)
                    for delivery_id in estate.unanswered
                ]
            deliveries.record(session, estate.worker, changes)
            deliveries.bury(session, estate.worker)
    with ctx.db.write() as session:
        deliveries.sweep(session, ctx.clock(), living(folder), idempotent=ctx.sender.idempotent)
        deliveries.skip_cancelled(session, ctx.clock())


def journals(ctx: Context) -> Path:
    """Where the workers of this machine keep their journals."""
    return ctx.var / "journal"
