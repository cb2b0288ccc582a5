"""The command line. This file imports nothing heavy: ``digest --help`` is answered from the table below.

Each command's module is loaded when it is called. Exit codes: 0 done, 1 failed, 2 called wrongly.
"""

import os
import sys
from importlib import import_module

COMMANDS: dict[str, tuple[str, str]] = {
    "run": (
        "service",
        "Do the whole job: gather, draft, approve by policy, deliver; then serve web, scheduler, worker.",
    ),
    "gather": ("pipeline", "Fetch all feeds and keep what is new."),
    "draft": ("pipeline", "Make the draft of a newsletter's issue."),
    "issue": ("issue", "List, show, render, check, approve, hold, send and audit issues."),
    "subscribers": ("subscribers", "Add, list, import and export subscribers."),
    "inbox": ("inbox", "Unsubscribe who asks for it by mail, from a Maildir, an mbox file or a mail server's pipe."),
    "feeds": ("feeds", "Add, check, import, export and list feeds."),
    "newsroom": ("newsroom", "Check, plan, apply and export the newsroom's files."),
    "sender": ("sender", "Show what the sender may send: limits, warm-up, domains that asked to slow down."),
    "editors": ("editors", "Let editors sign in to the desk."),
    "lab": ("lab", "Run the production code of curation on a file of articles."),
    "migrate": ("service", "Bring the database up to date."),
    "web": ("service", "Serve the web pages."),
    "worker": ("service", "Gather, draft and deliver what is due, until stopped."),
    "scheduler": ("service", "Plan the issues whose hour comes, until stopped."),
}
"""Command → (module in this package, one line of help)."""

USAGE = "usage: digest COMMAND [OPTIONS]   (digest COMMAND --help explains one)"


def main(argv: list[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    args = sys.argv[1:] if argv is None else argv
    if "_DIGEST_COMPLETE" in os.environ or args[:1] in (["--install-completion"], ["--show-completion"]):
        import_module("digest.cli.root").run(args, sorted(COMMANDS))
    if not args or args[0] in ("-h", "--help", "help"):
        sys.stdout.write(help_text())
        sys.exit(0 if args else 2)
    if args[0] in ("-V", "--version"):
        from digest import __version__

        sys.stdout.write(f"digest {__version__}\n")
        sys.exit(0)
    if args[0] not in COMMANDS:
        from difflib import get_close_matches

        near = get_close_matches(args[0], COMMANDS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        sys.stderr.write(f"digest: no command {args[0]!r}{hint}\n{USAGE}\n")
        sys.exit(2)
    import_module("digest.cli.root").run(args, [args[0]])


def help_text() -> str:
    """What ``digest --help`` prints."""
    width = max(map(len, COMMANDS)) + 2
    rows = "\n".join(f"  {name:<{width}}{words}" for name, (_module, words) in COMMANDS.items())
    return (
        f"{USAGE}\n\nA newsletter digest service: from feeds to everyone's own mail.\n\n{rows}\n\n"
        "Most commands take --json: one document on standard output, logs on standard error.\n"
        "Exit codes: 0 done, 1 failed, 2 called wrongly. Settings: environment DIGEST_*, see docs/operating.md.\n"
    )
