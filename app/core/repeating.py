"""Loops that run as long as their process, whatever fails meanwhile, and which of them fail now."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Self

import structlog

from app.core.telemetry import loop_failures_total, loop_lag_seconds, loop_seconds

log = structlog.get_logger(__name__)

LONGEST_STEP = 60
LONGEST_PAUSE = 15.0
CALM_SECONDS = 60.0
"""A routine that has run so long is well again."""

_failing: set[str] = set()


def failing_loops() -> list[str]:
    """The loops and routines of this process whose latest round has failed."""
    return sorted(_failing)


async def repeat(name: str, every: float, step: Callable[[], Awaitable[None]]) -> None:
    """Do `step` for ever. A failure is repeated sooner or later; an outage is logged once, and its end."""
    health, due = _Health(name), time.monotonic()
    with health:
        while True:
            began = time.monotonic()
            loop_lag_seconds.labels(name).set(began - due)
            try:
                async with asyncio.timeout(LONGEST_STEP):
                    await step()
            except Exception:  # noqa: BLE001 -- logged by `failed`
                await asyncio.sleep(health.failed())
                continue
            health.succeeded()
            loop_seconds.labels(name).observe(time.monotonic() - began)
            due = time.monotonic() + every
            await asyncio.sleep(every)


async def keep_running(name: str, routine: Callable[[], Awaitable[None]]) -> None:
    """Run a routine that is to go on for ever; one that fails is started again after a pause.

    One that returns has nothing to do, and ends. A task that nobody awaits would die of an error unseen.
    """
    with _Health(name) as health:
        while True:
            calm = asyncio.get_running_loop().call_later(CALM_SECONDS, health.succeeded)
            try:
                await routine()
            except Exception:  # noqa: BLE001 -- logged by `failed`
                await asyncio.sleep(health.failed())
            else:
                return
            finally:
                calm.cancel()


class _Health:
    """How often a loop has failed since it last succeeded: in the log, the metrics and `failing_loops`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _failing.discard(self._name)

    def failed(self) -> float:
        """Note the exception that is being handled; returns how long to wait. An outage is logged once."""
        self._failures += 1
        _failing.add(self._name)
        loop_failures_total.labels(self._name).inc()
        if self._failures == 1:
            log.warning("loop_failing", loop=self._name, exc_info=True)
        return float(min(0.5 * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE))

    def succeeded(self) -> None:
        if self._failures:
            log.info("loop_healed", loop=self._name, failures=self._failures)
        self._failures = 0
        _failing.discard(self._name)


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
