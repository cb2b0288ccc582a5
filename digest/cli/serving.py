"""The web server in the foreground, with the ticker beside it, until SIGINT or SIGTERM."""

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator

from digest.errors import ConfigError
from digest.scheduler import Ticker
from digest.settings import Settings
from digest.workflows.context import Context

Tick = Callable[[Callable[[], bool]], object]
"""Something to do once a minute; it is handed a way to ask whether to stop."""


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


def serve(ctx: Context, loaded: Settings, door: socket.socket, tick: Tick | None = None) -> None:
    """Serve the pages from ``door``; a tick that is at work when the server is stopped ends the mail in hand."""
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
    ticker: Ticker | None = None
    if tick is not None:
        ticker = Ticker(lambda: tick(lambda: ticker is not None and ticker.stopping))
        ticker.start()
    try:
        server.run(sockets=[door])
    finally:
        if ticker is not None:
            ticker.stop()
