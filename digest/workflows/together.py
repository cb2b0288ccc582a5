"""One issue handed out by a worker and by those who help it, each with a journal of its own."""

import os
import random
import secrets
import socket
import threading
from collections.abc import Callable

from digest.engine.helpers import Team
from digest.engine.journal import Journal
from digest.store import deliveries
from digest.workflows.context import Context
from digest.workflows.delivery_report import DeliveryReport
from digest.workflows.handing_out import HandingOut
from digest.workflows.messages import printed
from digest.workflows.pace import Pace
from digest.workflows.settle import journals, settle


def hand_out(
    ctx: Context,
    issue_id: int,
    report: DeliveryReport,
    team: Team,
    progress: Callable[[int, int], None] | None,
    chance: random.Random,
) -> str:
    """Hand out what is due; returns what kept it from going on, in the server's words.

    Args:
        report: to which is added what was done.
        progress: see :func:`digest.workflows.deliver.deliver`.
    """
    with ctx.db.read() as session:
        before = deliveries.tally(session, issue_id)
    count = _Count(before["audience"] - before["queued"] - before["sending"], before["audience"], progress)
    team.begin(count.add)
    problem = _work(ctx, issue_id, report, count.add, team.stop, team.connections, chance)
    done = team.finish()
    for each in done:
        report.add(each or {})
    if None in done and not problem and not team.stop():
        settle(ctx, chance=chance)  # one of them died: what it had in hand is to be handed out too
        problem = _work(ctx, issue_id, report, count.add, team.stop, team.connections, chance)
    return problem or next((each["problem"] for each in done if each and each["problem"]), "")


def help_out(
    ctx: Context, issue_id: int, connections: int, stop: Callable[[], bool], settled: Callable[[int], None]
) -> DeliveryReport:
    """Hand out what is due of an issue, for a :func:`digest.workflows.deliver.deliver` in another process.

    All else is left to that one: to plan the issue, to close it, and to say that the server is away, which may be so
    for one connection too many.

    Args:
        connections: at most.
        settled: called with how many more rows are settled, after every chunk.
    """
    report = DeliveryReport([issue_id])
    chance = random.Random()  # noqa: S311  (jitter, no secret)
    report.problem = _work(ctx, issue_id, report, settled, stop, connections, chance, helping=True)
    return report


def _work(
    ctx: Context,
    issue_id: int,
    report: DeliveryReport,
    settled: Callable[[int], None],
    stop: Callable[[], bool],
    connections: int,
    chance: random.Random,
    *,
    helping: bool = False,
) -> str:
    with ctx.db.read() as session:
        issue = printed(session, issue_id, ctx)
        before = deliveries.tally(session, issue_id)
    with Journal(journals(ctx), _worker_name(), idempotent=ctx.sender.idempotent) as journal:
        work = HandingOut(
            ctx, issue_id, issue, journal, Pace(chance), stop, settled,
            total=before["audience"], accepted=before["sent"] > 0, helping=helping,
        )  # fmt: skip
        problem = work.run(connections)
    report.add(work.tally)
    return problem


class _Count:
    """How far the whole is, for one progress bar."""

    def __init__(self, settled: int, total: int, progress: Callable[[int, int], None] | None) -> None:
        self._settled, self._total, self._progress = settled, total, progress
        self._lock = threading.Lock()

    def add(self, more: int) -> None:
        with self._lock:
            self._settled += more
            if self._progress is not None:
                self._progress(self._settled, self._total)


def _worker_name() -> str:
    """Unlike every other worker's, on this machine and on all others."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
