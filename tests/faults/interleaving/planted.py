"""Faults put into the product on purpose, to show that the checker finds them. For the process's lifetime."""

from collections.abc import Callable
from typing import Any

PLANTED: dict[str, Callable[[], None]] = {}


def plant(name: str) -> None:
    """Put a fault into this process's product code."""
    PLANTED[name]()
