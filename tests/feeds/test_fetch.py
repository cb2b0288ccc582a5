"""Fetching: what the fetcher refuses, how long it waits, what it says."""

import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from digest.errors import DigestError, FetchError, ForbiddenAddress, GoneError, ParseError
from digest.feeds.fetch import Fetcher, user_agent_with
from digest.feeds.guard import is_public
from tests.feeds.conftest import Site, bombs
from tests.feeds.ways_in import WAYS, watched


@pytest.fixture
def fetcher(site: Site) -> Iterator[Fetcher]:
    site.asked.clear()
    fetcher = Fetcher(frozenset({f"127.0.0.1:{site.port}"}), user_agent_with("https://digest.example/contact"))
    yield fetcher
    fetcher.close()


@pytest.mark.parametrize("name", WAYS)
def test_an_address_off_the_open_internet_is_refused(name: str) -> None:
    url = WAYS[name].format(port=8080)
    with watched(0) as attempts:
        for ask in (
            lambda: Fetcher().get(url, deadline=2),
            lambda: Fetcher().post_form(url, {"hub.mode": "subscribe"}, deadline=2),
            lambda: Fetcher().post_json(url, {}, headers={}, deadline=2),
        ):
            # A name may first be on the open internet: then it is asked there, and never anywhere else.
            with pytest.raises(DigestError if "changes its mind" in name else ForbiddenAddress):
                ask()
            assert [address for address in attempts if address[0] != "93.184.216.34"] == []  # type: ignore[index]


@pytest.mark.parametrize("name", WAYS)
def test_a_redirect_to_such_an_address_is_refused_as_well(name: str, site: Site, fetcher: Fetcher) -> None:
    way = WAYS[name].format(port=8080)
    if not way.isascii():
        pytest.skip("no header can say it")
    if name in ("no scheme", "no host"):
        return  # relative addresses: they stay where they are, or have no host to lead to
    with watched(site.port), pytest.raises(DigestError) as refused:
        fetcher.get(f"{site.url}/to?302&{way}", deadline=2)
    assert isinstance(refused.value, ForbiddenAddress) or "changes its mind" in name
    assert [path.partition("?")[0] for path, _ in site.asked] == ["/to"]


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("93.184.216.34", "10.0.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answers)
    with pytest.raises(ForbiddenAddress, match=r"rebind.example .*10\.0\.0\.7"):
        Fetcher().get("http://rebind.example/", deadline=2)


def test_a_name_is_resolved_once_and_only_the_checked_address_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    connected: list[object] = []

    def resolve(host: str, *args: object, **kwargs: object) -> list[object]:
        asked.append(host)
        ip = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80))]

    def connect(self: socket.socket, address: object) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(FetchError, match="refuses"):
        Fetcher().get("http://rebind.example/", deadline=2)
    assert (asked, connected) == (["rebind.example"], [("93.184.216.34", 80)])


def test_an_exemption_holds_for_the_name_that_was_written_and_its_port(site: Site) -> None:
    fetcher = Fetcher(frozenset({f"127.0.0.1:{site.port}"}))
    assert fetcher.get(f"{site.url}/ok").body == b"fine"
    with pytest.raises(ForbiddenAddress):
        fetcher.get(f"http://localhost:{site.port}/ok")
    with pytest.raises(ForbiddenAddress):
        fetcher.get("http://127.0.0.1:1/ok")
    assert Fetcher(frozenset({"LOCALHOST"})).get(f"http://localhost:{site.port}/ok").body == b"fine"


def test_an_answer_carries_validators_and_the_next_request_sends_them(site: Site, fetcher: Fetcher) -> None:
    answer = fetcher.get(f"{site.url}/ok", accept="text/xml")
    assert (answer.status, answer.body, answer.etag) == (200, b"fine", '"v1"')
    assert (answer.last_modified, answer.content_type) == ("Thu, 12 Mar 2026 09:00:00 GMT", "text/xml")
    assert answer.headers["last-modified"] == answer.last_modified
    sent = site.asked[-1][1]
    assert (sent["Accept"], "If-None-Match" in sent) == ("text/xml", False)
    assert "digest.example/contact" in sent["User-Agent"]
    unchanged = fetcher.get(f"{site.url}/conditional", etag='"v1"', last_modified="then")
    assert (unchanged.status, unchanged.body) == (304, b"")


def test_no_cookie_is_kept_and_no_proxy_of_the_environment_used(site, fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    fetcher.get(f"{site.url}/cookie")
    fetcher.get(f"{site.url}/ok")
    assert "Cookie" not in site.asked[-1][1]


@pytest.mark.parametrize(
    ("path", "final", "permanent"),
    [
        ("/to?301&/ok", "/ok", "/ok"),
        ("/to?308&/ok", "/ok", "/ok"),
        ("/to?302&/ok", "/ok", ""),
        ("/to?301&/to?301&/ok", "/ok", "/ok"),
        ("/to?301&/to?302&/ok", "/ok", "/to?302&/ok"),
        ("/to?302&/to?301&/ok", "/ok", ""),
        ("/ok", "/ok", ""),
    ],
)
def test_redirects_are_followed_and_permanent_ones_reported(
    path, final, permanent, site: Site, fetcher: Fetcher
) -> None:
    answer = fetcher.get(site.url + path)
    assert (answer.url, answer.permanent_url) == (site.url + final, permanent and site.url + permanent)


def test_endless_redirects_end_after_five(site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match="more than 5 redirects"):
        fetcher.get(f"{site.url}/loop")
    assert len(site.asked) == 6


@pytest.mark.parametrize("path", ["/slow-body", "/slow-head"])
def test_an_answer_that_trickles_ends_at_the_deadline(path: str, site: Site, fetcher: Fetcher) -> None:
    begin = time.monotonic()
    with pytest.raises(FetchError, match=r"within 0\.3 seconds"):
        fetcher.get(site.url + path, deadline=0.3)
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize("path", ["/large", "/declared-large"])
def test_an_answer_larger_than_the_limit_is_refused(path: str, site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(ParseError, match="larger than 1 MB"):
        fetcher.get(site.url + path, max_bytes=1_000_000)


def test_compressed_answers_are_unpacked_and_broken_ones_named(site: Site, fetcher: Fetcher) -> None:
    for coding in ("gzip", "deflate", "br"):
        assert fetcher.get(f"{site.url}/{coding}").body == b"unpacked"
    for coding in ("gzip", "br"):
        with pytest.raises(ParseError, match="compression is broken"):
            fetcher.get(f"{site.url}/broken-{coding}")


@pytest.mark.parametrize("path", ["/bomb", "/bomb-in-bomb", "/br-bomb"])
def test_a_bomb_is_unpacked_no_further_than_the_limit(path: str, site: Site, fetcher: Fetcher) -> None:
    bombs()  # the server is in this process: made before anybody counts
    tracemalloc.start()
    with pytest.raises(ParseError, match="larger than 1 MB"):
        fetcher.get(site.url + path, max_bytes=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize(
    ("path", "status", "retry_after"),
    [
        ("/status?429&120", 429, 120),
        ("/status?503&7", 503, 7),
        ("/status?503&soon", 503, None),
        ("/status?500", 500, None),
        ("/status?404", 404, None),
        ("/status?204", 204, None),
        ("/status?304", 304, None),
        ("/dated", 503, 120),
    ],
)
def test_other_statuses_are_errors_that_say_when_to_come_back(path, status, retry_after, site, fetcher) -> None:
    with pytest.raises(FetchError) as caught:
        fetcher.get(site.url + path)
    assert (caught.value.status, caught.value.retry_after) == (status, retry_after)


def test_gone_is_gone(site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(GoneError):
        fetcher.get(f"{site.url}/status?410")


def test_what_cannot_be_reached_is_said_in_words(site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match=r"127\.0\.0\.1 hung up"):
        fetcher.get(f"{site.url}/hang-up")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(FetchError, match=r"127\.0\.0\.1 refuses connections"):
            Fetcher(frozenset({"127.0.0.1"})).get(f"http://127.0.0.1:{port}/")
    with pytest.raises(FetchError, match=r"no host nowhere\.invalid"):
        Fetcher().get("http://nowhere.invalid/")


def test_a_compression_that_was_not_asked_for_is_named(site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(ParseError, match=r"compression \(zstd\)"):
        fetcher.get(f"{site.url}/zstd")
    assert site.asked[-1][1]["Accept-Encoding"] == "gzip, deflate, br"


def test_errors_bring_along_what_the_source_sent(site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError) as missing:
        fetcher.get(f"{site.url}/nothing-here")
    assert missing.value.evidence == b"nothing here"
    with pytest.raises(ParseError) as large:
        fetcher.get(f"{site.url}/large", max_bytes=1_000_000)
    assert large.value.evidence == bytes(200_000)
    with pytest.raises(FetchError) as slow:
        fetcher.get(f"{site.url}/slow-error", deadline=0.3)
    assert set(slow.value.evidence) <= {ord("x")}


def test_a_name_server_that_never_answers_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answer.wait(5) and [])
    begin = time.monotonic()
    with pytest.raises(FetchError, match=r"within 0\.3 seconds"):
        Fetcher().get("http://slow-name.example/", deadline=0.3)
    answer.set()
    assert time.monotonic() - begin < 1.5


def test_a_tls_handshake_that_trickles_ends_at_the_deadline() -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"\x16\x03\x03\x40\x00\x02")
                while not stop.wait(0.02):
                    try:
                        connection.sendall(b"\x00")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        begin = time.monotonic()
        with pytest.raises(FetchError):
            Fetcher(frozenset({"127.0.0.1"})).get(f"https://127.0.0.1:{server.getsockname()[1]}/", deadline=0.4)
        stop.set()
        thread.join(5)
    assert time.monotonic() - begin < 2
