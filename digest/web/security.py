"""What protects every page: headers, a limit on bodies, CSRF for cookie sessions, rate limits for public forms."""

import hmac
import ipaddress
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from fastapi import Request
from markupsafe import Markup
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.errors import PermanentError

SESSION_COOKIE = "digest_session"
"""The cookie of an editor's session. Readers never get a cookie."""

MAX_BODY = 1_000_000
"""Bytes that a request's body may have."""

STRICT_CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'"
)
"""For our own pages. ``data:`` because pico draws its ticks from data URIs."""


class Forbidden(PermanentError):
    """A form that doesn't come from a page of ours, or an action beyond somebody's rights."""


def mail_csp(public_url: str, *, frame_ancestors: str = "'none'") -> str:
    """A policy for pages that show a whole mail: its inline styles and pictures, never a script or a form.

    Args:
        public_url: where hosted pictures live.
        frame_ancestors: ``'self'`` for the mail inside the desk's frame.
    """
    return (
        f"default-src 'none'; img-src 'self' data: {public_url}; style-src 'unsafe-inline'; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {frame_ancestors}"
    )


def page_headers(public_url: str) -> dict[str, str]:
    """The headers that every answer carries, unless its endpoint has set its own."""
    headers = {
        "Content-Security-Policy": STRICT_CSP,
        "X-Content-Type-Options": "nosniff",
        # Links from mails hold tokens in their path: no page ever tells another one where its reader was.
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    if public_url.startswith("https:"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


class SecurityHeaders:
    """Adds :func:`page_headers` to every answer.

    HEAD is answered like GET without the body, so that link checkers see what people would see.
    """

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app, self.headers = app, page_headers(public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"} if is_head else scope, receive, send_with_headers)


class BodyLimit:
    """Refuses bodies over ``limit`` bytes, whatever their Content-Length says."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self.limit:
            response = PlainTextResponse("That is more than this form takes.\n", 413)
            await response(scope, receive, send)
            return
        received = 0

        async def limited_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                raise HTTPException(413)
            return message

        await self.app(scope, limited_receive, send)


# --- cookie sessions --------------------------------------------------------------------------------------------


def session_token(request: Request) -> str:
    """The session's secret as the browser sends it, "" if it sends none. It proves nothing by itself."""
    return request.cookies.get(SESSION_COOKIE, "")


def set_session(response: Response, token: str, *, public_url: str, max_age: timedelta) -> None:
    """Give the browser a session: not for scripts, not on requests from other sites, only over https if we have it."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(max_age.total_seconds()),
        path="/desk",
        httponly=True,
        samesite="lax",
        secure=public_url.startswith("https:"),
    )


def clear_session(response: Response) -> None:
    """Take the session's cookie back."""
    response.delete_cookie(SESSION_COOKIE, path="/desk", httponly=True, samesite="lax")


def csrf_token(request: Request) -> str:
    """The token that forms of this session must bring back: bound to the session, worthless without it."""
    return hmac.new(session_token(request).encode(), b"csrf", sha256).hexdigest()


def csrf_field(request: Request) -> Markup:
    """The hidden field that holds :func:`csrf_token`."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(csrf_token(request))


def check_csrf(request: Request, form: Mapping[str, object]) -> None:
    """Make sure that a form of a cookie session comes from a page of ours.

    The token may come as the field ``csrf`` or, from scripts, as the header ``X-CSRF-Token``.

    Raises:
        Forbidden: no session, or another token than the session's. Compared in constant time.
    """
    brought = form.get("csrf") or request.headers.get("X-CSRF-Token") or ""
    expected = csrf_token(request)
    if not session_token(request) or not hmac.compare_digest(str(brought).encode(), expected.encode()):
        raise Forbidden("this form has run out: open the page again and repeat the step")


# --- who asks, and how often ------------------------------------------------------------------------------------

Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def networks(names: Iterable[str]) -> Networks:
    """Proxies as networks: ``("127.0.0.1", "10.0.0.0/8")``.

    Raises:
        ValueError: what can't be read as an address or a network.
    """
    return tuple(ipaddress.ip_network(name.strip(), strict=False) for name in names if name.strip())


def client_address(request: Request, trusted: Networks = ()) -> str:
    """The address that a request comes from; "" if the server doesn't know.

    ``X-Forwarded-For`` is believed only as far as it was written by trusted proxies: read from the right,
    the first address that isn't one of them is the client. Anybody may write the rest.
    """
    address = request.client.host if request.client else ""
    if _is_in(address, trusted):
        for hop in reversed(",".join(request.headers.getlist("X-Forwarded-For")).split(",")):
            if not hop.strip():
                break
            address = hop.strip()
            if not _is_in(address, trusted):
                break
    return address


def _is_in(address: str, trusted: Networks) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)


class RateLimiter:
    """A sliding window per client, kept in memory: at most ``limit`` requests in any ``period``.

    An IPv6 client counts as its /64: whoever has one address there has them all. Memory is bounded: when
    ``max_clients`` are known, those whose window has passed are forgotten, and if that isn't enough everybody is
    refused until it is.
    """

    def __init__(
        self, limit: int, period: timedelta, clock: Callable[[], datetime], *, max_clients: int = 50_000
    ) -> None:
        self.limit, self.period, self.clock, self.max_clients = limit, period, clock, max_clients
        self._seen: dict[str, deque[datetime]] = {}
        self._lock = threading.Lock()

    def allows(self, client: str) -> bool:
        """Count a request of ``client`` and say whether it is within the limit. Refused ones don't count."""
        now, key = self.clock(), _client_key(client)
        with self._lock:
            if key not in self._seen and len(self._seen) >= self.max_clients:
                self._forget_before(now - self.period)
                if len(self._seen) >= self.max_clients:
                    return False
            times = self._seen.setdefault(key, deque())
            while times and times[0] <= now - self.period:
                times.popleft()
            if len(times) >= self.limit:
                return False
            times.append(now)
            return True

    def _forget_before(self, moment: datetime) -> None:
        self._seen = {key: times for key, times in self._seen.items() if times and times[-1] > moment}


def _client_key(client: str) -> str:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
