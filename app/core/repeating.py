"""What goes on as long as a process lives, whatever fails meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

LONGEST_STEP = 60
LONGEST_PAUSE = 15.0


async def repeat(name: str, every: float, step: Callable[[], Awaitable[None]]) -> None:
    """Do `step` for ever. A failure is repeated sooner or later; an outage is logged once, and its end."""
    failures = 0
    while True:
        try:
            async with asyncio.timeout(LONGEST_STEP):
                await step()
        except Exception:
            failures += 1
            if failures == 1:
                log.warning("loop_failing", loop=name, exc_info=True)
            await asyncio.sleep(min(0.5 * 2 ** min(failures - 1, 10), LONGEST_PAUSE))
            continue
        if failures:
            log.info("loop_healed", loop=name, failures=failures)
            failures = 0
        await asyncio.sleep(every)
