"""Give back at once what processes had claimed that were killed."""

from digest.engine.presence import departed
from digest.store import feeds, issues
from digest.workflows.context import Context


def recover(ctx: Context) -> list[str]:
    """Free the feeds and issues that dead processes of this machine hold. Their mails are settled by ``deliver``.

    Called before work; it costs nothing when nobody died.

    Returns:
        The names of the dead.
    """
    found = []
    for worker in departed(ctx.presence):
        with ctx.db.write() as session:
            feeds.give_back(session, worker)
            issues.give_back(session, worker)
        found.append(worker)
    return found
