"""One mail when a feed has failed for long, one when it ended, one when it is back: to the editors, per run, not per feed."""

from sqlmodel import Session, col, select

from digest.store import feed_health, newsletters
from digest.store.feed_health import Change
from digest.store.tables import Editor
from digest.workflows.context import Context
from digest.workflows.gather_report import GatherReport
from digest.workflows.notices import queue_notice

AFTER = 5
"""Failures in a row of which editors hear: at an interval of 15 minutes, after about four hours."""
NAMED = 12
"""Feeds named in one mail; the rest are counted."""
ROLES = ("editor", "publisher", "admin")


def tell_editors(ctx: Context, report: GatherReport) -> int:
    """Queue mails about feeds that have begun to fail, ended or recovered; each change is told once.

    Returns:
        how many changes there were.
    """
    if not report.outcomes:
        return 0
    now = ctx.clock()
    with ctx.db.write() as session:
        changes = feed_health.take_alerts(session, now, AFTER)
        number = sum(map(len, changes.values()))
        if not number:
            return 0
        lone = next(each for some in changes.values() for each in some) if number == 1 else None
        payload = {
            "url": f"{ctx.public_url}/desk/feeds" + (f"/{lone.id}" if lone else ""),
            "headline": _headline(changes),
            # When nothing at all could be fetched, the trouble is more likely ours than everybody else's.
            "ours": bool(changes["failing"]) and report.feeds > 2 and report.failed == report.feeds,
            "failing": [_line(each, f"{each.failures} failures in a row: {each.why}") for each in changes["failing"]][:NAMED],
            "ended": [_line(each, each.why) for each in changes["ended"]][:NAMED],
            "recovered": [each.name for each in changes["recovered"]][:NAMED],
            "more": sum(max(0, len(each) - NAMED) for each in changes.values()),
        }  # fmt: skip
        for address in _addresses(session):
            queue_notice(session, now, "feed-alert", address, payload)
    return number


def _headline(changes: dict[str, list[Change]]) -> str:
    """What the mail is about, in few words: the one feed, or how many of which kind."""
    words = {"failing": ("fails", "feeds fail"), "ended": ("has ended", "feeds have ended"),
             "recovered": ("is back", "feeds are back")}  # fmt: skip
    said = []
    for kind, (one, many) in words.items():
        found = changes[kind]
        if found:
            said.append(f"{found[0].name} {one}" if len(found) == 1 else f"{len(found)} {many}")
    return ", ".join(said)


def _line(feed: Change, words: str) -> str:
    return f"{feed.name}: {words}"[:300]


def _addresses(session: Session) -> list[str]:
    """Those who may do something about it: editors who may sign in, and whom the site names."""
    found = session.exec(select(Editor.address).where(col(Editor.role).in_(ROLES)).order_by(col(Editor.id)))
    named = [address.strip().lower() for address in newsletters.site(session).editors]
    return list(dict.fromkeys([*found, *named]))
