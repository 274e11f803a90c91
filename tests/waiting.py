"""Waiting for what other processes and tasks do: long enough for a busy machine, never longer than needed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.cli.local.programs import get

T = TypeVar("T")

PATIENCE = 180.0
"""Seconds after which a test that is stuck fails. A test that passes does not wait for them."""


async def eventually(condition: Callable[[], Awaitable[T]], patience: float = PATIENCE) -> T:
    """What the condition returns, once that is true. Polls."""
    async with asyncio.timeout(patience):
        while not (value := await condition()):  # noqa: ASYNC110 -- nobody announces it
            await asyncio.sleep(0.02)
    return value


def answers(url: str) -> bool:
    """Whether the status of the answer is 200. A client of httpx would take 25 ms each time."""
    return get(url) is not None
