"""WebSub (W3C Recommendation, 23 January 2018): what a subscriber says to a hub, and how it knows what it hears.

https://www.w3.org/TR/websub/ · section numbers below are of that document.
"""

import hmac
from collections.abc import Mapping

from digest.errors import FetchError
from digest.feeds.fetch import Fetcher

LEASE_SECONDS = 10 * 86_400
"""What we ask for; the hub decides (5.3)."""
_METHODS = ("sha1", "sha256", "sha384", "sha512")
"""RFC-like names of 7.1.1; HMAC with SHA-1 is still sound, and the most common hubs use nothing else."""


def subscription(mode: str, topic: str, callback: str, secret: str) -> dict[str, str]:
    """The form of a subscription request (5.1)."""
    form = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
    if mode == "subscribe":
        form |= {"hub.lease_seconds": str(LEASE_SECONDS), "hub.secret": secret}
    return form


def ask(fetcher: Fetcher, hub: str, form: Mapping[str, str]) -> None:
    """Send a request to a hub, through the same guard as every fetch.

    Raises:
        ForbiddenAddress: the hub's address must not be touched.
        FetchError: it can't be reached, or says no.
    """
    status, words = fetcher.post_form(hub, form)
    if not 200 <= status < 300:
        raise FetchError(f"the hub answered {status}: {' '.join(words.split())[:200]}".rstrip(": "), status=status)


def is_authentic(body: bytes, signature: str, secret: str) -> bool:
    """Whether ``X-Hub-Signature: METHOD=HEX`` is that of the body (7.1.1). Compared in constant time."""
    method, _, given = signature.strip().partition("=")
    if method.lower() not in _METHODS or not secret:
        return False
    expected = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(expected.encode(), given.strip().lower().encode())
