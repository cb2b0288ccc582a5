"""What sending by SMTP costs: our pipelined sender beside the standard library's client and Postfix's smtp-source.

Two receiving sides, each in a process of its own on loopback: one as fast as it can be (fastsink, a C program, if its
source and gcc are there; else one in Python), and one at the end of a line of 20 ms a turn. All clients send the same
message over as many connections, one after the other, five times; the medians of one run are compared.

    python benchmarks/smtp.py                    # about two minutes
    python benchmarks/smtp.py --small            # a quick look
    python benchmarks/smtp.py --sink PATH.c      # fastsink's source; by default beside the test data
"""

import argparse
import asyncio
import os
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from digest.domain.mail import Message
from digest.senders.smtp import SmtpSender

SIZE = 52_000
DELAY = 0.020
FROM, TO = "news@example.com", "reader@example.org"


class Cost(NamedTuple):
    """Messages a second, and CPU of the client in microseconds a message."""

    rate: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--sink", type=Path, default=_beside_the_data())
    args = parser.parse_args()
    times, fast, slow = (3, 4_000, 100) if args.small else (5, 20_000, 400)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port, name = _fast_sink(stack, args.sink, folder)
        print(f"To {name}, {SIZE // 1000} kB a message, {fast:,} messages, median of {times}")
        clients: dict[str, Callable[[], Cost]] = {}
        for connections in (4, 16):
            clients[f"ours, {connections} connections"] = lambda n=connections: ours(port, n, fast)  # type: ignore[misc]
        clients["smtplib, 4 connections"] = lambda: library(port, 4, fast // 4)
        if shutil.which("smtp-source", path="/usr/sbin:/usr/bin"):
            clients["smtp-source, 16 connections"] = lambda: postfix(port, 16, fast)
        found = _measure(clients, times)
        ours_best, lib = found["ours, 4 connections"], found["smtplib, 4 connections"]
        print(f"  ours / smtplib: {ours_best.rate / lib.rate:.2f} × the rate, {ours_best.cpu / lib.cpu:.2f} × the CPU")
        if peer := found.get("smtp-source, 16 connections"):
            print(
                f"  ours / smtp-source: {max(ours_best.rate, found['ours, 16 connections'].rate) / peer.rate:.2f} × the rate"
            )
        port = _process(stack, [sys.executable, __file__, "sink", str(DELAY)])
        print(f"\nOver a line of {DELAY * 1000:.0f} ms a turn, {slow:,} messages, median of {times}")
        found = _measure(
            {
                "ours, 16 connections": lambda: ours(port, 16, slow * 3),
                "smtplib, 16 connections": lambda: library(port, 16, slow),
            },
            times,
        )
        print(
            f"  ours / smtplib: {found['ours, 16 connections'].rate / found['smtplib, 16 connections'].rate:.2f} × the rate"
        )


def ours(port: int, connections: int, count: int) -> Cost:
    """All connections in one thread, as a worker does."""
    sender = SmtpSender("127.0.0.1", port, tls="none", ehlo="bench.example", per_connection=10_000)
    data = _letter()
    taken: list[int] = []

    def run(_: int) -> None:
        mails = (Message(n, f"<{n}@x>", FROM, TO, data, prepared=True) for n in range(count))
        results = sender.send_abreast(mails, lambda _: None, connections)
        taken.append(sum(result.outcome == "sent" for result in results))

    cost = _in_threads(run, 1, count)
    assert sum(taken) == count, f"{sum(taken)} of {count} were taken"
    sender.close()
    return cost


def library(port: int, connections: int, count: int) -> Cost:
    data = _letter()

    def run(number: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="bench.example") as client:
            for _ in range(number, count, connections):
                client.sendmail(FROM, [TO], data)

    return _in_threads(run, connections, count)


def postfix(port: int, connections: int, count: int) -> Cost:
    command = [
        "smtp-source",
        "-c",
        "-d",
        "-s",
        str(connections),
        "-l",
        str(SIZE),
        "-m",
        str(count),
        "-f",
        FROM,
        "-t",
        TO,
    ]
    before, start = os.times(), time.perf_counter()
    path = os.environ["PATH"] + ":/usr/sbin"
    subprocess.run(
        [*command, f"127.0.0.1:{port}"], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PATH": path}
    )
    seconds, after = time.perf_counter() - start, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(count / seconds, cpu / count * 1e6)


def _in_threads(run: Callable[[int], None], connections: int, count: int) -> Cost:
    threads = [threading.Thread(target=run, args=(number,)) for number in range(connections)]
    start, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Cost(count / (time.perf_counter() - start), (time.process_time() - cpu) / count * 1e6)


def _measure(clients: dict[str, Callable[[], Cost]], times: int) -> dict[str, Cost]:
    costs: dict[str, list[Cost]] = {name: [] for name in clients}
    for _ in range(times):
        for name, client in clients.items():
            costs[name].append(client())
    medians = {
        name: Cost(statistics.median(c.rate for c in found), statistics.median(c.cpu for c in found))
        for name, found in costs.items()
    }
    for name, cost in medians.items():
        print(f"  {name:28} {cost.rate:9,.0f} messages/s {cost.cpu:7,.0f} µs CPU a message")
    return medians


def _letter() -> bytes:
    line = b'<td style=3D"font:16px/1.5 Georgia,serif;color:#1a1a1a">What happened, and why it=\r\n'
    return (b"Subject: A letter\r\n\r\n" + line * (SIZE // len(line) + 1))[: SIZE - 2].rstrip(b"\r\n") + b"\r\n"


def _beside_the_data() -> Path:
    data = os.environ.get("DIGEST_TEST_DATA") or str(Path(__file__).resolve().parents[2] / "shared" / "data")
    return Path(data).parent / "tools" / "perf" / "fastsink.c"


def _fast_sink(stack: ExitStack, source: Path, folder: Path) -> tuple[int, str]:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not source.exists():
        return _process(stack, [sys.executable, __file__, "sink", "0"]), "a sink in Python"
    program = folder / "fastsink"
    subprocess.run([compiler, "-O2", "-w", "-o", str(program), str(source)], check=True)
    return _process(stack, [str(program)]), "fastsink"


def _process(stack: ExitStack, command: Sequence[str]) -> int:
    """Start a sink on a free port and wait until it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    process = subprocess.Popen([*command[:1], *command[1:], str(port)])
    stack.callback(process.wait)
    stack.callback(process.kill)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return port
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{command[0]} does not listen")


class Sink(asyncio.Protocol):
    """Takes everything, and answers what came together after ``delay`` seconds."""

    def __init__(self, delay: float) -> None:
        self._delay, self._in_data, self._got = delay, False, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._say(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._got += data
        answers = b""
        while True:
            if self._in_data:
                end = self._got.find(b"\r\n.\r\n")
                if end < 0:
                    self._got = self._got[-4:]
                    break
                self._got, self._in_data = self._got[end + 5 :], False
                answers += b"250 2.0.0 ok\r\n"
            line, found, rest = self._got.partition(b"\r\n")
            if not found:
                break
            self._got = rest
            if line[:4].upper() in (b"EHLO", b"HELO"):
                answers += b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n"
            elif line.upper() == b"DATA":
                answers, self._in_data = answers + b"354 go\r\n", True
            else:
                answers += b"221 2.0.0 bye\r\n" if line.upper() == b"QUIT" else b"250 2.1.0 ok\r\n"
        if answers:
            self._say(answers)

    def _say(self, answers: bytes) -> None:
        assert isinstance(self._transport, asyncio.Transport)
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, answers)
        else:
            self._transport.write(answers)


async def serve(delay: float, port: int) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Sink(delay), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:2] == ["sink"]:
        asyncio.run(serve(float(sys.argv[2]), int(sys.argv[3])))
    else:
        main()
