"""Several workers as children of one process: replaced when they die, ended together, and nobody is written to twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from digest.cli.crew import Crew
from digest.domain.mail import DELIVERY_STATES
from digest.store.database import Database
from digest.store.migrate import migrate
from digest.workflows.deliver import THREADS, audit
from tests.cli.conftest import ROOT, environment
from tests.conftest import Clock
from tests.senders.misbehaving import MailServer
from tests.workflows.world import FakeSender, context, publish, reader

SAY = "import os,signal,sys; say=lambda w: (f:=open(sys.argv[1],'w')).write(f'{w} {os.getpid()}\\n') and f.close(); "
READERS = 300


class Told:
    """What children say, a word and their process id each, through a named pipe: read as it comes, no waiting blindly."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "told"
        os.mkfifo(self.path)
        # Open for writing too: then there is no end of file when no child has it open.
        self._lines = os.fdopen(os.open(self.path, os.O_RDWR), "r")

    def next(self) -> tuple[str, int]:
        word, pid = self._lines.readline().split()
        return word, int(pid)


@contextmanager
def attended(crew: Crew) -> Iterator[Callable[[], None]]:
    """The crew at work; called, what it gives ends it."""
    done = threading.Event()
    thread = threading.Thread(target=crew.attend, args=(done,))
    thread.start()

    def end() -> None:
        done.set()
        thread.join(timeout=20)
        assert not thread.is_alive()

    try:
        yield end
    finally:
        end()


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_child_that_is_killed_is_replaced_and_all_are_ended_by_sigterm(tmp_path: Path) -> None:
    told = Told(tmp_path)
    child = SAY + "signal.signal(signal.SIGTERM, lambda *_: (say('ended'), os._exit(0))); say('began'); signal.pause()"
    with attended(Crew([sys.executable, "-c", child, str(told.path)], 2, first_pause=0.01)) as end:
        first, second = told.next(), told.next()
        assert first[0] == second[0] == "began"
        os.kill(first[1], signal.SIGKILL)
        third = told.next()
        assert third[0] == "began"
        assert third[1] not in (first[1], second[1])
        end()
        assert {told.next(), told.next()} == {("ended", second[1]), ("ended", third[1])}


def test_a_child_that_does_not_end_is_killed(tmp_path: Path) -> None:
    told = Told(tmp_path)
    child = SAY + "signal.signal(signal.SIGTERM, signal.SIG_IGN); say('began'); [signal.pause() for _ in iter(int, 1)]"
    with attended(Crew([sys.executable, "-c", child, str(told.path)], 1, patience=0.05)) as end:
        pid = told.next()[1]
        end()
        assert is_gone(pid)


def test_children_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    told = Told(tmp_path)
    child = (
        SAY + "signal.signal(signal.SIGTERM, lambda *_: (say('ended'), os._exit(0))); "
        "from digest.cli.crew import end_with_parent; end_with_parent(); say('began'); signal.pause()"
    )
    crew = (
        "import sys, threading; from digest.cli.crew import Crew; "
        "Crew([sys.executable, '-c', *sys.argv[1:]], 1).attend(threading.Event())"
    )
    with subprocess.Popen([sys.executable, "-c", crew, child, str(told.path)], cwd=ROOT) as supervisor:
        word, pid = told.next()
        assert word == "began"
        supervisor.kill()
        assert told.next() == ("ended", pid)


def test_two_processes_deliver_an_issue_and_one_that_is_killed_is_replaced(database_url: str, tmp_path: Path) -> None:
    db = Database(database_url)
    migrate(db)
    ctx = context(db, tmp_path / "var", FakeSender(), Clock(datetime.now(UTC)))
    issue = publish(ctx)
    for number in range(READERS):
        reader(ctx, f"r{number}@x.example")
    with MailServer(pipelining=True) as sink:
        env = environment(
            tmp_path, database_url=database_url, sender=f"smtp://127.0.0.1:{sink.port}?tls=none", engine="embedded",
            secret_key="a secret of thirty-two characters", newsroom=str(ROOT / "config" / "newsroom"),
        )  # fmt: skip
        command = [sys.executable, "-m", "digest", "worker", "--processes", "2"]
        with subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.DEVNULL) as supervisor:
            try:
                until(lambda: len(sink.recipients) > 20)
                killed = workers(ctx.presence)[0]
                os.kill(killed, signal.SIGKILL)
                until(lambda: len(set(workers(ctx.presence)) - {killed}) == 2)
                until(lambda: not (numbers := audit(ctx, issue))["queued"] and not numbers["sending"])
            finally:
                asked = time.monotonic()
                supervisor.terminate()
                supervisor.wait(timeout=10)
        assert time.monotonic() - asked < 10
        got = Counter(sink.recipients)
    numbers = audit(ctx, issue)
    db.close()
    assert max(got.values()) == 1, "nobody has two copies"
    assert numbers["audience"] == sum(numbers[state] for state in DELIVERY_STATES) == READERS
    assert numbers["unknown"] <= THREADS
    assert numbers["sent"] <= len(got) <= numbers["sent"] + numbers["unknown"] == READERS


def workers(presence: Path) -> list[int]:
    """Process ids of the workers that are there, or were when they died, youngest first."""
    files = sorted(presence.glob("*.alive"), key=lambda file: file.stat().st_mtime, reverse=True)
    return [int(file.name.rsplit("-", 2)[1]) for file in files]


def until(so: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.01)
