"""A process that helps another one to hand out an issue; started by it, see ``digest.engine.helpers``. No command of people's."""

import json
import os
import signal
import sys
import threading
from typing import Any

from digest import bootstrap
from digest.cli.breaking_off import break_off_later
from digest.cli.logs import configure_logs
from digest.settings import load
from digest.workflows.together import help_out


def main(issue_id: int, connections: int) -> None:
    """Wait for the word to begin, hand out what is due, and say what was done; end early when standard input does."""
    # Who interrupts our caller ends us too, by the pipe: in good order, and not before its last mails are answered.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    said = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not stand among what is said

    def say(what: dict[str, Any]) -> None:
        said.write(json.dumps(what) + "\n")

    loaded = load().model_copy(update={"engine": "embedded"})  # whoever called us tells the other workers
    configure_logs(loaded)
    with bootstrap.service(loaded, checked=True) as ctx:
        if not sys.stdin.buffer.readline():
            return
        dismissed = threading.Event()
        threading.Thread(target=_wait_for_the_end, args=(dismissed,), name="caller", daemon=True).start()
        report = help_out(ctx, issue_id, connections, dismissed.is_set, lambda more: say({"settled": more}))
        say({"report": report.as_dict()})


def _wait_for_the_end(dismissed: threading.Event) -> None:
    # Not sys.stdin: its lock must not be held by a daemon thread when the interpreter ends.
    while os.read(0, 64):
        pass
    dismissed.set()
    break_off_later()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
    os._exit(0)  # all is closed; to take the interpreter apart would keep our caller waiting
