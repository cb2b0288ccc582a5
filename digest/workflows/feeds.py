"""The doors by which sources come in and go out: a look at one, adding it, lists of feeds.

::

    answer = fetch(url)
    if it reads as its kind says:      that is the source
    elif it is a web page:             the feeds that the page names, the first that reads
"""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from digest.domain.newsroom import FeedSpec
from digest.errors import DigestError, ParseError, UsageError
from digest.feeds.discover import Found, discover
from digest.feeds.fetch import Fetched
from digest.feeds.opml import read_opml, write_opml
from digest.feeds.read import Reading, accept, read
from digest.feeds.sitemap import is_sitemap
from digest.quotes.moments import is_stale
from digest.quotes.provider import open_provider
from digest.store import newsroom as store
from digest.workflows.context import Context
from digest.workflows.gather import quotes_in

MAX_TRIES = 6
"""Addresses that are tried for one site."""
_SAMPLE = 5


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a source shows.

    Attributes:
        spec: as it would be added: under the address of its feed, with its own name if none was given.
        site: the page whose feed it is, "" if the address was the feed's own.
        others: further feeds that the page names.
        count: entries, quotes or events.
        sample: the first of them, in words.
        notes: what an editor should know before adding it.
    """

    spec: FeedSpec
    site: str = ""
    others: tuple[str, ...] = ()
    count: int = 0
    sample: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a list: addresses that were added, and those that were there already."""

    added: tuple[str, ...]
    known: tuple[str, ...]


def look(ctx: Context, spec: FeedSpec) -> Looked:
    """Fetch and read a source without keeping anything; a site's own address leads to its feed, a sitemap is known.

    Raises:
        UsageError, ForbiddenAddress, FetchError, GoneError, ParseError: it can't be read; says what was tried.
    """
    wanted = open_provider(spec.provider).accept if spec.kind == "quotes" else accept(spec.kind)
    answer = ctx.fetcher.get(spec.url, accept=wanted)
    if spec.kind == "feed" and is_sitemap(answer.body):
        spec = replace(spec, kind="sitemap")
    try:
        return _looked(ctx, spec, answer)
    except ParseError as error:
        found = discover(answer.body, answer.content_type, answer.url) if _may_be_a_site(spec, answer) else ()
        if not found:
            raise
        return _first_that_reads(ctx, spec, found, error)


def add(ctx: Context, spec: FeedSpec) -> Looked:
    """Add a source to those in force, after a look at it.

    Raises:
        UsageError: it is there already.
        DigestError: as :func:`look`.
    """
    _refuse_known(ctx, spec.url)
    looked = look(ctx, spec)
    if looked.site:
        _refuse_known(ctx, looked.spec.url)
    with ctx.db.write() as session:
        store.add_feed(session, looked.spec)
    return looked


def known(ctx: Context, url: str) -> FeedSpec | None:
    """The source in force at that address."""
    with ctx.db.read() as session:
        return next((feed for feed in store.feeds(session) if feed.url == url), None)


def import_opml(ctx: Context, body: bytes, *, dry_run: bool = False) -> Imported:
    """Add the feeds of a list that aren't there yet. None is fetched: the next gather says how each fares.

    Raises:
        ParseError: it is no OPML; nothing was added.
    """
    listed = read_opml(body)
    with ctx.db.write() as session:
        present = {feed.url for feed in store.feeds(session)}
        fresh = [spec for spec in listed if spec.url not in present]
        for spec in () if dry_run else fresh:
            store.add_feed(session, spec)
    return Imported(tuple(spec.url for spec in fresh), tuple(spec.url for spec in listed if spec.url in present))


def export_opml(ctx: Context) -> tuple[bytes, int]:
    """All sources in force as OPML, and how many they are."""
    with ctx.db.read() as session:
        newsroom = store.read_newsroom(session)
    return write_opml(newsroom.feeds, f"Feeds of {newsroom.site.name}"), len(newsroom.feeds)


def _refuse_known(ctx: Context, url: str) -> None:
    if known(ctx, url):
        raise UsageError(f"{url} is among the feeds already")


def _may_be_a_site(spec: FeedSpec, answer: Fetched) -> bool:
    start = answer.body[:1_000].lstrip()
    return spec.kind == "feed" and (start[:1] == b"<" or "html" in answer.content_type.lower())


def _first_that_reads(ctx: Context, spec: FeedSpec, found: tuple[Found, ...], error: ParseError) -> Looked:
    tried: list[str] = []
    for each in found[:MAX_TRIES]:
        try:
            answer = ctx.fetcher.get(each.url, accept=accept("feed"))
            looked = _looked(ctx, replace(spec, url=each.url), answer)
        except DigestError as problem:
            tried.append(f"{each.url}: {problem}")
            continue
        others = tuple(other.url for other in found if other.url != each.url and other.how != "usual")
        return replace(looked, site=spec.url, others=others)
    raise ParseError(f"{error}. Tried the page's feeds, and none can be read: {'; '.join(tried)}"[:1_500])


def _looked(ctx: Context, spec: FeedSpec, answer: Fetched) -> Looked:
    now = ctx.clock()
    if spec.kind == "quotes":
        quotes = quotes_in(spec, answer)
        stale = sum(is_stale(quote, now) for quote in quotes)
        notes = (f"{stale} of {len(quotes)} prices are too old to be shown",) if stale else ()
        words = tuple(
            f"{each.symbol} {each.price:g} {each.currency} at {each.as_of:%Y-%m-%d %H:%M}Z" for each in quotes
        )
        return Looked(_named(spec, ""), count=len(quotes), sample=words[:_SAMPLE], notes=notes)
    found = read(spec, answer.body, answer.content_type, answer.url, now=now, headers=answer.headers)
    if spec.kind == "events":
        ahead = [event for event in found.events if event.ends >= now.date()]
        words = tuple(f"{event.starts} {event.name}" for event in ahead)
        return Looked(_named(spec, ""), count=len(found.events), sample=words[:_SAMPLE])
    words = tuple(
        f"{entry.published_at:%Y-%m-%d %H:%M}Z {entry.title}" if entry.published_at else entry.title
        for entry in found.entries
    )
    return Looked(
        _named(spec, found.title), count=len(found.entries), sample=words[:_SAMPLE], notes=_notes(spec, found, answer)
    )


def _notes(spec: FeedSpec, found: Reading, answer: Fetched) -> tuple[str, ...]:
    notes = []
    entries = found.entries
    if not entries:
        notes.append("it has no entries now")
    if undated := sum(entry.published_at is None for entry in entries):
        notes.append(f"{undated} of {len(entries)} entries have no date: they count as new when first seen")
    if unlinked := sum(not entry.url or not entry.title for entry in entries):
        notes.append(f"{unlinked} of {len(entries)} entries have no link or no title and are left out")
    if entries and not spec.full_text and not any(entry.summary or entry.content for entry in entries):
        notes.append("it has no summaries: full_text = true reads the articles' own pages")
    if found.hub:
        notes.append(f"its news can be pushed (WebSub) by {found.hub.url}")
    if answer.permanent_url:
        notes.append(f"it has moved for good to {answer.permanent_url}")
    return tuple(notes)


def _named(spec: FeedSpec, title: str) -> FeedSpec:
    return replace(spec, name=spec.name or title or urlsplit(spec.url).hostname or spec.url)
