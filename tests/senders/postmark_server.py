"""A server on loopback that speaks Postmark's documented batch API."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "server-token"
ERRORS = {
    "hard": {"ErrorCode": 406, "Message": "You tried to send to a recipient that has been marked as inactive."},
    "invalid": {"ErrorCode": 300, "Message": "Invalid 'To' address."},
    "soft": {"ErrorCode": 429, "Message": "Too many requests."},
    "ours": {"ErrorCode": 405, "Message": "This account has run out of credits."},
}


@dataclass
class Postmark:
    """Starts on a free port. ``answer`` (status, body) stands in for every request if it is set.

    ``hang_up``: take the request and close without an answer.
    """

    answer: tuple[int, bytes] | None = None
    hang_up: bool = False
    wait: float = 0
    requests: list[list[dict[str, Any]]] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> "Postmark":
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/email/batch"
                assert self.headers["Accept"] == self.headers["Content-Type"] == "application/json"
                status, answer = desk.take(self.headers["X-Postmark-Server-Token"], json.loads(body))
                if desk.hang_up:
                    return
                time.sleep(desk.wait)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, token: str, items: list[dict[str, Any]]) -> tuple[int, bytes]:
        if token != TOKEN:
            return 401, b'{"ErrorCode":10,"Message":"The Server Token you provided was incorrect."}'
        self.requests.append(items)
        if self.answer is not None:
            return self.answer
        results = []
        for item in items:
            name = item["To"].split("@")[0].split("-")[0]
            if name in ERRORS:
                results.append(ERRORS[name])
                continue
            self.accepted.append(item)
            results.append(
                {"ErrorCode": 0, "Message": "OK", "MessageID": f"id-{len(self.accepted)}", "To": item["To"],
                 "SubmittedAt": "2026-03-12T11:00:00.1234567Z"}
            )  # fmt: skip
        return 200, json.dumps(results).encode()
