"""Log lines: on standard error, never on standard output."""

import logging
import sys
from typing import Any

import structlog

from digest.settings import Settings


def configure_logs(loaded: Settings) -> None:
    """Structured log lines on standard error; never on standard output."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if loaded.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
