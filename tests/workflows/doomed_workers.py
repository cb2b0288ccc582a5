"""Starts workers that are to be killed: a process that has imported everything once, and forks for every line it reads.

Usage: doomed_workers.py DATABASE_URL SMTP_PORT VAR. It writes the process id of each worker, and "ended" after it.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from digest.senders.smtp import SmtpSender
from digest.store.database import Database
from digest.workflows.deliver import deliver
from tests.workflows.world import context  # type: ignore[import-not-found]


def work(url: str, port: int, var: Path) -> None:
    sender = SmtpSender("127.0.0.1", port, tls="none", ehlo="doomed.example")
    sender.batch = 8
    deliver(context(Database(url), var, sender, lambda: datetime.now(UTC)), 1)


def main() -> None:
    url, port, var = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                work(url, port, var)
            finally:
                os._exit(0)
        print(pid, flush=True)  # noqa: T201  (the protocol)
        os.waitpid(pid, 0)
        print("ended", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
