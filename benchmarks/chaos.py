"""Workers are killed at random moments, again and again, and what is left is checked after every kill.

    python benchmarks/chaos.py --database postgresql://USER@HOST --kills 200

Kills are shared out over five ways to work: the embedded engine on SQLite, alone and with a helper (which is killed with its
caller, or left to find that it is gone), the embedded engine on PostgreSQL with one and with three workers at once, and
``digest worker`` with procrastinate, two at a time. The mail server keeps every Message-ID
that it took, so that the truth is known. After each kill the ledger adds up, the server holds nobody's mail twice,
and at most one mail for each open connection is newly unknown. At the end the unknown are reconciled with the server's log and
the rest is sent again: everybody has one copy.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.deliver import KEY, a_database, context, furnish  # noqa: E402
from digest.domain.mail import DELIVERY_STATES  # noqa: E402
from digest.engine.helpers import Helpers, by_command  # noqa: E402
from digest.engine.journal import living  # noqa: E402
from digest.store import issues  # noqa: E402
from digest.store.database import Database  # noqa: E402
from digest.workflows.deliver import audit, deliver, settle  # noqa: E402
from digest.workflows.reconcile import reconcile  # noqa: E402

CONNECTIONS = 4


class Sink(ThreadingTCPServer):
    """Takes mail, a little slowly and in two steps, so that kills fall inside DATA and before the answer too."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, chance: random.Random) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.chance, self.taken, self.lock = chance, Counter[str](), threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(StreamRequestHandler):
    """One connection."""

    server: Sink

    def handle(self) -> None:
        """Speak just enough SMTP."""
        say, read = self.wfile.write, self.rfile.readline
        try:
            say(b"220 chaos\r\n")
            while line := read():
                verb = line[:4].upper()
                if verb == b"EHLO":
                    say(b"250-chaos\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
                elif verb == b"DATA":
                    say(b"354 go\r\n")
                    data = []
                    while (part := read()) not in (b".\r\n", b""):
                        data.append(part)
                    if not part:
                        return
                    found = re.search(rb"^Message-ID: (<[^>]+>)", b"".join(data[:40]), re.MULTILINE)
                    assert found is not None
                    time.sleep(self.server.chance.uniform(0, 0.010))
                    with self.server.lock:
                        self.server.taken[found[1].decode()] += 1
                    time.sleep(self.server.chance.uniform(0, 0.010))
                    say(b"250 2.0.0 queued\r\n")
                elif verb == b"QUIT":
                    say(b"221 bye\r\n")
                    return
                else:
                    say(b"250 2.1.0 ok\r\n")
        except OSError:
            pass  # killed: that is what this is about


class Workers:
    """Starts workers and kills them: forks of a process that has imported everything, or real ``digest worker``s."""

    def __init__(self, environment: dict[str, str], arguments: list[str], real: bool) -> None:
        self._environment, self._real = environment, real
        self._nursery = None if real else self._popen([sys.executable, __file__, "--as-nursery", *arguments])
        self._processes: list[subprocess.Popen[str]] = []
        self._pids: list[int] = []

    def _popen(self, command: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, env=self._environment, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            stdout=subprocess.DEVNULL if self._real else subprocess.PIPE,
        )  # fmt: skip

    def start(self, count: int) -> None:
        """So many at once."""
        if self._nursery is None:
            command = [sys.executable, "-m", "digest", "worker", "--concurrency", str(CONNECTIONS)]
            self._processes = [self._popen(command) for _ in range(count)]
        else:
            self._pids = json.loads(self._ask(str(count)))

    def kill(self) -> int:
        """Kill -9 those that are still alive; how many."""
        if self._nursery is None:
            killed = sum(process.poll() is None for process in self._processes)
            for process in self._processes:
                process.kill()
                process.wait()
            return killed
        return int(self._ask("kill"))

    def close(self) -> None:
        """End."""
        if self._nursery is not None:
            self._nursery.kill()
            self._nursery.wait()

    def _ask(self, words: str) -> str:
        assert self._nursery is not None
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(words + "\n")
        self._nursery.stdin.flush()
        return self._nursery.stdout.readline()


def as_nursery(url: str, port: int, var: Path, helpers: Helpers) -> None:
    """Fork workers of the embedded engine, and kill them, as the lines on standard input say."""
    pids: list[int] = []
    for line in sys.stdin:
        if line.strip() != "kill":
            pids = [_fork(url, port, var, helpers) for _ in range(int(line))]
            print(json.dumps(pids), flush=True)
            continue
        killed = 0
        for pid in pids:
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                helper = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                if helper and random.random() < 0.5:
                    os.kill(int(helper[0]), signal.SIGKILL)
                    time.sleep(random.uniform(0, 0.05))  # its caller may settle what it left, or begin to
                    killed += 1
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                killed += 1
        print(killed, flush=True)


def _fork(url: str, port: int, var: Path, helpers: Helpers) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            ctx = context(Database(url), f"smtp://127.0.0.1:{port}?tls=none", var)
            deliver(replace(ctx, helpers=helpers), 1, threads=CONNECTIONS)
        finally:
            os._exit(0)
    return pid


def play(name: str, server: str, workers: int, kills: int, readers: int, seed: int) -> bool:
    """One way to work; whether everything held."""
    chance = random.Random(seed)
    is_distributed, is_helped = name.startswith("procrastinate"), "helper" in name
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="digest-chaos-")))
        url = stack.enter_context(a_database(server, folder))
        furnish(url, readers)
        sink = stack.enter_context(Sink(chance))
        var = folder / "var"
        port = sink.server_address[1]
        environment = {
            **os.environ, "DIGEST_DATABASE_URL": url, "DIGEST_VAR": str(var), "DIGEST_SECRET_KEY": KEY,
            "DIGEST_SENDER": f"smtp://127.0.0.1:{port}?tls=none", "DIGEST_ENGINE": "procrastinate" if is_distributed else "embedded",
            "DIGEST_PUBLIC_URL": "https://news.ledger.example", "DIGEST_NEWSROOM": str(ROOT / "config" / "newsroom"),
        }  # fmt: skip
        if is_distributed:
            subprocess.run([sys.executable, "-m", "digest", "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        db = Database(url)
        stack.callback(db.close)
        ctx = context(db, f"smtp://127.0.0.1:{port}?tls=none", var)
        gang = Workers(environment, [url, str(port), str(var), "2" if is_helped else "1"], is_distributed)
        stack.callback(gang.close)
        trouble: list[str] = []
        done = unknown = worst = 0
        while done < kills and _state(db) != "sent":
            before = sum(sink.taken.values())
            gang.start(workers)
            _until(lambda least=before + chance.randrange(30): sum(sink.taken.values()) > least, 20)  # type: ignore[misc]
            if is_helped:
                _until(lambda: len(living(var / "journal")) > 1, 5)
            time.sleep(chance.uniform(0, 0.03))
            killed = gang.kill()
            if is_helped:
                _until(lambda: not living(var / "journal"), 10)
            done += killed
            numbers = audit(ctx, 1)
            if numbers["audience"] not in (0, readers) or numbers["audience"] != sum(
                numbers[s] for s in DELIVERY_STATES
            ):
                trouble.append(f"the ledger does not add up: {numbers}")
            settle(ctx)
            numbers = audit(ctx, 1)
            fresh, unknown = numbers["unknown"] - unknown, numbers["unknown"]
            worst = max(worst, fresh / killed if killed else 0)
            if fresh > CONNECTIONS * killed:
                trouble.append(f"{fresh} unknown after {killed} kills")
            if numbers["sending"]:
                trouble.append(f"{numbers['sending']} rows in nobody's hands")
            if any(count > 1 for count in sink.taken.values()):
                trouble.append("somebody has two copies")
        log = folder / "mail.log"
        log.write_text("".join(f"took {message_id}\n" for message_id in sink.taken))
        deliver(ctx, 1, at_once=True, threads=CONNECTIONS)
        found = reconcile(ctx, 1, "chaos", logs=[log], word="resend", why="not in the log") if unknown else None
        deliver(ctx, 1, at_once=True, threads=CONNECTIONS)
        numbers = audit(ctx, 1)
        twice = sum(count - 1 for count in sink.taken.values())
        if numbers["sent"] != readers or len(sink.taken) != readers or twice:
            trouble.append(f"at the end: {numbers}, {len(sink.taken)} have a copy, {twice} one too many")
        words = f"{unknown} unknown, {worst:.1f} a kill at worst" + (
            f", {found.found} of them found in the log" if found else ""
        )
        print(f"{name}: {done} kills, {readers} readers, {words}: {'; '.join(trouble) or 'holds'}", flush=True)
        if done < kills:
            print(f"  (the work was over after {done} kills of {kills})")
        return not trouble


def _state(db: Database) -> str:
    with db.read() as session:
        return issues.standing(session, 1)[0]


def _until(so, seconds: float) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not so() and time.monotonic() < end:
        time.sleep(0.001)


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="postgresql://postgres@127.0.0.1:5432")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", default="")
    parser.add_argument("--as-nursery", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_nursery:
        url, port, var, most = options.as_nursery
        helpers = Helpers(by_command([sys.executable, "-m", "digest.cli.helper"]), int(most), worthwhile=1)
        as_nursery(url, int(port), Path(var), helpers)
        return
    share = -(-options.kills // 5)
    ways = [
        ("embedded, SQLite", "", 1),
        ("embedded, SQLite, with a helper", "", 1),
        ("embedded, PostgreSQL", options.database, 1),
        ("embedded, PostgreSQL, 3 workers", options.database, 3),
        ("procrastinate, 2 workers", options.database, 2),
    ]
    print(f"seed {options.seed}")
    held = [
        play(name, server, workers, share, 100 * share, options.seed + number)
        for number, (name, server, workers) in enumerate(ways)
        if options.only in name
    ]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
