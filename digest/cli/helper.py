"""A process that helps another one to hand out an issue, which started it (``digest.engine.helpers``). No command of people's."""

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


def run(issue_id: int, connections: int, orders: int, answers: int) -> None:
    """Wait for the word to begin, hand out what is due, and say what was done; end early when the orders do.

    Args:
        orders, answers: descriptors.
    """
    said = os.fdopen(answers, "w", buffering=1)

    def say(what: dict[str, Any]) -> None:
        said.write(json.dumps(what) + "\n")

    loaded = load().model_copy(update={"engine": "embedded"})  # whoever called us tells the other workers
    configure_logs(loaded)
    with bootstrap.service(loaded, checked=True) as ctx:
        if not os.read(orders, 64):
            return
        dismissed = threading.Event()
        threading.Thread(target=_wait_for_the_end, args=(orders, dismissed), name="caller", daemon=True).start()
        report = help_out(ctx, issue_id, connections, dismissed.is_set, lambda more: say({"settled": more}))
        say({"report": report.as_dict()})


def _wait_for_the_end(orders: int, dismissed: threading.Event) -> None:
    while os.read(orders, 64):
        pass
    dismissed.set()
    break_off_later()


def main(issue_id: int, connections: int) -> None:
    """The same in a program of its own: orders come by standard input, and answers go to standard output."""
    # Who interrupts our caller ends us too, by the pipe: in good order, and not before its last mails are answered.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not stand among what is said
    run(issue_id, connections, 0, answers)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
    os._exit(0)  # all is closed; to take the interpreter apart would keep our caller waiting
