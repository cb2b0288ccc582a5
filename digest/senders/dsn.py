"""Reads ``DIGEST_SENDER``. No message here ever repeats the value: it may hold a password."""

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from digest.errors import ConfigError

SETTING = "DIGEST_SENDER"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def wrong(problem: str) -> ConfigError:
    """The error for a DSN that can't be used. ``problem`` says what to write instead, without any secret."""
    return ConfigError(problem, file=SETTING)


@dataclass(frozen=True, slots=True)
class Dsn:
    """``scheme://user:password@host:port/path?option=value``, percent-decoded.

    ``repr`` leaves user and password out: a provider's token may stand in either.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    options: dict[str, str]
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Dsn({self.scheme}://{self.host}:{self.port}{self.path})"

    @classmethod
    def parse(cls, text: str) -> "Dsn":
        """Take a DSN apart.

        Raises:
            ConfigError: it can't be read: a port that is no number, a password that is not percent-encoded …
        """
        try:
            parts: SplitResult = urlsplit(text)
            host, port = parts.hostname or "", parts.port
            options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        except ValueError:
            raise wrong(
                "can't be read: write SCHEME://USER:PASSWORD@HOST:PORT?option=value, "
                "with special characters in the password percent-encoded (@ is %40, / is %2F, # is %23)"
            ) from None
        if parts.fragment:
            raise wrong("holds a bare '#': write %23 instead")
        return cls(
            scheme=parts.scheme.lower(),
            host=host,
            port=port,
            path=unquote(parts.path),
            options=options,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    @property
    def is_loopback(self) -> bool:
        """Whether it names this very machine."""
        return self.host in LOOPBACK

    def allow(self, *names: str) -> None:
        """Refuse options that the sender does not know, so that a typing error is not silently nothing.

        Raises:
            ConfigError: an unknown option, and which ones there are.
        """
        unknown = sorted(set(self.options) - set(names))
        if unknown:
            known = ", ".join(names) if names else "none"
            raise wrong(f"unknown option {', '.join(unknown)!r} for {self.scheme}:// (options: {known})")

    def choice(self, name: str, default: str, *choices: str) -> str:
        """An option that must be one of ``choices``."""
        value = self.options.get(name, default)
        if value not in choices:
            raise wrong(f"{name}={value!r} is not one of {', '.join(choices)}")
        return value

    def number(self, name: str, default: int) -> int:
        """An option that must be a whole number above zero."""
        value = self.options.get(name, str(default))
        if not value.isascii() or not value.isdigit() or int(value) == 0:
            raise wrong(f"{name}={value!r} is not a whole number above zero")
        return int(value)
