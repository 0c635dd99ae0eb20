"""Structured events on stderr: an event name plus ids, never the text of a message."""

import logging
import sys
from typing import Literal

import structlog

Log = structlog.stdlib.BoundLogger


def configure(*, form: Literal["console", "json"] = "console", level: str = "info") -> None:
    """Set up logging once, at the top of a process. Libraries' own loggers are kept to warnings."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
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
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get(room: str) -> Log:
    """The logger of one room; ``room`` is carried on every event."""
    log: Log = structlog.get_logger(room=room)
    return log
