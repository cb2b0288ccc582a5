"""Bring the newsroom's files into force, and write what is in force back to files."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from digest.domain.newsroom import FeedSpec, Newsroom
from digest.errors import UsageError
from digest.feeds.parse import parse
from digest.newsroom import diff, write
from digest.store import editors
from digest.store import newsroom as store
from digest.workflows.context import Context
from digest.workflows.sign_in import ensure_editor


def plan(ctx: Context, wanted: Newsroom) -> tuple[diff.Change, ...]:
    """What ``apply`` would change."""
    with ctx.db.read() as session:
        return diff.plan(wanted, store.read_newsroom(session))


def apply(ctx: Context, wanted: Newsroom) -> tuple[diff.Change, ...]:
    """Make the tables say what the files say, all or nothing, and return what changed."""
    now = ctx.clock()
    with ctx.db.write() as session:
        changes = diff.plan(wanted, store.read_newsroom(session))
        store.write_newsroom(session, wanted, now)
        unknown = [address for address in wanted.site.editors if editors.by_address(session, address) is None]
    for address in unknown:
        ensure_editor(ctx, address)
    return changes


def export(ctx: Context, folder: Path) -> list[Path]:
    """Write what is in force into ``folder`` as TOML files and return their paths."""
    with ctx.db.read() as session:
        return write.export(store.read_newsroom(session), folder)


def add_feed(ctx: Context, spec: FeedSpec) -> tuple[FeedSpec, int]:
    """Add one feed to those in force, after a look at it. A name that is not given is the feed's own title.

    Returns:
        The feed as added, and how many entries it has now.

    Raises:
        UsageError: the feed is there already.
        ForbiddenAddress, FetchError, GoneError, ParseError: it can't be read as a feed.
    """
    with ctx.db.read() as session:
        if any(feed.url == spec.url for feed in store.feeds(session)):
            raise UsageError(f"{spec.url} is among the feeds already")
    fetched = ctx.fetcher.get(spec.url)
    feed = parse(fetched.body, fetched.content_type, fetched.url)
    spec = replace(spec, name=spec.name or feed.title or urlsplit(spec.url).hostname or spec.url)
    with ctx.db.write() as session:
        store.add_feed(session, spec)
    return spec, len(feed.entries)
