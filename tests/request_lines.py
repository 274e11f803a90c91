"""The log lines of requests, as a list that a test reads."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(vars(record)["request"])


@contextmanager
def request_lines() -> Iterator[list[dict[str, Any]]]:
    """The fields of the lines that are written in the block."""
    logger, kept = logging.getLogger("app.requests"), _Kept()
    level = logger.level
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    try:
        yield kept.lines
    finally:
        logger.setLevel(level)
        logger.removeHandler(kept)
