"""From ``DIGEST_SENDER`` to a sender."""

import re
import sys
from importlib import import_module
from typing import Any, TextIO, cast

from digest.domain.limits import Limits
from digest.senders.base import Sender
from digest.senders.dsn import Dsn, wrong
from digest.senders.limits import limits_of

FORMS = (
    "smtp://[USER:PASSWORD@]HOST[:PORT], smtps://…, postmark://TOKEN@[HOST], file:///MAILDIR, console:// "
    "or package.module:Class"
)
_PLUG_IN = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*)(?:\?.*)?")


def open_sender(dsn: str, *, stream: TextIO | None = None) -> Sender:
    """The sender that a DSN stands for, or several, of which the next takes over when one can't be reached.

    Nothing is connected yet.

    Args:
        dsn: see ``FORMS``; a plug-in's options (``package.module:Class?key=value``) become keyword arguments. Several
            stand with spaces between them; limits stand behind the first.
        stream: where ``console://`` writes; default: standard output as it is at that moment.

    Raises:
        ConfigError: a DSN that can't be used. It names ``DIGEST_SENDER`` and never repeats a secret.
    """
    first, *others = dsn.split() or [dsn]
    if others:
        from digest.senders.failover import in_a_row

        if any(limits_in(other) != Limits() for other in others):
            raise wrong("has limits behind a later sender: write them behind the first, they hold for all")
        return in_a_row([open_sender(each, stream=stream) for each in (first, *others)])
    if plug_in := _PLUG_IN.fullmatch(dsn):
        return _plug_in(plug_in["module"], plug_in["name"], limits_of(_parsed(dsn))[1].options)
    _, parsed = limits_of(_parsed(dsn))
    # Each sender is imported where it is opened: a console needs neither smtplib nor requests.
    match parsed.scheme:
        case "smtp" | "smtps":
            from digest.senders.smtp import SmtpSender

            return SmtpSender.from_dsn(parsed)
        case "postmark":
            from digest.senders.postmark import PostmarkSender

            return PostmarkSender.from_dsn(parsed)
        case "file":
            from digest.senders.local import MaildirSender

            return MaildirSender.from_dsn(parsed)
        case "console":
            from digest.senders.local import ConsoleSender

            parsed.allow()
            return ConsoleSender(stream if stream is not None else sys.stdout)
    raise wrong(f"is not a sender that is known: use {FORMS}")


def limits_in(dsn: str) -> Limits:
    """The limits that a DSN sets, whatever its kind (see :func:`digest.senders.limits.limits_of`).

    Raises:
        ConfigError: a limit that can't be read.
    """
    return limits_of(_parsed(dsn.split()[0] if dsn.strip() else dsn))[0]


def _parsed(dsn: str) -> Dsn:
    return Dsn.parse("plug-in://" + dsn.partition(":")[2] if _PLUG_IN.fullmatch(dsn) else dsn)


def _plug_in(module: str, name: str, options: dict[str, str]) -> Sender:
    try:
        maker = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise wrong(f"the sender {module}:{name} can't be loaded: {error}") from None
    try:
        sender: Any = maker(**options)
    except TypeError as error:
        raise wrong(f"the sender {module}:{name} does not take these options: {error}") from None
    missing = [part for part in ("name", "idempotent", "batch", "send", "close") if not hasattr(sender, part)]
    if missing:
        raise wrong(f"{module}:{name} is not a sender: it lacks {', '.join(missing)}")
    return cast(Sender, sender)
