"""One tree of errors; its two main branches say whether trying again can help.

::

    DigestError
    ├── PermanentError            will fail in the same way until somebody changes something
    │   ├── UsageError            a command or a form was called wrongly
    │   ├── ConfigError           a setting or a newsroom file is wrong: file, line, key
    │   ├── NotFound              no such issue, newsletter, subscriber …
    │   ├── InvalidToken          a link that was forged, altered, or has run out
    │   ├── StateConflict         the thing is not in a state that allows this step
    │   │   └── PreflightFailed   an issue that must be mended before it is approved
    │   ├── ForbiddenAddress      a URL that the fetcher must not touch
    │   ├── ParseError            bytes that are no feed, quotes file, calendar …
    │   ├── GoneError             the source says that it has ended (HTTP 410)
    │   ├── RenderError           a template or a block that can't be rendered
    │   ├── MessageError          an address or header that can't stand in a mail
    │   ├── SummariserRefused     the language model's server refuses us: key, model
    │   └── SenderRefused         the relay or provider refuses us: sign-in, account, sender
    └── PassingError              may well work later
        ├── FetchError            a source that can't be reached now; ``retry_after`` if it said so
        └── SenderUnavailable     the relay or provider can't be reached now

Every message is written for the person who must act: what happened, where, and what to do.
"""

from collections.abc import Iterable
from typing import Self


class DigestError(Exception):
    """Anything this service reports on purpose. ``str(error)`` is a sentence for a person."""

    exit_code = 1
    evidence: bytes = b""
    """The beginning of what a source sent, where that is the trouble."""


class PermanentError(DigestError):
    """Trying the same again gives the same."""


class PassingError(DigestError):
    """Trying again later may work."""


class UsageError(PermanentError):
    """A command or a form was called wrongly."""

    exit_code = 2


class ConfigError(PermanentError):
    """A setting or a newsroom file is wrong.

    Args:
        problem: what is wrong and what to write instead.
        file: the file's path as the user knows it, or the setting's name.
        line: 1-based line, if known.
        key: dotted key, such as ``blocks[3].type``.
        others: what else is wrong; its words follow on lines of their own.
    """

    exit_code = 2

    def __init__(
        self, problem: str, *, file: str = "", line: int | None = None, key: str = "", others: Iterable[Self] = ()
    ) -> None:
        self.problem, self.file, self.line, self.key = problem, file, line, key
        where = file + (f":{line}" if line is not None else "")
        words = ": ".join(part for part in (where, key, problem) if part)
        super().__init__("\n".join([words, *map(str, others)]))


class NotFound(PermanentError):
    """No such thing."""


class InvalidToken(PermanentError):
    """A link that was forged, altered, or has run out. Never says which."""


class StateConflict(PermanentError):
    """The thing is not in a state that allows this step."""


class PreflightFailed(StateConflict):
    """An issue that must be mended before it is approved; every error is named."""


class ForbiddenAddress(PermanentError):
    """A URL that the fetcher must not touch (private, loopback, link-local, odd scheme …)."""


class ParseError(PermanentError):
    """Bytes that are not what they were fetched as."""


class GoneError(PermanentError):
    """The source says that it has ended (HTTP 410)."""


class RenderError(PermanentError):
    """A template or a block that can't be rendered."""


class MessageError(PermanentError):
    """An address or header that can't stand in a mail."""


class SenderRefused(PermanentError):
    """The relay or provider refuses us as a client: sign-in, account, sender identity."""


class SummariserRefused(PermanentError):
    """The server of the language model refuses us: key, address, name of the model."""


class FetchError(PassingError):
    """A source that can't be reached now.

    ``retry_after`` is the number of seconds that the server asked for, if it did (RFC 9110 10.2.3).
    """

    def __init__(self, problem: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        self.status, self.retry_after = status, retry_after
        super().__init__(problem)


class SenderUnavailable(PassingError):
    """The relay or provider can't be reached now."""
