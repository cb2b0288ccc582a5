"""A local web server that misbehaves in every way that other people's servers do."""

import contextlib
import gzip
import http.server
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import brotli
import pytest


@dataclass
class Site:
    """A running server: its root URL, and the headers and paths of what it was asked."""

    url: str
    port: int
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@cache
def bombs() -> dict[str, bytes]:
    """Fifty million zeros, by how they are packed."""
    zeros = bytes(50_000_000)
    squeezed = gzip.compress(zeros, 1)
    return {"gzip": squeezed, "gzip, gzip": gzip.compress(squeezed), "br": brotli.compress(zeros, quality=1)}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    stop = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: object) -> None: ...

        def answer(self, status: int = 200, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content_Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            running.asked.append((self.path, dict(self.headers)))
            path, _, query = self.path.partition("?")
            with contextlib.suppress(OSError):
                getattr(self, f"do_{path[1:].replace('-', '_')}", self.do_missing)(query)

        def do_missing(self, query: str) -> None:
            self.answer(404, b"nothing here")

        def do_ok(self, query: str) -> None:
            self.answer(
                200, b"fine", ETag='"v1"', Last_Modified="Thu, 12 Mar 2026 09:00:00 GMT", Content_Type="text/xml"
            )

        def do_status(self, query: str) -> None:
            code, _, retry_after = query.partition("&")
            self.answer(int(code), b"", **({"Retry_After": retry_after.replace("+", " ")} if retry_after else {}))

        def do_dated(self, query: str) -> None:
            self.send_response_only(503)
            self.send_header("Date", "Thu, 12 Mar 2026 09:00:00 GMT")
            self.send_header("Retry-After", "Thu, 12 Mar 2026 09:02:00 GMT")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_conditional(self, query: str) -> None:
            fresh = self.headers.get("If-None-Match") == '"v1"' and self.headers.get("If-Modified-Since") == "then"
            self.answer(304 if fresh else 200, b"" if fresh else b"changed")

        def do_to(self, query: str) -> None:
            code, _, target = query.partition("&")
            self.answer(int(code), Location=target)

        def do_loop(self, query: str) -> None:
            self.answer(302, Location="/loop")

        def do_gzip(self, query: str) -> None:
            self.answer(200, gzip.compress(b"unpacked"), Content_Encoding="gzip")

        def do_broken_gzip(self, query: str) -> None:
            self.answer(200, b"this was never packed", Content_Encoding="gzip")

        def do_deflate(self, query: str) -> None:
            self.answer(200, zlib.compress(b"unpacked"), Content_Encoding="deflate")

        def do_br(self, query: str) -> None:
            self.answer(200, brotli.compress(b"unpacked"), Content_Encoding="br")

        def do_broken_br(self, query: str) -> None:
            self.answer(200, b"this was never packed", Content_Encoding="br")

        def do_br_bomb(self, query: str) -> None:
            self.answer(200, bombs()["br"], Content_Encoding="br")

        def do_bomb(self, query: str) -> None:
            self.answer(200, bombs()["gzip"], Content_Encoding="gzip")

        def do_bomb_in_bomb(self, query: str) -> None:
            self.answer(200, bombs()["gzip, gzip"], Content_Encoding="gzip, gzip")

        def do_large(self, query: str) -> None:
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            for _ in range(200):
                self.wfile.write(bytes(10_000))

        def do_declared_large(self, query: str) -> None:
            self.answer(200, b"x", Content_Length="99999999")

        def do_slow_body(self, query: str) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.trickle()

        def do_slow_error(self, query: str) -> None:
            self.send_response(500)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.trickle()

        def do_zstd(self, query: str) -> None:
            self.answer(200, b"packed", Content_Encoding="zstd")

        def do_slow_head(self, query: str) -> None:
            self.trickle()

        def trickle(self) -> None:
            while not stop.wait(0.02):
                self.wfile.write(b"x")
                self.wfile.flush()

        def do_hang_up(self, query: str) -> None:
            self.connection.close()
            self.close_connection = True

        def do_cookie(self, query: str) -> None:
            self.answer(200, b"", Set_Cookie="id=1; Path=/")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    running = Site(f"http://127.0.0.1:{server.server_port}", server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield running
    stop.set()
    server.shutdown()
    server.server_close()
    thread.join()
