"""Asking a server without being held up by it."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

Answer = TypeVar("Answer")

# What did not answer in time is cancelled, but not waited for; asyncio itself would forget it.
_given_up: set[asyncio.Future[Any]] = set()


async def in_time(attempt: Awaitable[Answer], seconds: float) -> Answer:
    """The answer, or TimeoutError. A hanging server is not waited for to confirm that it hangs."""
    task = asyncio.ensure_future(attempt)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        return task.result()
    _given_up.add(task)
    task.add_done_callback(_forget)
    task.cancel()
    raise TimeoutError


def _forget(task: asyncio.Future[Any]) -> None:
    _given_up.discard(task)
    if not task.cancelled():
        task.exception()  # Seen: its caller has had an answer long ago.
