"""In which order a run asks many hosts at once: few requests to each, apart from each other, and no room for the slow.

A request that takes long gives its place to another one and goes on beside it, both among all and at its host. So
fifty sources that trickle until their deadline hold up nobody else for longer than it takes to see that they are slow.
"""

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from digest.feeds.guard import is_allowed
from digest.feeds.pace import HostGate

BRISK = 64
"""Requests that are under way at once, not counting those that have turned out to be slow."""
SLOW = 2.0
"""Seconds after which a request counts as slow."""
MOST = 128
"""Requests that are under way at once, slow ones included: threads."""
LOOK_UP = 0.5
"""Seconds after which a run that waits looks whether it is to stop."""
PER_HOST = 2
GAP = 0.25
"""Seconds between two requests to one host. Hosts of the operator's own (``DIGEST_FETCH_ALLOW``) need none."""

Thing = TypeVar("Thing")
Begun = TypeVar("Begun")
Result = TypeVar("Result")


@dataclass(slots=True)
class _UnderWay(Generic[Begun]):
    """A request that has begun and not ended."""

    host: str
    at: float
    what: Begun
    slow: bool = False


@lru_cache(4096)
def host_of(url: str) -> str:
    """The host (and port) of a URL: whom requests to it burden."""
    return urlsplit(url).netloc.lower()


def gate_for(allow: frozenset[str]) -> HostGate:
    """The gate of one run. ``allow``: the operator's own hosts."""

    def own(host: str) -> bool:
        parts = urlsplit(f"//{host}")
        try:
            return is_allowed(parts.hostname or "", parts.port or 0, allow)
        except ValueError:
            return False

    return HostGate(PER_HOST, GAP, slow=SLOW, unhurried=own)


def by_host(
    things: Iterable[Thing],
    url_of: Callable[[Thing], str],
    begin: Callable[[Thing], tuple[Begun, Future[Result]] | None],
    gate: HostGate,
    *,
    brisk: int = BRISK,
    most: int = MOST,
    batch: int = 1,
    linger: float = 0.0,
    urgent: Callable[[Future[Result]], bool] = lambda _: False,
    stop: Callable[[], bool] = lambda: False,
    idle: Callable[[], bool] = lambda: False,
) -> Iterator[list[tuple[Begun, Future[Result]]]]:
    """Begin all things as the gate lets them; yield them as they end, some at a time.

    Args:
        begin: returns the thing that was begun and its future, or None if there is nothing to wait for.
        batch: how many that have ended are enough to be yielded.
        linger: seconds after which fewer are yielded as well.
        urgent: tells what is yielded at once, since it changes what may be begun next.
        stop: asked at least every half second; once it says yes, nothing more is begun.
        idle: called when there is nothing else to do but to wait; does a little work, or says that there is none.
    """
    queues: dict[str, deque[Thing]] = {}
    for thing in things:
        queues.setdefault(host_of(url_of(thing)), deque()).append(thing)
    ready = deque(queues)
    resting: list[tuple[float, str]] = []
    full: set[str] = set()
    running: dict[Future[Result], _UnderWay[Begun]] = {}
    done: SimpleQueue[Future[Result]] = SimpleQueue()
    ended: list[tuple[Begun, Future[Result]]] = []
    ended_at = 0.0  # when the first of them did
    hurry = False

    def line_up(host: str) -> None:
        """Put a host that has more where it belongs."""
        full.discard(host)
        if not queues[host]:
            return
        seconds = gate.wait(host)
        if seconds is None:
            full.add(host)
        elif seconds > 0:
            heapq.heappush(resting, (time.monotonic() + seconds, host))
        else:
            ready.append(host)

    def take(future: Future[Result]) -> bool:
        request = running.pop(future)
        gate.end(request.host, was_slow=request.slow)
        if request.host in full:
            line_up(request.host)
        ended.append((request.what, future))
        return urgent(future)

    def see_slow(now: float) -> None:
        """Let what has become slow give up its place."""
        for request in running.values():
            if not request.slow and request.at + gate.patience(request.host) <= now:
                request.slow = True
                gate.is_slow(request.host)
                if request.host in full:
                    line_up(request.host)

    while ready or resting or running or ended:
        now = time.monotonic()
        if stop():
            ready.clear()
            resting.clear()
            queues.update({host: deque() for host in queues})
        while resting and resting[0][0] <= now:
            ready.append(heapq.heappop(resting)[1])
        if hurry:
            yield ended
            ended, hurry = [], False
            continue
        see_slow(now)
        quick = sum(not request.slow for request in running.values())
        places = min(brisk - quick, most - len(running))
        while ready and places > 0:
            host = ready.popleft()
            if begun := begin(queues[host].popleft()):
                gate.begin(host)
                running[begun[1]] = _UnderWay(host, time.monotonic(), begun[0])
                begun[1].add_done_callback(done.put)
                places -= 1
            line_up(host)
        # Only now: what has just begun goes on while whoever asked is busy with what has ended.
        if ended and (len(ended) >= batch or not (running or ready) or now >= ended_at + linger):
            yield ended
            ended = []
            continue
        wakings = [resting[0][0]] if resting else []
        if (ready or full) and len(running) < most:  # a place comes free when the next one turns slow
            brisk_ones = (request for request in running.values() if not request.slow)
            wakings += [
                min((request.at + gate.patience(request.host) for request in brisk_ones), default=now + LOOK_UP)
            ]
        if ended:
            wakings += [ended_at + linger]
        pause = min(max(0.0, min(wakings) - time.monotonic()), LOOK_UP) if wakings else LOOK_UP
        if running and done.empty() and idle():
            continue
        if not running:
            time.sleep(pause if wakings else 0)
            continue
        with suppress(Empty):
            first = done.get(timeout=pause)
            ended_at = ended_at if ended else time.monotonic()
            hurry = take(first)
            while not hurry:
                hurry = take(done.get_nowait())
