"""The log lines of requests, as a list that a test reads."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.core.telemetry import request_log


@contextmanager
def request_lines() -> Iterator[list[dict[str, Any]]]:
    """The fields of the lines that are written in the block."""
    logger = logging.getLogger("app.requests")
    level, write = logger.level, request_log.write
    lines: list[dict[str, Any]] = []
    request_log.write = lines.append  # type: ignore[assignment]
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.setLevel(level)
        request_log.write = write
