"""Fetching of other people's pages: polite, bounded in time and size, and never into private networks.

``requests`` on connections of our own (:mod:`digest.feeds.transport`): the socket is opened by
:mod:`digest.feeds.guard`, and every read from it ends at the request's deadline, so that neither headers nor a body
can trickle past it.
"""

import json
import socket
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import RemoteDisconnected
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError

from digest.errors import FetchError, ForbiddenAddress, GoneError, ParseError
from digest.feeds.guard import check_url
from digest.feeds.transport import CONNECT_TIMEOUT, Deadlines, GuardedAdapter

MAX_REDIRECTS = 5
MAX_EVIDENCE = 200_000
"""Bytes that are kept of an answer that is an error, for whoever looks into it."""

# What we ask for, and can unpack in bounded steps (Brotli since 1.2 of its library).
_ENCODINGS = ("gzip", "x-gzip", "deflate", "br", "identity")
_CHUNK = 65_536
_PERMANENT = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)


def user_agent_with(contact: str) -> str:
    """The name we go by, with where to complain: ``contact`` is a URL or a mail address."""
    return f"NewsletterDigest/0.1 (feed reader; +{contact})" if contact else "NewsletterDigest/0.1 (feed reader)"


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer.

    Attributes:
        status: 200, or 304 if what we have is still current (then ``body`` is empty).
        url: the final URL, after redirects.
        permanent_url: where the source moved for good ("" if it didn't): the end of an unbroken chain of 301 and 308.
        headers: names in any case.
        body: decompressed.
        content_type: the header as sent, "" if absent.
        etag, last_modified: validators for the next fetch, "" if absent.
    """

    status: int
    url: str
    permanent_url: str
    headers: Mapping[str, str]
    body: bytes
    content_type: str
    etag: str
    last_modified: str


class Fetcher:
    """Fetches URLs of the open web. Safe to share between threads; connections are kept and reused.

    Proxies and ``.netrc`` of the environment are not used, and no cookie is kept: proxies would resolve names
    themselves, behind the guard's back.

    Args:
        allow: hosts (``host`` or ``host:port``) that may be fetched although their address is private.
        user_agent: see :func:`user_agent_with`.
    """

    def __init__(self, allow: frozenset[str] = frozenset(), user_agent: str = "") -> None:
        self.allow = frozenset(entry.strip().lower() for entry in allow if entry.strip())
        self._clock = Deadlines()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.clear()
        self._session.headers["User-Agent"] = user_agent or user_agent_with("")
        self._session.headers["Accept-Encoding"] = "gzip, deflate, br"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, GuardedAdapter(self.allow, self._clock))

    def get(
        self,
        url: str,
        *,
        etag: str = "",
        last_modified: str = "",
        accept: str = "",
        max_bytes: int = 10_000_000,
        deadline: float = 20.0,
    ) -> Fetched:
        """The answer to a GET of ``url``, after at most five redirects.

        Args:
            etag, last_modified: validators of the last answer, as the source sent them.
            accept: the Accept header.
            max_bytes: limit of the body after decompression.
            deadline: seconds for everything: connections, redirects, headers, body.

        Raises:
            ForbiddenAddress: the URL, or one that it redirects to, must not be touched.
            GoneError: 410.
            FetchError: unreachable, too slow, or another status; ``retry_after`` if the source asked for it.
            ParseError: the body is larger than ``max_bytes``, or its compression is broken.

        An error's ``evidence`` is the beginning of what the source sent with it.
        """
        headers = {"Accept": accept or "*/*"}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        permanent, chain_is_permanent = "", True
        with self._clock.running(deadline):
            for _ in range(MAX_REDIRECTS + 1):
                response = self._send(url, headers)
                with closing(response):
                    if response.status_code not in _REDIRECTS:
                        return self._answer(response, permanent, max_bytes, conditional=bool(etag or last_modified))
                    target = self._target(response, url)
                chain_is_permanent &= response.status_code in _PERMANENT
                # A move from https to http is followed, but not remembered.
                if chain_is_permanent and not (url.startswith("https:") and target.startswith("http:")):
                    permanent = target
                else:
                    chain_is_permanent = False
                url = target
        raise FetchError(f"more than {MAX_REDIRECTS} redirects, the last to {url}")

    def post_form(self, url: str, fields: Mapping[str, str], *, deadline: float = 20.0) -> tuple[int, str]:
        """POST a form, and return the status and the first words of the answer.

        307 and 308 are followed, each hop judged like a fetch; other redirects would turn it into a GET.

        Raises:
            ForbiddenAddress: the URL, or one that it redirects to, must not be touched.
            FetchError: unreachable, or too slow.
        """
        with self._clock.running(deadline):
            for _ in range(MAX_REDIRECTS + 1):
                try:
                    request = self._prepared("POST", url, {}, data=dict(fields))
                except (requests.RequestException, UnicodeError, ValueError):
                    raise ForbiddenAddress(f"{url} is not a valid address") from None
                host = check_url(request.url or "", self.allow).hostname
                try:
                    response = self._send_once(request)
                except (requests.RequestException, HTTPError, OSError) as error:
                    raise self._failure(error, host) from None
                with closing(response):
                    if response.status_code in (307, 308):
                        url = self._target(response, url)
                        continue
                    words = self._body(response, 100_000).decode("utf-8", "replace")
                    return response.status_code, "".join(each for each in words[:2_000] if each.isprintable())
        raise FetchError(f"more than {MAX_REDIRECTS} redirects, the last to {url}")

    def post_json(
        self, url: str, document: Any, *, headers: Mapping[str, str], deadline: float = 20.0, max_bytes: int = 1_000_000
    ) -> tuple[int, bytes]:
        """POST a JSON document, and return the status and the answer. Redirects are answers like others.

        Raises:
            ForbiddenAddress: the URL must not be touched.
            FetchError: unreachable, or too slow.
            ParseError: the answer is larger than ``max_bytes``, or its compression is broken.
        """
        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        with self._clock.running(deadline):
            try:
                request = self._prepared("POST", url, {"Content-Type": "application/json", **headers}, data=body)
            except (requests.RequestException, UnicodeError, ValueError):
                raise ForbiddenAddress("not a valid address, or a header that can't be sent") from None
            host = check_url(request.url or "", self.allow).hostname
            try:
                response = self._send_once(request)
            except (requests.RequestException, HTTPError, OSError) as error:
                raise self._failure(error, host) from None
            with closing(response):
                return response.status_code, self._body(response, max_bytes)

    def hurry(self, seconds: float | None) -> None:
        """End all fetches that are under way, and those to come, within ``seconds``; None takes it back.

        A fetch that is cut short fails with ``FetchError``, which then says nothing about its source.
        """
        self._clock.hurry(seconds)

    def close(self) -> None:
        """End all connections. The fetcher may be used again afterwards."""
        self._session.close()

    def _target(self, response: requests.Response, url: str) -> str:
        location = self._session.get_redirect_target(response)
        if not location:
            raise FetchError(f"answered {response.status_code} without saying where to go", status=response.status_code)
        try:
            return urljoin(url, location)
        except ValueError:
            raise ForbiddenAddress(f"{url} redirects to something that is not an address") from None

    def _send(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        try:
            request = self._prepared("GET", url, headers)
        except (requests.RequestException, UnicodeError, ValueError):
            raise ForbiddenAddress(f"{url} is not a valid address") from None
        # Judged as prepared: in the very form that is sent.
        host = check_url(request.url or "", self.allow).hostname
        try:
            return self._send_once(request)
        except requests.ConnectionError as error:
            if not _hung_up(error):
                raise self._failure(error, host) from None
        except (requests.RequestException, HTTPError, OSError) as error:
            raise self._failure(error, host) from None
        # A kept connection that the server had just closed: once more, on a new one.
        try:
            return self._send_once(request)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise self._failure(error, host) from None

    def _prepared(
        self, method: str, url: str, headers: Mapping[str, str], data: Mapping[str, str] | bytes | None = None
    ) -> requests.PreparedRequest:
        """A request without what a session would add of its own: cookies, the environment's proxies and passwords."""
        request = requests.PreparedRequest()
        # As ``prepare`` does, which would also look for cookies and for a password in the URL, where the guard allows none.
        request.prepare_method(method)
        request.prepare_url(url, None)
        request.prepare_headers({**self._session.headers, **headers})
        request.prepare_body(data, None)
        return request

    def _send_once(self, request: requests.PreparedRequest) -> requests.Response:
        left = self._clock.left()
        adapter = self._session.get_adapter(request.url or "")
        return adapter.send(request, stream=True, timeout=(min(CONNECT_TIMEOUT, left), left), verify=True)

    def _answer(self, response: requests.Response, permanent: str, max_bytes: int, *, conditional: bool) -> Fetched:
        status, headers = response.status_code, response.headers
        if status == 410:
            gone = GoneError("the source says that it has ended for good (410 Gone)")
            gone.evidence = self._evidence(response)
            raise gone
        if status == 304 and not conditional:
            raise FetchError("answered 304 (not modified) to a first request", status=304)
        if status not in (200, 203, 304):
            failed = FetchError(
                f"answered {status} {_reason(response)}".rstrip() + _meaning(status),
                status=status,
                retry_after=_retry_after(headers),
            )
            failed.evidence = self._evidence(response)
            raise failed
        body = b"" if status == 304 else self._body(response, max_bytes)
        if status == 304:
            response.raw.drain_conn()  # nothing follows, but only what was read gives its connection back
        return Fetched(
            status=304 if status == 304 else 200,
            url=response.url,
            permanent_url=permanent,
            headers=CaseInsensitiveDict(headers),
            body=body,
            content_type=headers.get("Content-Type", ""),
            etag=headers.get("ETag", ""),
            last_modified=headers.get("Last-Modified", ""),
        )

    def _body(self, response: requests.Response, max_bytes: int) -> bytes:
        too_large = ParseError(f"larger than {max_bytes / 1_000_000:g} MB")
        declared = response.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > max_bytes:
            raise too_large
        for coding in response.headers.get("Content-Encoding", "").lower().replace(" ", "").split(","):
            if coding and coding not in _ENCODINGS:
                raise ParseError(f"its compression ({coding[:20]}) is one that we did not ask for and can't unpack")
        body = bytearray()
        try:
            # Chunks are bounded after decompression, so a small bomb never unfolds beyond the limit.
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) > max_bytes:
                    too_large.evidence = bytes(body[:MAX_EVIDENCE])
                    raise too_large
                self._clock.left()
        except requests.exceptions.ContentDecodingError:
            raise ParseError("its compression is broken, it can't be unpacked") from None
        except (requests.RequestException, HTTPError, OSError, FetchError) as error:
            failure = self._failure(error, urlsplit(response.url).hostname)
            failure.evidence = bytes(body[:MAX_EVIDENCE])
            raise failure from None
        return bytes(body)

    def _evidence(self, response: requests.Response) -> bytes:
        """The beginning of an error's page, as far as it comes in time; b"" if it can't be read."""
        body = bytearray()
        try:
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) >= MAX_EVIDENCE:
                    break
                self._clock.left()
        except (requests.RequestException, HTTPError, OSError, FetchError):
            pass  # what was read until then is evidence enough
        return bytes(body[:MAX_EVIDENCE])

    def _failure(self, error: Exception, host: str | None) -> FetchError | ForbiddenAddress:
        for cause in _causes(error):
            match cause:
                case ForbiddenAddress() | FetchError():
                    return cause
                case socket.gaierror():
                    return FetchError(f"there is no host {host}: check the address")
                case requests.exceptions.SSLError():
                    return FetchError(f"{host} has no valid certificate")
                case ConnectTimeoutError() | ReadTimeoutError() | TimeoutError():
                    return self._clock.too_slow()
                case ConnectionRefusedError():
                    return FetchError(f"{host} refuses connections")
                case RemoteDisconnected() | ConnectionResetError() | BrokenPipeError():
                    return FetchError(f"{host} hung up")
        return FetchError(f"{host} could not be read: {_plainly(error)}")


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what led to it, innermost first."""
    chain: list[BaseException] = []
    queue: list[BaseException] = [error]
    while queue and len(chain) < 20:
        current = queue.pop()
        if current in chain:
            continue
        chain.append(current)
        inner = [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
        queue += [each for each in inner if isinstance(each, BaseException)]
    return chain[::-1]


def _hung_up(error: Exception) -> bool:
    return any(isinstance(cause, RemoteDisconnected | ConnectionResetError) for cause in _causes(error))


def _reason(response: requests.Response) -> str:
    return "".join(letter for letter in str(response.reason or "") if letter.isprintable())[:80]


_MEANINGS = {
    401: "it wants a name and a password",
    402: "it wants to be paid",
    403: "it refuses readers like us: ask its publisher, or look for another address",
    404: "there is nothing at this address (any more): look on the site for its new one",
    406: "it has nothing in a format that we read",
    408: "it lost patience with us",
    429: "it asks for fewer requests, and is left alone for a while",
    451: "it may not be shown here for legal reasons",
}


def _meaning(status: int) -> str:
    """What an editor should know of a status; it follows the number."""
    words = _MEANINGS.get(status) or ("its server is in trouble, and is asked again later" if status >= 500 else "")
    return f": {words}" if words else ""


def _plainly(error: BaseException) -> str:
    innermost = _causes(error)[0]
    return f"{type(innermost).__name__}: {innermost}"[:200]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 10.2.3), None if there is none."""
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value[:9])
    try:
        until = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    try:
        # Counted from the source's own clock, which may be wrong in the same way.
        now = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError, OSError):
        now = time.time()
    return max(0.0, until - now)
