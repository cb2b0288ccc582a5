"""Which addresses the fetcher may touch: the open internet, and what the operator has allowed by name.

Other people's feeds choose our URLs, so a URL is judged twice. :func:`check_url` reads it before anything
is sent (scheme, credentials, port, odd ways to write a number). :func:`connect` resolves its host, checks every
address and opens the socket on an address that it checked, so that a name which resolves differently a
moment later gains nothing (DNS rebinding). Every redirect passes both again.
"""

import re
import socket
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from digest.errors import ForbiddenAddress

_PORTS = {"http": 80, "https": 443}

# Beyond what ``ipaddress`` calls not global: addresses that lead elsewhere than they say.
_CLOSED = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
            "192.88.99.0/24",  # 6to4 relay anycast (RFC 7526)
            "168.63.129.16/32",  # looks public, but is the metadata service of one cloud (Azure's WireServer)
            "2001::/23",  # IETF protocol assignments: Teredo, ORCHID (RFC 2928)
            "2002::/16",  # 6to4: carries an IPv4 address (RFC 3056)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)
_GLOBAL_UNICAST = ip_network("2000::/3")  # RFC 4291 2.4: everything else in IPv6 is special, NAT64 included

# Ports of other protocols, to which a request could smuggle commands (https://fetch.spec.whatwg.org/#port-blocking).
_OTHER_PROTOCOLS = frozenset(
    (1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
     111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
     540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
     6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
     2375, 3306, 5432, 6379, 9200, 11211, 27017)  # and of databases that speak to whoever comes
)  # fmt: skip

# The last label is a number: the URL standard reads the host as an IPv4 address, however it is written.
_NUMERIC = re.compile(r"(?:^|\.)(?:\d+|0[xX][0-9a-fA-F]*)\.?$")


def is_public(address: str) -> bool:
    """Whether an IP address, as text, belongs to the open internet."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip not in _GLOBAL_UNICAST:
            return False
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    return not any(ip in network for network in _CLOSED if network.version == ip.version)


def is_allowed(host: str, port: int, allow: Collection[str]) -> bool:
    """Whether the operator exempted ``host``, on every port or on this one.

    Only the name as written in the URL counts: another name that resolves to an exempted address is not exempt.
    """
    host = host.strip("[]").lower()
    written = f"[{host}]" if ":" in host else host
    return not {host, written, f"{written}:{port}"}.isdisjoint(allow)


def check_url(url: str, allow: Collection[str] = ()) -> SplitResult:
    """The parts of ``url``, if it may be fetched as far as can be told without asking DNS.

    Args:
        url: absolute.
        allow: hosts (``host`` or ``host:port``) whose address is not judged.

    Raises:
        ForbiddenAddress: why not, in words.
    """
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise ForbiddenAddress("the address holds spaces, control characters or backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ForbiddenAddress(f"{url} is not a valid address") from None
    if parts.scheme not in _PORTS:
        raise ForbiddenAddress(f"only http and https are fetched, not {parts.scheme or 'an address without scheme'}")
    if "@" in parts.netloc:
        raise ForbiddenAddress("an address with a user name or password in it is not fetched")
    host = parts.hostname or ""
    if not host or "%" in host or port == 0:
        raise ForbiddenAddress(f"{url} is not a valid address")
    if not is_allowed(host, port or _PORTS[parts.scheme], allow):
        if port in _OTHER_PROTOCOLS:
            raise ForbiddenAddress(f"port {port} of {host} is not for web pages, so it is not asked")
        _check_literal(host)
    return parts


def _check_literal(host: str) -> None:
    try:
        if not is_public(host):
            raise ForbiddenAddress(_private(host))
    except ValueError:
        # Not a plain IP address. Numbers in another form (decimal, octal, hexadecimal, short) are one in
        # disguise, and some resolvers read them.
        if ":" in host or _NUMERIC.search(host):
            raise ForbiddenAddress(f"{host} is a number in disguise, not a host name") from None


def _private(host: str, address: str = "") -> str:
    via = f" (it resolves to {address})" if address else ""
    return (
        f"{host}{via} is not on the open internet; if it should be fetched all the same, add it to DIGEST_FETCH_ALLOW"
    )


def connect(host: str, port: int, timeout: float, allow: Collection[str] = ()) -> socket.socket:
    """A connected TCP socket to ``host``; only to an address that was checked.

    ``timeout`` is the time for name and connection together.

    Raises:
        ForbiddenAddress: any of the host's addresses is not on the open internet, and the host is not exempt.
        OSError: the name doesn't resolve, or no address answers.
    """
    host, end = host.strip("[]"), time.monotonic() + timeout
    found = _resolve(host, port, timeout)
    if not is_allowed(host, port, allow):
        for *_, address in found:
            if not is_public(_without_zone(str(address[0]))):
                raise ForbiddenAddress(_private(host, str(address[0])))
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            # All addresses together get the time of one: a name with fifty dead ones must not take fifty times as long.
            sock.settimeout(max(0.05, end - time.monotonic()))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
        if time.monotonic() >= end:
            raise TimeoutError(f"{host} does not answer")
    raise failure


def _resolve(host: str, port: int, timeout: float) -> list[Any]:
    """The addresses of a name. The system's resolver knows no deadline, so it is asked in a thread and left behind.

    Raises:
        OSError: there is no such name, or (TimeoutError) nobody said so in time.
    """
    with suppress(ValueError):  # an address of numbers is nobody's to look up
        ip_address(host)
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    found: list[Any] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            failed.append(error)
        except UnicodeError:  # a label that IDNA can't say
            failed.append(socket.gaierror(socket.EAI_NONAME, "no such name"))

    asking = threading.Thread(target=ask, name=f"resolve {host}"[:60], daemon=True)
    asking.start()
    asking.join(timeout)
    if failed:
        raise failed[0]
    if asking.is_alive():
        raise TimeoutError(f"the name {host} was not found in time")
    return list(found)


def _without_zone(address: str) -> str:
    return address.partition("%")[0]
