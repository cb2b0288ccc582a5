"""The feeds: how each fares, what its last thirty days were like, and what came with its last failure."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from digest.errors import NotFound
from digest.store import feed_health
from digest.store.feed_health import Day, FeedHealth
from digest.store.tables import Article, ArticleFeed
from digest.web.desk.visit import Desk
from digest.workflows.sign_in import EditorView

DAYS = 30
SHOWN = 3_000
"""Characters of the last failure that the page itself shows."""
ARTICLES = 12
RAW_CSP = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For bytes that anybody may have written: nothing in them runs, loads or is framed."""


@dataclass(frozen=True)
class Bar:
    """One day of a strip, ready to be drawn in a box one unit wide and a hundred high."""

    x: int
    word: str
    height: int
    title: str


@dataclass(frozen=True)
class Strip:
    """Thirty days as bars, and in words for those who don't see them."""

    bars: tuple[Bar, ...]
    words: str
    items: int
    most: int


@dataclass(frozen=True)
class Seen:
    """An article that the feed brought: ``late`` seconds after its date."""

    title: str
    url: str
    published_at: datetime
    seen_at: datetime

    @property
    def late(self) -> float:
        """Seconds from its date until we saw it."""
        return (self.seen_at - self.published_at).total_seconds()


def add_to(routes: APIRouter, desk: Desk) -> None:
    """Adds ``/desk/feeds``, ``/desk/feeds/{id}`` and ``/desk/feeds/{id}/failure``."""
    ctx = desk.ctx
    desk.pages.environment.filters.update(span=span, how_often=how_often)

    @routes.get("/feeds")
    def overview(request: Request, editor: Annotated[EditorView, Depends(desk.looking())], state: str = "") -> Response:
        """All feeds, those in trouble first; ``state`` shows only some."""
        now = ctx.clock()
        with ctx.db.read() as session:
            feeds, days = feed_health.health(session, now), feed_health.strips(session, now, DAYS)
        strips = {feed.id: strip(days.get(feed.id, ())) for feed in feeds}
        counts = Counter(feed.state for feed in feeds)
        shown = [feed for feed in feeds if state in ("", feed.state)]
        return desk.show(
            request, "feeds.html", editor=editor, feeds=shown, total=len(feeds), strips=strips, counts=counts, state=state
        )  # fmt: skip

    @routes.get("/feeds/{feed_id}")
    def show(request: Request, feed_id: int, editor: Annotated[EditorView, Depends(desk.looking())]) -> Response:
        """One feed."""
        now = ctx.clock()
        with ctx.db.read() as session:
            feed = _one(session, feed_id, now)
            days = feed_health.strips(session, now, DAYS, feed_id).get(feed_id, ())
            body = feed_health.last_failure(session, feed_id) or b""
            seen = _seen(session, feed_id)
        return desk.show(
            request, "feeds_one.html", editor=editor, feed=feed, strip=strip(days), days=[day for day in days if day.word != "none"],
            beginning=as_text(body[: SHOWN * 4])[:SHOWN], body_size=len(body), seen=seen,
        )  # fmt: skip

    @routes.get("/feeds/{feed_id}/failure")
    def failure(feed_id: int, _editor: Annotated[EditorView, Depends(desk.looking())]) -> Response:
        """The bytes that came with the last failure, as text whatever they are."""
        with ctx.db.read() as session:
            body = feed_health.last_failure(session, feed_id)
        if body is None:
            raise NotFound("nothing is kept of a failure of this feed")
        headers = {"Content-Security-Policy": RAW_CSP, "X-Content-Type-Options": "nosniff"}
        return Response(body, media_type="text/plain; charset=utf-8", headers=headers)


def strip(days: tuple[Day, ...]) -> Strip:
    """A feed's days as bars: the height is the day's new items, the word how its polls went."""
    most = max((day.items for day in days), default=0)
    bars = tuple(
        Bar(x, day.word, _height(day, most), f"{day.day:%a %d %b}: {_in_words(day)}") for x, day in enumerate(days)
    )
    words = Counter(day.word for day in days)
    told = [
        f"{words[word]} {'day' if words[word] == 1 else 'days'} {how}"
        for word, how in (("well", "well"), ("mixed", "with failures"), ("failed", "with nothing but failures"))
        if words[word]
    ]
    return Strip(bars, ", ".join(told) or "not asked yet", sum(day.items for day in days), most)


def _height(day: Day, most: int) -> int:
    if day.word in ("none", "failed"):
        return 100 if day.word == "failed" else 8
    return 14 + round(86 * day.items / most) if most else 14


def _in_words(day: Day) -> str:
    if day.word == "none":
        return "not asked"
    failed = f", {day.failed} failed" if day.failed else ""
    items = "no new item" if not day.items else "1 new item" if day.items == 1 else f"{day.items} new items"
    return f"{items}, {day.ok + day.failed} polls{failed}"


def span(seconds: float | None) -> str:
    """A length of time in its largest unit: "40 s", "12 min", "3.5 h", "2 days"."""
    if seconds is None:
        return "–"
    for size, unit in ((86_400 * 2, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            amount = seconds / (86_400 if unit == "days" else size)
            return f"{amount:.1f}".removesuffix(".0") + f" {unit}" if unit == "h" else f"{amount:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def how_often(rate: float | None) -> str:
    """Items a day as one would say it: "12", "0.4", "–" where there are none to count."""
    return "–" if rate is None else f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}".removesuffix(".0")


def as_text(body: bytes) -> str:
    """Bytes as something to look at: what is no text is a dot."""
    text = body.decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "·" for letter in text.replace("\r\n", "\n"))


def _one(session: Session, feed_id: int, now: datetime) -> FeedHealth:
    found = feed_health.health(session, now, feed_id)
    if not found:
        raise NotFound(f"there is no feed {feed_id}")
    return found[0]


def _seen(session: Session, feed_id: int) -> list[Seen]:
    query = (
        select(Article.title, Article.url, Article.published_at, ArticleFeed.seen_at)
        .join(ArticleFeed, col(ArticleFeed.article_id) == col(Article.id))
        .where(ArticleFeed.feed_id == feed_id)
        .order_by(col(ArticleFeed.seen_at).desc(), col(Article.published_at).desc())
        .limit(ARTICLES)
    )
    return [Seen(*row) for row in session.exec(query)]
