"""Which cores of the machine run what. Does nothing where the system does not say, or does not let us choose."""

import contextlib
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path


def ours() -> frozenset[int]:
    """The cores on which the calling thread may run; empty if nobody says."""
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()


def spare() -> int:
    """How many processes would have a core of their own, beside this one; a few are enough."""
    return min(len(ours() or range(os.cpu_count() or 1)) - 1, 4)


def put(process: int, on: Collection[int]) -> None:
    """Let a process run on these cores."""
    if on:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(process, on)


@contextmanager
def only_one() -> Iterator[None]:
    """Keep the calling thread, and the threads that it begins meanwhile, on the core where it is.

    Python runs one thread of a process at a time. To hand over to one on another core, that core has to be woken: with
    many threads that wait for short answers, this takes as long as a third of their work. What else is on this
    core can go elsewhere.
    """
    before, here = ours(), _here()
    if here not in before:
        yield
        return
    put(0, {here})
    try:
        yield
    finally:
        put(0, before)


def _here() -> int:
    """The core on which the calling thread runs; -1 if nobody says."""
    try:
        state = Path("/proc/thread-self/stat").read_text(encoding="ascii")
        return int(state.rpartition(")")[2].split()[36])  # proc_pid_stat(5): field 39, and the name ends the second
    except (OSError, ValueError, IndexError):
        return -1
