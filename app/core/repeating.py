"""What goes on as long as a process lives, whatever fails meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import structlog

from app.core.telemetry import loop_failures_total, loop_lag_seconds, loop_seconds

log = structlog.get_logger(__name__)

LONGEST_STEP = 60
LONGEST_PAUSE = 15.0


async def repeat(name: str, every: float, step: Callable[[], Awaitable[None]]) -> None:
    """Do `step` for ever. A failure is repeated sooner or later; an outage is logged once, and its end."""
    failures, due = 0, time.monotonic()
    while True:
        began = time.monotonic()
        loop_lag_seconds.labels(name).set(began - due)
        try:
            async with asyncio.timeout(LONGEST_STEP):
                await step()
        except Exception:
            failures += 1
            loop_failures_total.labels(name).inc()
            if failures == 1:
                log.warning("loop_failing", loop=name, exc_info=True)
            await asyncio.sleep(min(0.5 * 2 ** min(failures - 1, 10), LONGEST_PAUSE))
            continue
        if failures:
            log.info("loop_healed", loop=name, failures=failures)
            failures = 0
        loop_seconds.labels(name).observe(time.monotonic() - began)
        due = time.monotonic() + every
        await asyncio.sleep(every)


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they have ended; how they end is nobody's concern any more.

    Once is not enough: a cancellation that comes just when an answer of Redis arrives is lost in the driver,
    and the task goes on.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=0.5)
    await asyncio.gather(*tasks, return_exceptions=True)
