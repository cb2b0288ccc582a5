"""Bring the newsroom's files into force, and write what is in force back to files."""

from pathlib import Path

from digest.domain.newsroom import Newsroom
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
