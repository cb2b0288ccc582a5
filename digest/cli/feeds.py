"""``digest feeds …``."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.cli.common import Json, duration, emit, open_service, table
from digest.cli.feed_failure import failure_command
from digest.domain.newsroom import FeedKind, FeedSpec
from digest.errors import UsageError
from digest.store import feed_health
from digest.store.feed_health import FeedHealth
from digest.workflows import feeds

app = typer.Typer(no_args_is_help=True, help="Add, check, import, export and list feeds.")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    app.command("failure")(failure_command)
    root.add_typer(app, name="feeds")


Url = Annotated[str, typer.Argument(help="Address of a feed, or of a site that has one.")]
Kind = Annotated[str, typer.Option(help="feed, sitemap, quotes or events; page and json need rules: feeds.toml.")]
Provider = Annotated[str, typer.Option(help="For quotes: coingecko, csv or package.module:Class.")]
WITHOUT_RULES: tuple[FeedKind, ...] = ("feed", "sitemap", "quotes", "events")


@app.command()
def add(
    url: Url,
    name: Annotated[str, typer.Option(help="The outlet's name as readers know it; default: as the feed says.")] = "",
    weight: Annotated[float, typer.Option(min=0.1, max=10, help="Trust; 1 is normal.")] = 1.0,
    kind: Kind = "feed",
    provider: Provider = "coingecko",
    as_json: Json = False,
) -> None:
    """Add a feed, after a look at it; a site's address leads to its feed."""
    with open_service() as (ctx, _settings):
        spec = FeedSpec(url, name, _kind(kind), weight, provider=provider)
        looked = feeds.add(ctx, spec)
    emit(as_json, _document(looked), "\n".join([f"added {looked.spec.name}: {_what(looked)}", *_told(looked)]))


@app.command()
def check(url: Url, kind: Kind = "feed", provider: Provider = "coingecko", as_json: Json = False) -> None:
    """Read a source without keeping anything: what it holds, and what to know about it."""
    with open_service() as (ctx, _settings):
        spec = feeds.known(ctx, url) or FeedSpec(url, "", _kind(kind), provider=provider)
        looked = feeds.look(ctx, spec)
    lines = [f"{looked.spec.name}: {_what(looked)}", *_told(looked), *(f"  {each}" for each in looked.sample)]
    emit(as_json, _document(looked), "\n".join(lines))


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="An OPML file.", exists=True, dir_okay=False, readable=True)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be added, and add nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Add the feeds of an OPML file that aren't there yet."""
    with open_service() as (ctx, _settings):
        done = feeds.import_opml(ctx, file.read_bytes(), dry_run=dry_run)
    document = {"added": list(done.added), "known": list(done.known), "dry_run": dry_run}
    verb = "would be added" if dry_run else "added; `digest gather` says how each fares"
    emit(as_json, document, f"{len(done.known)} feeds are there already, {len(done.added)} {verb}")


@app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(help="Where the OPML file is written.", dir_okay=False, writable=True)],
    as_json: Json = False,
) -> None:
    """Write all feeds into an OPML file; `import` gives them back with all their settings."""
    with open_service() as (ctx, _settings):
        body, count = feeds.export_opml(ctx)
    file.write_bytes(body)
    emit(as_json, {"file": str(file), "feeds": count}, f"{count} feeds written to {file}")


def _kind(kind: str) -> FeedKind:
    found: FeedKind | None = next((each for each in WITHOUT_RULES if each == kind), None)
    if found is None:
        raise UsageError(f"--kind must be one of {', '.join(WITHOUT_RULES)}; sources with rules stand in feeds.toml")
    return found


def _document(looked: feeds.Looked) -> dict[str, Any]:
    return {
        "url": looked.spec.url, "name": looked.spec.name, "kind": looked.spec.kind, "entries": looked.count,
        "site": looked.site, "others": list(looked.others), "sample": list(looked.sample), "notes": list(looked.notes),
    }  # fmt: skip


def _what(looked: feeds.Looked) -> str:
    return f"{looked.count} {({'quotes': 'quotes', 'events': 'events'}).get(looked.spec.kind, 'entries')}"


def _told(looked: feeds.Looked) -> list[str]:
    told = [f"  {looked.site} is a web page; its feed is {looked.spec.url}"] if looked.site else []
    told += [f"  it has another feed: {url}" for url in looked.others]
    return told + [f"  note: {note}" for note in looked.notes]


@app.command("list")
def list_command(as_json: Json = False) -> None:
    """All feeds with their health."""
    with open_service() as (ctx, _settings), ctx.db.read() as session:
        now = ctx.clock()
        found = feed_health.health(session, now)
    rows: list[dict[str, Any]] = [each.as_dict() for each in found]
    lines = [_line(each, now) for each in found]
    head = ["no", "name", "state", "items a day", "delay", "last read", "next look", "what to know"]
    words = table(lines, head) if lines else "no feeds yet: digest feeds add URL, or digest newsroom apply"
    emit(as_json, {"feeds": rows}, words)


def _line(feed: FeedHealth, now: datetime) -> list[str]:
    state = f"failing × {feed.failures}" if feed.state == "failing" else feed.state
    rate = "" if feed.items_a_day is None else f"{feed.items_a_day:g}"
    delay = "" if feed.delay is None else duration(feed.delay)
    return [
        str(feed.id),
        feed.name[:40],
        state,
        rate,
        delay,
        _when(feed.last_success, now),
        _when(feed.next_check, now),
        _to_know(feed),
    ]


def _when(moment: datetime | None, now: datetime) -> str:
    """How far a moment is away: "12 min ago", "in 3 h"; "" if there is none."""
    if moment is None:
        return ""
    away = duration(abs((moment - now).total_seconds()))
    return "now" if away == "0 s" else f"in {away}" if moment > now else f"{away} ago"


def _to_know(feed: FeedHealth) -> str:
    if feed.state == "ended":
        words = feed.ended_why or "taken out of the newsroom"
    elif feed.state == "failing":
        words = feed.last_error
    elif feed.moved_to or feed.moving_to:
        words = f"has moved to {feed.moved_to or feed.moving_to}"
    elif feed.state == "silent":
        words = f"its newest item is from {feed.newest:%d %b %Y}" if feed.newest else ""
    else:
        words = f"hub: {feed.push_why}" if feed.push == "refused" else "its hub pushes" if feed.push == "active" else ""
    return words if len(words) <= 110 else f"{words[:109]}…"
