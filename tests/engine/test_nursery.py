"""Children forked from a process that was kept in store: they work with what they are told, and outlive nobody."""

import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digest.engine.nursery import IS_POSSIBLE, may_fork
from tests.cli.conftest import ROOT

pytestmark = pytest.mark.skipif(not IS_POSSIBLE, reason="forks are kept in store on Linux only")

# In a process of its own, as one with threads must not be forked. A child adds its numbers to every byte it is sent.
MAKER = """
import os, sys
from digest.engine.nursery import Nursery

def work(first, second, orders, answers):
    print("not among the answers")
    while byte := os.read(orders, 1):
        os.write(answers, bytes([byte[0] + first + second]))

with Nursery({{"add": work}}) as nursery:
    {body}
"""


@contextmanager
def maker(body: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", MAKER.format(body=body)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
    ) as process:  # fmt: skip
        yield process


def said(body: str) -> str:
    with maker(body) as process:
        return process.communicate(timeout=30)[0]


def test_each_child_works_with_its_own_numbers() -> None:
    body = (
        "a, b = nursery.start('add', 1, 2), nursery.start('add', 10, 20); "
        "[(c.to.write(b'A'), c.to.close()) for c in (a, b)]; print(a.said.read(), b.said.read())"
    )
    assert said(body) == "b'D' b'_'\n"


def test_a_child_ends_when_its_input_is_closed_though_others_go_on() -> None:
    body = "a, b = nursery.start('add', 0, 0), nursery.start('add', 0, 0); a.to.close(); print(a.said.read()); b.to.close()"
    assert said(body) == "b''\n"


def test_a_nursery_that_has_gone_is_an_error_of_the_system() -> None:
    body = """
    import signal
    os.kill(nursery._pid, signal.SIGKILL); os.waitpid(nursery._pid, 0)
    try:
        nursery.start('add', 1, 2)
    except OSError:
        print("no child")
    """
    assert said(body) == "no child\n"


def test_children_and_nursery_end_with_who_made_them() -> None:
    body = (
        "a = nursery.start('add', 0, 0); a.to.write(b'A'); a.to.flush(); a.said.read(1); "
        "print(nursery._pid, flush=True); sys.stdin.read()"
    )
    with maker(body) as process:
        assert process.stdout is not None
        nursery = int(process.stdout.readline())
        children = [int(pid) for pid in Path(f"/proc/{nursery}/task/{nursery}/children").read_text().split()]
        assert len(children) == 1
        watch = [os.pidfd_open(pid) for pid in (nursery, *children)]
        process.kill()
        for each in watch:
            assert ended(each)
            os.close(each)


def test_an_interrupt_from_the_keyboard_is_the_makers_alone() -> None:
    body = """
    import signal
    signal.signal(signal.SIGINT, lambda *_: None)
    a = nursery.start('add', 0, 1); a.to.write(b"A"); a.to.flush(); a.said.read(1)
    os.killpg(0, signal.SIGINT)
    a.to.write(b"A"); a.to.close(); print(a.said.read())
    """
    with subprocess.Popen(
        [sys.executable, "-c", MAKER.format(body=body)], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        stderr=subprocess.DEVNULL, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.communicate(timeout=30)[0] == "b'B'\n"


def ended(process: int) -> bool:

    waiting = select.poll()
    waiting.register(process, select.POLLIN)
    return bool(waiting.poll(30_000))


def test_a_process_with_threads_is_not_forked() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert not may_fork()
    finally:
        done.set()
        thread.join()
