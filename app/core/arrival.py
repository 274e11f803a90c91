"""The arrival time of requests, corrected for the time for which the event loop was blocked."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

from app.core.clock import Clock
from app.core.telemetry import event_loop_delay_seconds

INTERVAL = 0.02
"""Seconds between two ticks."""
TOLERANCE = 0.1
"""If a tick is late by more seconds than this, the event loop was blocked."""
TICKS_AFTER_BLOCK = 5
"""The number of ticks after a block for which requests are assumed to have waited during the block.

A tick takes two iterations of the loop. uvloop needs up to eight iterations to pass a waiting connection to
the application.
"""
MAX_CORRECTION_SECONDS = 5.0
"""The largest correction of an arrival time, in seconds. An attempt is not closed for its deadline before the
same time after the grace period has passed (`closing_delay` in app/services/attempts/closing.py)."""


class LoopMonitor:
    """Detects by regular ticks that the event loop was blocked. Times are seconds of a monotonic clock.

    While the loop is blocked, requests wait in the kernel and their exact arrival times are unknown. It is
    only known that they arrived after the last tick before the block. All of them get the time of that tick,
    so that no candidate loses an answer because the server was busy.

    The tick after a block may run before the sockets are read, and a new connection is accepted in one
    iteration of the loop and read in a later one. A block therefore counts for some more ticks. When blocks
    follow each other for minutes, a request gets the time before the block in which it waited, not the time
    before the first block.
    """

    def __init__(self, now: float) -> None:
        self._ticks = deque([now], maxlen=TICKS_AFTER_BLOCK + 1)
        self._last_before_block: float | None = None
        """The last tick before the first block that still counts."""

    def tick(self, now: float) -> float:
        """Record a tick. Returns by how many seconds it was late."""
        delay = max(0.0, now - self._ticks[-1] - INTERVAL)
        self._ticks.append(now)
        blocks = (before for before, after in pairwise(self._ticks) if _is_block(before, after))
        self._last_before_block = next(blocks, None)
        return delay

    def waited(self, now: float) -> float:
        """The longest time in seconds that a request read now may have waited for the loop."""
        before = self._last_before_block
        if before is None:
            before = self._ticks[-1]
            if not _is_block(before, now):
                return 0.0
        return min(now - before, MAX_CORRECTION_SECONDS)


def _is_block(before: float, after: float) -> bool:
    """Whether the event loop was blocked between two ticks."""
    return after - before > INTERVAL + TOLERANCE


class Arrivals:
    """Determines the arrival times of requests.

    `monotonic` measures how long the event loop was blocked. A test that sets the clock must set it too.
    """

    def __init__(self, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._monitor = LoopMonitor(monotonic())

    def stamp(self) -> datetime:
        """The arrival time of the request that is being read now."""
        waited = self._monitor.waited(self._monotonic())
        return self._clock.now() - timedelta(seconds=waited)

    async def watch(self) -> None:
        """Tick until cancelled, and report the delay of each tick as a metric."""
        self._monitor = LoopMonitor(self._monotonic())
        while True:
            await asyncio.sleep(INTERVAL)
            event_loop_delay_seconds.observe(self._monitor.tick(self._monotonic()))
