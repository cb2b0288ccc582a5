"""Whether a limit of R mails a second is kept, by real workers in real time: the most and the least in any ten seconds.

Workers in processes of their own deliver one issue to a mail server that notes when each mail came.

    python benchmarks/limits.py                                          # 1 and 4 workers on SQLite: about two minutes
    python benchmarks/limits.py --database postgresql://USER@HOST        # the same on PostgreSQL
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from deliver import a_database, context, furnish

SECONDS = 25
"""How long a run lasts at its rate."""


def worker(url: str, port: int, var: Path, rate: float) -> None:
    """Deliver issue 1 under the limit."""
    from digest.domain.limits import Limits
    from digest.store.database import Database
    from digest.workflows.deliver import deliver

    ctx = context(Database(url), f"smtp://127.0.0.1:{port}?tls=none&ehlo=bench.example", var)
    ctx = replace(ctx, limits=Limits(rate=rate))
    print("ready", flush=True)
    sys.stdin.readline()
    deliver(ctx, 1)
    ctx.sender.close()


class Clocked:
    """A mail server in a thread, that takes everything and notes the time."""

    def __init__(self) -> None:
        self.came: list[float] = []
        self.port = 0
        started = threading.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 clocked ESMTP\r\n")
            try:
                while line := await reader.readline():
                    verb = line[:4].upper()
                    if verb == b"EHLO":
                        writer.write(b"250-clocked\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
                    elif verb == b"DATA":
                        writer.write(b"354 go\r\n")
                        await reader.readuntil(b"\r\n.\r\n")
                        self.came.append(time.monotonic())
                        writer.write(b"250 2.0.0 Ok\r\n")
                    else:
                        writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 2.1.0 Ok\r\n")
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            writer.close()

        async def run() -> None:
            server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 22)
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            await server.serve_forever()

        threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
        started.wait()


def measure(server: str, rate: float, workers: int) -> tuple[int, int, int]:
    """The most and the least in ten seconds that began with a mail, and how many mails there were."""
    with tempfile.TemporaryDirectory() as folder, a_database(server, Path(folder)) as url:
        furnish(url, int(rate * SECONDS))
        clocked = Clocked()
        command = [sys.executable, __file__, "--as-worker", url, str(clocked.port), folder, str(rate)]
        processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(workers)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            process.communicate(timeout=120)
        came = sorted(clocked.came)
    whole = [index for index, at in enumerate(came) if at + 10 <= came[-1]]
    counts = [bisect_left(came, came[index] + 10) - index for index in whole]
    return max(counts), min(counts), len(came)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="")
    parser.add_argument("--as-worker", nargs=4)
    args = parser.parse_args()
    if args.as_worker:
        url, port, var, rate = args.as_worker
        worker(url, int(port), Path(var), float(rate))
        return
    for rate in (20.0, 200.0):
        for workers in (1, 4):
            most, least, count = measure(args.database, rate, workers)
            print(
                f"limit {rate:.0f} a second, {workers} workers: {most / 10:.1f} at most, {least / 10:.1f} at least "
                f"({most / rate / 10:.3f} and {least / rate / 10:.3f} of it), {count:,} mails",
                flush=True,
            )


if __name__ == "__main__":
    main()
