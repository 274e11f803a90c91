"""A timeout that does not wait for the cancelled operation."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

Result = TypeVar("Result")

# Cancelled tasks that have not ended yet. asyncio keeps only weak references to tasks.
_cancelled_tasks: set[asyncio.Future[Any]] = set()


async def with_timeout(attempt: Awaitable[Result], seconds: float) -> Result:
    """Return the result, or raise TimeoutError without waiting until the cancellation is finished."""
    task = asyncio.ensure_future(attempt)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        return task.result()
    _cancelled_tasks.add(task)
    task.add_done_callback(_discard)
    task.cancel()
    raise TimeoutError


def _discard(task: asyncio.Future[Any]) -> None:
    _cancelled_tasks.discard(task)
    if not task.cancelled():
        task.exception()  # Marks the exception as retrieved; the caller has already got TimeoutError.
