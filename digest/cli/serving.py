"""What runs until SIGINT or SIGTERM: the web server in the foreground, and the beats of a worker or a scheduler."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from digest.cli.breaking_off import break_off_later
from digest.errors import ConfigError
from digest.scheduler import Ticker
from digest.settings import Settings
from digest.workflows.context import Context


@dataclass(frozen=True)
class Beat:
    """Something to do every so many seconds; it is handed a way to ask whether to stop."""

    tick: Callable[[Callable[[], bool]], object]
    seconds: int


@contextlib.contextmanager
def beating(beats: Sequence[Beat]) -> Iterator[None]:
    """Each beat in a thread of its own while it lasts; at the end all are asked to stop, and waited for.

    A process whose work does not end in time (a mail server that is silent, say) ends without it.
    """
    stopping = threading.Event()
    tickers = [Ticker(partial(beat.tick, stopping.is_set), seconds=beat.seconds) for beat in beats]
    for ticker in tickers:
        ticker.start()
    try:
        yield
    finally:
        stopping.set()
        broken_off = break_off_later()
        for ticker in tickers:
            ticker.stop()
        broken_off.cancel()


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens where the settings say.

    Raises:
        ConfigError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
            door.listen(128)
        except OSError as error:
            words = (
                f"can't listen at {host}:{port} ({error.strerror}): is the service running already? Or choose another"
            )
            raise ConfigError(words, file="DIGEST_PORT") from None
        yield door


def serve(ctx: Context, loaded: Settings, door: socket.socket, *beats: Beat) -> None:
    """Serve the pages from ``door``; a beat that is at work when the server is stopped ends the mail in hand."""
    import uvicorn

    from digest.web.app import create_app

    trusted = [part.strip() for part in loaded.trusted_proxies.split(",") if part.strip()]
    # Client addresses are the app's to judge, and paths hold tokens: no proxy headers, no access log.
    config = uvicorn.Config(
        create_app(ctx, trusted_proxies=trusted), log_level="warning", server_header=False, proxy_headers=False,
        access_log=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    # The server takes the signals while it runs and raises them again when it ends: by then they ask for nothing more.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    with beating(beats):
        server.run(sockets=[door])
