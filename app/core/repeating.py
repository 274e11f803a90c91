"""Loops that run until their process ends. Failures are logged, counted and followed by a retry."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import timedelta
from typing import Any, Self

import structlog

from app.core.clock import Clock
from app.core.telemetry import loop_failures_total, loop_lag_seconds, loop_seconds

log = structlog.get_logger(__name__)

MAX_STEP_SECONDS = 60
MAX_TIME = timedelta(seconds=10)
"""After this time no further batch is started, because a step that takes too long is cancelled."""
MAX_PAUSE_SECONDS = 15.0
RECOVERED_AFTER_SECONDS = 60.0

_failing: set[str] = set()


def failing_loops() -> list[str]:
    """The names of the loops of this process whose last run has failed."""
    return sorted(_failing)


async def repeat(
    name: str, every: float, step: Callable[[], Awaitable[None]], *, wake: asyncio.Event | None = None
) -> None:
    """Call `step` every `every` seconds until cancelled, and as soon as `wake` is set.

    After a failure, retry with a growing delay.
    """
    health, due = _Health(name), time.monotonic()
    wake = wake or asyncio.Event()
    with health:
        while True:
            began = time.monotonic()
            wake.clear()
            loop_lag_seconds.labels(name).set(began - due)
            try:
                async with asyncio.timeout(MAX_STEP_SECONDS):
                    await step()
            except Exception:  # noqa: BLE001 -- logged by `failed`
                await asyncio.sleep(health.failed())
                continue
            health.succeeded()
            loop_seconds.labels(name).observe(time.monotonic() - began)
            due = time.monotonic() + every
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), every)
                due = time.monotonic()


async def repeat_full_batches(clock: Clock, run: Callable[[], Awaitable[int]], size: int) -> None:
    """Run batches until one has fewer than `size` rows, or `MAX_TIME` is over."""
    stop_at = clock.now() + MAX_TIME
    while await run() == size and clock.now() < stop_at:
        pass


async def keep_running(
    name: str, routine: Callable[[], Awaitable[None]], *, recovered_after: float = RECOVERED_AFTER_SECONDS
) -> None:
    """Run a routine that does not end by itself, and start it again after a delay if it fails.

    After a failure, a routine that has run for `recovered_after` seconds counts as recovered. One
    that returns is not started again. Without this function, an error in a background task would end the task
    without a log line.
    """
    with _Health(name) as health:
        while True:
            recovery = asyncio.get_running_loop().call_later(recovered_after, health.succeeded)
            try:
                await routine()
            except Exception:  # noqa: BLE001 -- logged by `failed`
                await asyncio.sleep(health.failed())
            else:
                return
            finally:
                recovery.cancel()


class _Health:
    """Counts the consecutive failures of a loop for the log, the metrics and `failing_loops`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _failing.discard(self._name)

    def failed(self) -> float:
        """Record a failure and return the delay before the retry. Only the first of an outage is logged."""
        self._failures += 1
        _failing.add(self._name)
        loop_failures_total.labels(self._name).inc()
        if self._failures == 1:
            log.warning("loop_failing", loop=self._name, exc_info=True)
        return float(min(0.5 * 2 ** min(self._failures - 1, 10), MAX_PAUSE_SECONDS))

    def succeeded(self) -> None:
        if self._failures:
            log.info("loop_recovered", loop=self._name, failures=self._failures)
        self._failures = 0
        _failing.discard(self._name)


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended. Their results and errors are ignored.

    A task may have to be cancelled more than once, because the Redis driver loses a cancellation that
    coincides with a reply.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=0.5)
    await asyncio.gather(*tasks, return_exceptions=True)
