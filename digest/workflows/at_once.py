"""What the clock does by itself, asked for now: fetching the feeds, and an issue before its hour."""

from digest.store import audit_log, feeds, issues
from digest.workflows.context import Context
from digest.workflows.draft import DraftReport, draft


def fetch_now(ctx: Context, actor: str) -> int:
    """Make all feeds due, so that the next tick of the service fetches them, wherever it runs; how many they are.

    The caller doesn't wait for the sources.
    """
    now = ctx.clock()
    with ctx.db.write() as session:
        count = feeds.make_due(session, now)
        audit_log.record(session, now, actor, "fetch", "feeds", after={"feeds": count})
    return count


def draft_now(ctx: Context, slug: str, actor: str) -> DraftReport:
    """Draft an issue of what came in since the last one, its window ending now. Somebody must approve it by hand.

    The next scheduled number begins where this one ends. With nothing to say no issue is left behind: the report says
    ``empty``, and the news stays for the next number.

    Raises:
        NotFound: no such newsletter, or no article to begin it with.
    """
    now = ctx.clock().replace(second=0, microsecond=0)
    report = draft(ctx, slug, at=now)
    with ctx.db.write() as session:
        if report.state == "empty" and issues.discard_empty(session, report.issue):
            return report
        audit_log.record(
            session, ctx.clock(), actor, "draft", audit_log.issue_subject(report.issue), after={"state": report.state}
        )
    return report
