"""The way out: connections that the guard opens, and of which no read outlasts the deadline of its fetch."""

import io
import math
import socket
import threading
import time
from http.client import HTTPResponse
from typing import Any

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from digest.errors import FetchError
from digest.feeds.guard import connect

CONNECT_TIMEOUT = 10.0
"""Seconds for the name and one TCP connection, within the deadline of the whole fetch."""


_LOOK_UP = 1.0
"""Seconds after which a read that waits looks at its deadline again."""


class Deadlines:
    """The moment at which the fetch of the current thread ends."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._last = math.inf

    def hurry(self, seconds: float | None) -> None:
        """From now on no fetch of any thread lasts longer than this; None takes it back."""
        self._last = math.inf if seconds is None else time.monotonic() + seconds

    def running(self, seconds: float) -> "Deadlines":
        self._local.seconds, self._local.end = seconds, time.monotonic() + seconds
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._local.end = None

    def left(self) -> float:
        """Seconds left, more than 0.

        Raises:
            FetchError: none are left.
        """
        left: float = min(self._local.end, self._last) - time.monotonic()
        if left <= 0:
            raise self.too_slow()
        return left

    def too_slow(self) -> FetchError:
        return FetchError(f"did not answer in full within {self._local.seconds:g} seconds")


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket, each time for no longer than the deadline allows."""

    def __init__(self, sock: socket.socket, deadlines: Deadlines) -> None:
        self._sock, self._deadlines = sock, deadlines
        # Holds the socket open when the connection lets go of it before the body is read.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        while True:
            try:
                patience = min(self._deadlines.left(), _LOOK_UP)
                if self._sock.gettimeout() != patience:  # to set it costs a system call
                    self._sock.settimeout(patience)
                return self._sock.recv_into(buffer)
            except FetchError as error:
                raise TimeoutError(str(error)) from None
            except TimeoutError:  # the deadline may have come nearer meanwhile
                continue

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class GuardedAdapter(HTTPAdapter):
    """An adapter whose connections are opened by the guard and read under a deadline."""

    def __init__(self, allow: frozenset[str], deadlines: Deadlines) -> None:
        self._pools = _guarded_pools(allow, deadlines)
        super().__init__(pool_connections=64, pool_maxsize=4)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    # As in requests, without looking for proxies: there are none, see Fetcher.

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: bool | str | None, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        host, pool = self.build_connection_pool_key_attributes(request, verify or False, cert)
        found: HTTPConnectionPool = self.poolmanager.connection_from_host(**host, pool_kwargs=pool)
        return found

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        return request.path_url


def _guarded_pools(allow: frozenset[str], deadlines: Deadlines) -> dict[str, type[HTTPConnectionPool]]:
    def response_class(sock: socket.socket, *args: Any, **kwargs: Any) -> HTTPResponse:
        response = HTTPResponse(sock, *args, **kwargs)
        response.fp.close()
        response.fp = io.BufferedReader(_DeadlineReader(sock, deadlines))
        return response

    def open_socket(connection: HTTPConnection) -> socket.socket:
        try:
            sock = connect(connection._dns_host, connection.port, min(CONNECT_TIMEOUT, deadlines.left()), allow)
            # What comes next on a new connection is the TLS handshake, which this bounds as a whole.
            sock.settimeout(deadlines.left())
            return sock
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, "no answer") from error
        except OSError as error:
            raise NewConnectionError(connection, "no connection") from error

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return open_socket(self)

    class Tls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return open_socket(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    for kind in (Plain, Tls):
        kind.response_class = staticmethod(response_class)  # type: ignore[assignment]
    return {"http": PlainPool, "https": TlsPool}
