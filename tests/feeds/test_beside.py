"""Answers understood in another process: the same values, and whatever befalls the process is its feed's own trouble."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from digest.domain.newsroom import FeedSpec
from digest.engine.nursery import IS_POSSIBLE
from digest.errors import ParseError
from digest.feeds import beside
from digest.feeds.beside import Readers
from digest.feeds.understand import Understood, understand
from tests.cli.conftest import ROOT

NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)
SPEC = FeedSpec(url="https://a.example/feed", name="A")
ITEM = (
    "<item><title>T {0}</title><link>https://a.example/{0}</link><guid>g{0}</guid><author>Ada</author>"
    "<pubDate>Thu, 12 Mar 2026 09:{1:02d}:00 +0000</pubDate><category>x</category>"
    "<description>&lt;p&gt;As Reuters first reported, {0}&lt;img src='/i.jpg' alt='A'&gt;&lt;/p&gt;</description></item>"
)
FEED = f"<rss><channel><title>A</title><ttl>90</ttl>{''.join(ITEM.format(n, n) for n in range(60))}</channel></rss>"
HEADERS = {"Link": '<https://hub.example/>; rel="hub"'}


def ask(readers: Readers, body: bytes, spec: FeedSpec = SPEC) -> Understood:
    return readers.understand(spec, "A", body, "", spec.url, HEADERS, now=NOW, first_read=False)


def here(body: bytes) -> Understood:
    return understand(SPEC, "A", body, "", SPEC.url, HEADERS, now=NOW, first_read=False)


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    with Readers(1) as found:
        yield found


def test_another_process_says_the_very_same(readers: Readers) -> None:
    assert len(FEED) > beside.SMALL
    found = ask(readers, FEED.encode())
    assert found == here(FEED.encode())
    assert (len(found.items), found.items[3].reporter) == (60, "Reuters")
    assert len(readers._readers) == 1  # it was another process indeed


def test_what_it_refuses_is_refused_here_with_the_same_words(readers: Readers) -> None:
    with pytest.raises(ParseError, match="web page"):
        ask(readers, b"<!doctype html><html>" + b" " * beside.SMALL + b"</html>")


def test_a_small_answer_is_not_sent_anywhere() -> None:
    with Readers(1) as readers:
        assert ask(readers, b"<rss><channel><title>A</title></channel></rss>").items == ()
        assert readers._readers == []


def test_many_threads_get_each_its_own_answer(readers: Readers) -> None:
    bodies = [FEED.replace("T 0<", f"Number {number}<").encode() for number in range(24)]
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda body: ask(readers, body), bodies))
    assert [each.items[0].title for each in found] == [f"Number {number}" for number in range(24)]


def test_a_document_that_breaks_its_reader_fails_alone() -> None:
    with Readers(1) as readers:
        ask(readers, FEED.encode())
        os.kill(readers._readers[0]._process.pid, signal.SIGKILL)
        with pytest.raises(ParseError, match="broke the process"):
            ask(readers, FEED.encode())
        assert len(ask(readers, FEED.encode()).items) == 60  # by a new one


def test_a_document_that_takes_forever_is_given_up() -> None:
    with Readers(1, patience=60) as readers:
        ask(readers, FEED.encode())
        reader = readers._readers[0]
        os.kill(reader._process.pid, signal.SIGSTOP)
        readers._patience = 0.05
        with pytest.raises(ParseError, match="too long"):
            ask(readers, FEED.encode())
        assert is_gone(reader._process.pid)
        readers._patience = 60
        assert len(ask(readers, FEED.encode()).items) == 60


def test_no_process_is_left_at_the_end_or_when_its_parent_is_gone() -> None:
    with Readers(1) as readers:
        ask(readers, FEED.encode())
        process = readers._readers[0]._process
        os.kill(process.pid, signal.SIGTERM)  # whoever ends a group of processes reaches it too: not its business
        ask(readers, FEED.encode())
        process.to.close()
        assert process.wait() == 0
    with Readers(1) as readers:
        ask(readers, FEED.encode())
        process = readers._readers[0]._process
    assert is_gone(process.pid)
    assert len(ask(readers, FEED.encode()).items) == 60  # after the end it is understood here


def test_a_process_that_was_started_early_is_the_one_that_is_asked() -> None:
    with Readers(1) as readers:
        readers.start()
        (reader,) = readers._readers
        ask(readers, FEED.encode())
        assert readers._readers == [reader]


@pytest.fixture
def full_line(monkeypatch: pytest.MonkeyPatch) -> Iterator[Readers]:
    """A process that is asleep, with as many documents in its line as there may be."""
    monkeypatch.setattr(beside, "IN_LINE", 2)
    with Readers(1) as readers:
        ask(readers, FEED.encode())
        reader = readers._readers[0]
        os.kill(reader._process.pid, signal.SIGSTOP)
        with ThreadPoolExecutor(beside.IN_LINE) as pool:
            line = [pool.submit(ask, readers, FEED.encode()) for _ in range(beside.IN_LINE)]
            until(lambda: reader.line == beside.IN_LINE)
            yield readers
            if not is_gone(reader._process.pid):
                os.kill(reader._process.pid, signal.SIGCONT)
        assert all(each.done() for each in line)


def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        threading.Event().wait(0.001)


def test_when_a_line_is_long_the_next_document_is_read_by_whoever_helps(full_line: Readers) -> None:
    assert not full_line.help()  # nothing waits for a place
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, full_line, FEED.encode())
        until(full_line.help)
        assert asked.result() == here(FEED.encode())  # the process is asleep, and yet


def test_what_a_helper_can_not_read_is_refused_to_who_asked(full_line: Readers) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, full_line, b"<!doctype html><html>" + b" " * beside.SMALL + b"</html>")
        until(full_line.help)
        with pytest.raises(ParseError, match="web page"):
            asked.result()


def test_a_large_document_waits_for_a_process_that_can_be_given_up(
    full_line: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "LARGE", len(FEED) - 1)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, full_line, FEED.encode())
        until(lambda: len(full_line._waiting) == 1)
        assert not full_line.help()
        os.kill(full_line._readers[0]._process.pid, signal.SIGCONT)
        assert len(asked.result().items) == 60


def test_documents_that_wait_are_read_by_the_next_process_when_theirs_breaks(full_line: Readers) -> None:
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, full_line, FEED.encode()) for _ in range(3)]
        until(lambda: len(full_line._waiting) == 3)
        os.kill(full_line._readers[0]._process.pid, signal.SIGKILL)
        assert [len(each.result().items) for each in asked] == [60, 60, 60]


def test_only_the_document_that_broke_its_reader_fails_not_those_that_wait_behind_it() -> None:
    with Readers(1) as readers:
        ask(readers, FEED.encode())
        reader = readers._readers[0]
        os.kill(reader._process.pid, signal.SIGSTOP)
        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(ask, readers, FEED.encode()) for _ in range(4)]
            while len(reader._turns) < 4:
                threading.Event().wait(0.001)
            os.kill(reader._process.pid, signal.SIGKILL)
        failed = [each for each in asked if each.exception()]
        assert [type(each.exception()) for each in failed] == [ParseError]
        assert all(len(each.result().items) == 60 for each in asked if each not in failed)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


# In a process of its own, as one with threads must not be forked.
FORKED = """
import os, signal, sys
from functools import partial
from digest.engine.nursery import Nursery
from digest.errors import ParseError
from digest.feeds import reader
from digest.feeds.beside import Readers
from tests.feeds.test_beside import FEED, ask

with Nursery({"reader": reader.run}) as nursery:
    with Readers(1, start=partial(nursery.start, "reader")) as readers:
        print(len(ask(readers, FEED.encode()).items), readers._readers[0]._process.pid != os.getpid())
        os.kill(readers._readers[0]._process.pid, signal.SIGSTOP)
        readers._patience = 0.05
        try:
            ask(readers, FEED.encode())
        except ParseError as error:
            print("given up" if "too long" in str(error) else error)
        readers._patience = 60
        print(len(ask(readers, FEED.encode()).items))
"""


@pytest.mark.skipif(not IS_POSSIBLE, reason="forks are kept in store on Linux only")
def test_a_reader_that_was_forked_reads_and_is_given_up_like_one_that_was_started_anew() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("60 True\ngiven up\n60\n", "")
