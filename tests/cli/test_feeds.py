"""``digest feeds …`` as programs call it."""

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run

RSS = b"""<rss version="2.0"><channel><title>Harbour Wire</title><item><title>One</title><link>https://h.example/1</link>
<pubDate>Thu, 12 Mar 2026 09:00:00 GMT</pubDate></item></channel></rss>"""
SITE = b'<html><head><link rel="alternate" type="application/rss+xml" href="/rss"></head><body>hello</body></html>'
SITEMAP = b"""<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>https://h.example/2</loc><news:news><news:publication>
<news:name>Harbour Map</news:name></news:publication><news:publication_date>2026-03-12T09:00:00Z</news:publication_date>
<news:title>Two</news:title></news:news></url></urlset>"""
PAGE = b"<!doctype html><html><body>Down for maintenance \x1b[31m</body></html>"
PAGES = {"/page": PAGE, "/rss": RSS, "/": SITE, "/news.xml": SITEMAP}


AGENTS: list[str] = []
"""How we introduced ourselves."""


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

        def do_GET(self) -> None:
            AGENTS.append(self.headers["User-Agent"])
            body = PAGES.get(self.path, b"")
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    thread.join()


def test_a_site_is_checked_added_exported_and_imported(fresh: Callable[..., Run], server: str, tmp_path: Path) -> None:
    digest = fresh(fetch_allow="127.0.0.1")
    checked = digest("feeds", "check", f"{server}/", "--json")
    assert (checked.code, checked.json["url"], checked.json["name"]) == (0, f"{server}/rss", "Harbour Wire")
    assert checked.json["sample"] == ["2026-03-12 09:00Z One"]
    assert digest("feeds", "list", "--json").json == {"feeds": []}
    added = digest("feeds", "add", f"{server}/", "--weight", "1.5")
    assert f"{server}/ is a web page; its feed is {server}/rss" in added.out
    file = tmp_path / "feeds.opml"
    assert digest("feeds", "export", str(file), "--json").json == {"file": str(file), "feeds": 1}
    assert digest("feeds", "import", str(file), "--json").json == {
        "added": [], "known": [f"{server}/rss"], "dry_run": False,
    }  # fmt: skip
    (row,) = digest("feeds", "list", "--json").json["feeds"]
    assert (row["url"], row["name"], row["weight"]) == (f"{server}/rss", "Harbour Wire", 1.5)


def test_a_gather_says_what_each_feed_did_and_what_a_failing_one_sent(
    fresh: Callable[..., Run], server: str, tmp_path: Path
) -> None:
    digest = fresh(fetch_allow="127.0.0.1")
    digest("feeds", "add", f"{server}/rss")
    opml = f'<opml version="2.0"><body><outline text="Page Post" xmlUrl="{server}/page"/></body></opml>'
    (tmp_path / "more.opml").write_text(opml)
    digest("feeds", "import", str(tmp_path / "more.opml"))
    words = digest("gather").out
    assert "feed reader; +http://127.0.0.1" in AGENTS[-1] or "feed reader; +http://localhost" in AGENTS[-1], AGENTS[-1]
    assert "Harbour Wire  1 new of 1 articles" in words
    assert "! Page Post: this is a web page (HTML), not a feed" in words
    outcomes = {each["name"]: each for each in digest("gather", "--json").json["outcomes"]}
    assert (outcomes["Harbour Wire"]["state"], outcomes["Harbour Wire"]["seen"]) == ("ok", 1)
    assert (outcomes["Page Post"]["state"], "web page" in outcomes["Page Post"]["error"]) == ("failed", True)
    listed = digest("feeds", "list").out.splitlines()
    assert listed[0].split() == [
        "no",
        "name",
        "state",
        "items",
        "a",
        "day",
        "delay",
        "last",
        "read",
        "next",
        "look",
        "what",
        "to",
        "know",
    ]
    assert "failing × 2" in listed[1]  # those in trouble come first
    assert "this is a web page" in listed[1]
    for name in ("Page Post", "2", f"{server}/page"):
        assert digest("feeds", "failure", name).out.encode() == PAGE
    file = tmp_path / "sent.bin"
    assert "web page" in digest("feeds", "failure", "2", "--output", str(file)).err
    assert file.read_bytes() == PAGE
    assert "there is no feed Nobody" in digest("feeds", "failure", "Nobody").err
    assert "it has not failed" in digest("feeds", "failure", "Harbour Wire").err


def test_a_sitemap_is_known_as_one_without_being_told(fresh: Callable[..., Run], server: str) -> None:
    digest = fresh(fetch_allow="127.0.0.1")
    digest("feeds", "add", f"{server}/news.xml")
    (row,) = digest("feeds", "list", "--json").json["feeds"]
    assert (row["kind"], row["name"], row["push"]) == ("sitemap", "Harbour Map", "")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["check", "{server}/nowhere"], 1, "404"),
        (["check", "{server}/rss", "--kind", "page"], 2, "feeds.toml"),
        (["check", "http://169.254.169.254/"], 1, "DIGEST_FETCH_ALLOW"),
        (["import", "nowhere.opml"], 2, "nowhere.opml"),
    ],
)
def test_what_cannot_be_read_says_so(
    fresh: Callable[..., Run], server: str, args: list[str], code: int, words: str
) -> None:
    result = fresh(fetch_allow="127.0.0.1")("feeds", *(arg.format(server=server) for arg in args), "--json")
    assert (result.code, words in result.err) == (code, True), result.err
