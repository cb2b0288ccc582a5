"""The sample's web server: feeds, prices, calendar and pictures on loopback, so that the gatherer's own code runs."""

import html
import json
import os
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from digest.errors import ConfigError
from digest.sample import calendar, feeds, market, pictures
from digest.sample.articles import Outlet, SampleArticle, load_outlets, read_toml

QUOTES = "prices/coins/markets"
CALENDAR = "calendar/conferences.ics"
IDENTITY = "identity.json"
POLL = 0.1
"""Seconds until a server that is told to stop notices it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands at a path now. ``modified`` is None where nothing sensible can be said."""

    body: bytes
    content_type: str
    modified: datetime | None = None
    delay: float = 0.0

    @property
    def etag(self) -> str:
        """A strong validator: the same bytes have the same one (RFC 9110 8.8.3)."""
        return f'"{sha256(self.body).hexdigest()[:24]}"'


@dataclass(frozen=True, slots=True)
class Broken:
    """A feed that answers 200 with something that is no feed."""

    path: str
    content_type: str
    body: bytes


class SampleServer:
    """Serves a sample newsroom at 127.0.0.1 from a daemon thread.

    Args:
        folder: the newsroom's folder; ``articles/`` and ``served/`` in it are read at once.
        port: 0 takes a free one.
        anchor_file: JSON that keeps the moment of the first start, so that dates last over restarts.
        clock: aware UTC; only articles with a date up to ``clock()`` are shown.

    Raises:
        ConfigError: a file of the sample, or the anchor file, can't be used.
    """

    def __init__(self, folder: Path, port: int, anchor_file: Path, clock: Callable[[], datetime]) -> None:
        self.outlets: tuple[Outlet, ...] = load_outlets(folder)
        self._assets = market.load_market(folder)
        self._conferences = calendar.load_calendar(folder)
        self._broken = _load_broken(folder)
        self._fingerprint = _fingerprint(folder)
        self._port, self._anchor_file, self._clock = port, anchor_file, clock
        self._stopping = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._base = ""
        self.anchor: datetime = clock()

    @property
    def base(self) -> str:
        """The URL beneath which everything stands, without a trailing slash. Known after ``start``."""
        if not self._base:
            raise RuntimeError("the sample server has not been started")
        return self._base

    def start(self) -> None:
        """Begin to serve. If a server of the very same sample already holds the port, that one is used.

        Raises:
            ConfigError: another program holds the port, or the anchor file can't be used.
        """
        self.anchor = _kept_anchor(self._anchor_file, self._clock())
        self._stopping.clear()
        try:
            server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        except (OSError, OverflowError):
            self._base = self._lent_base()
            return
        server.daemon_threads = True
        self._server, self._base = server, f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(POLL,), name="sample", daemon=True).start()

    def stop(self) -> None:
        """Stop serving; answers that still wait are let go. Harmless if not started."""
        self._stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self._base = ""

    def answer(self, path: str) -> Answer | None:
        """What stands at ``path`` (without query) now; None for nothing."""
        path, now = path.strip("/"), self._clock()
        for outlet in self.outlets:
            if outlet.path == path:
                return self._feed(outlet, now)
        for broken in self._broken:
            if broken.path == path:
                return Answer(broken.body, broken.content_type)
        if path.startswith("images/"):
            return self._picture(path)
        match path:
            case "":
                return Answer(self._index(now).encode(), "text/html; charset=utf-8")
            case _ if path == QUOTES:
                return Answer(market.quotes(self._assets, self.anchor, now), "application/json; charset=utf-8")
            case _ if path == CALENDAR:
                return Answer(
                    calendar.calendar(self._conferences, self.anchor, now), "text/calendar; charset=utf-8", self.anchor
                )
            case _ if path == IDENTITY:
                return Answer(json.dumps({"sample": self._fingerprint}).encode(), "application/json; charset=utf-8")
        return None

    def wait(self, seconds: float) -> None:
        """Let a slow outlet be slow, but no longer than until ``stop``."""
        self._stopping.wait(seconds)

    def published(self, outlet: Outlet, now: datetime) -> list[SampleArticle]:
        """What the outlet has brought out by ``now``, newest first."""
        out = [article for article in outlet.articles if article.published_at(self.anchor) <= now]
        return sorted(out, key=lambda article: (article.age, article.slug))

    def _feed(self, outlet: Outlet, now: datetime) -> Answer:
        articles = self.published(outlet, now)
        newest = articles[0].published_at(self.anchor) if articles else self.anchor
        body = feeds.feed(outlet, articles, self.anchor, self.base)
        return Answer(body, feeds.TYPES[outlet.format], newest, outlet.delay)

    def _picture(self, path: str) -> Answer | None:
        for outlet in self.outlets:
            for article in outlet.articles:
                if article.picture and path == f"images/{article.slug}.png":
                    return Answer(pictures.draw(article.picture.scene, article.slug), "image/png", self.anchor)
        return None

    def _index(self, now: datetime) -> str:
        rows = "".join(
            f'<li><a href="/{outlet.path}">{html.escape(outlet.name)}</a>, {outlet.format.upper()}, '
            f"{len(self.published(outlet, now))} articles so far: {html.escape(outlet.description)}</li>\n"
            for outlet in self.outlets
        )
        return (
            '<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            "<title>The sample newsroom's sources</title>\n"
            "<style>body{font:17px/1.6 Georgia,serif;max-width:40rem;margin:3rem auto;padding:0 1rem}</style>\n"
            "<h1>The sample newsroom's sources</h1>\n<p>Fictional outlets, served on this machine alone. "
            "Their articles were written for this project; links in them lead to reserved names and open nothing.</p>\n"
            f'<ul>\n{rows}<li><a href="/{QUOTES}">Market prices</a></li>\n'
            f'<li><a href="/{CALENDAR}">Calendar of conferences</a></li>\n</ul></html>\n'
        )

    def _lent_base(self) -> str:
        """The URL of a server that already serves this sample on our port."""
        base = f"http://127.0.0.1:{self._port}"
        try:
            with urllib.request.urlopen(f"{base}/{IDENTITY}", timeout=2) as response:  # noqa: S310  (loopback)
                if json.loads(response.read(10_000)) == {"sample": self._fingerprint}:
                    return base
        except (OSError, ValueError):
            pass
        raise ConfigError(
            f"port {self._port} is taken by another program: set it to a free port",
            file="DIGEST_SAMPLE_PORT",
        )


def _handler(sample: SampleServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version = "SamplePress/1"
        sys_version = ""
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self._respond(with_body=True)

        def do_HEAD(self) -> None:
            self._respond(with_body=False)

        def _respond(self, *, with_body: bool) -> None:
            answer = sample.answer(urlsplit(self.path).path)
            if answer is None:
                self._write(HTTPStatus.NOT_FOUND, Answer(b"There is nothing here.\n", "text/plain"), with_body)
                return
            sample.wait(answer.delay)
            status = HTTPStatus.NOT_MODIFIED if self._unchanged(answer) else HTTPStatus.OK
            self._write(status, answer, with_body)

        def _unchanged(self, answer: Answer) -> bool:
            """RFC 9110 13.2.2: If-None-Match counts alone when it is there."""
            known = self.headers.get("If-None-Match")
            if known is not None:
                tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
                return answer.etag in tags or known.strip() == "*"
            since = self.headers.get("If-Modified-Since")
            if since is None or answer.modified is None:
                return False
            try:
                return answer.modified.replace(microsecond=0) <= parsedate_to_datetime(since)
            except (ValueError, TypeError):
                return False

        def _write(self, status: HTTPStatus, answer: Answer, with_body: bool) -> None:
            self.send_response(status)
            if status is not HTTPStatus.NOT_FOUND:
                self.send_header("ETag", answer.etag)
                self.send_header("Cache-Control", "no-cache")
                if answer.modified:
                    self.send_header("Last-Modified", format_datetime(answer.modified.astimezone(UTC), usegmt=True))
            if status is not HTTPStatus.NOT_MODIFIED:
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if with_body and status is not HTTPStatus.NOT_MODIFIED:
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
            """Say nothing: what was fetched, the gatherer logs."""

    return Handler


def _kept_anchor(file: Path, now: datetime) -> datetime:
    """The moment in ``file``; the first to come writes it. Whole minutes, so that feeds show what we keep."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        anchor = now.astimezone(UTC).replace(second=0, microsecond=0)
        fresh.write_text(json.dumps({"anchor": anchor.isoformat()}) + "\n", encoding="utf-8")
        try:
            os.link(fresh, file)
        except FileExistsError:
            pass  # another process was quicker: its anchor holds
        finally:
            fresh.unlink()
    try:
        kept = datetime.fromisoformat(json.loads(file.read_text(encoding="utf-8"))["anchor"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError("is damaged: delete it, and the sample's news begin anew", file=str(file)) from None
    if kept.tzinfo is None:
        raise ConfigError("holds a time without a zone: delete it, and the sample's news begin anew", file=str(file))
    return kept.astimezone(UTC)


def _load_broken(folder: Path) -> tuple[Broken, ...]:
    document = read_toml(folder / "served" / "broken.toml")
    broken = []
    for table in document.tables("broken"):
        path, content_type, body = table.text("path"), table.text("content_type"), table.text("body")
        broken.append(Broken(path.strip("/"), content_type, body.encode()))
        table.done()
    document.done()
    return tuple(broken)


def _fingerprint(folder: Path) -> str:
    """What makes two servers' samples the same: the bytes of all files that they serve from."""
    total = sha256()
    for part in ("articles", "served"):
        for path in sorted((folder / part).glob("*.toml")):
            total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()
