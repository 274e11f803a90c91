"""Running many coroutines with a limit."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

_LIMIT = 20
"""The number of coroutines at once. Registrations must not be more, because hashing passwords takes long."""


async def run_limited(coroutines: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all coroutines, `_LIMIT` at a time."""
    slots = asyncio.Semaphore(_LIMIT)

    async def run(coroutine: Coroutine[Any, Any, None]) -> None:
        async with slots:
            await coroutine

    await asyncio.gather(*(run(coroutine) for coroutine in coroutines))
