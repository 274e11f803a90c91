"""When a request arrived: stamped before anything is awaited, and fair where the event loop was held."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

from app.core.clock import Clock
from app.core.telemetry import event_loop_delay_seconds

INTERVAL = 0.02
"""Seconds between two ticks of the probe."""
TOLERANCE = 0.1
"""A tick that is later than this means that the event loop was held."""
TICKS_AFTER_HOLD = 5
"""For how many ticks after a hold requests count as having waited in it.

A tick takes two rounds of the loop, and uvloop up to eight from a connection that waits to the application.
"""
LONGEST_HOLD = 5.0
"""No request is dated back by more seconds than this. An attempt is not ended for its deadline before the
same time after the grace (`closing_delay` in app/services/attempts/closing.py)."""


class LoopHold:
    """Whether the event loop was held, judged by ticks; all times are seconds of a monotonic clock.

    While the loop is held, requests wait in the kernel, and nobody knows when each of them came. The only
    safe statement is that it came after the loop was last free. So all of them are dated to that moment: no
    candidate loses an answer because the server was busy.

    The tick that ends a hold may run before the sockets are read, and a new connection is accepted in one
    round of the loop and read in a later one. So a hold counts for some ticks more. Holds may follow each
    other for minutes: what is read between them waited for a few rounds, and not since the first of them.
    """

    def __init__(self, now: float) -> None:
        self._ticks = deque([now], maxlen=TICKS_AFTER_HOLD + 1)

    def tick(self, now: float) -> float:
        """Note that the loop runs. Returns by how many seconds this tick was late."""
        delay = max(0.0, now - self._ticks[-1] - INTERVAL)
        self._ticks.append(now)
        return delay

    def waited(self, now: float) -> float:
        """For how many seconds a request that is seen now may have waited for the loop."""
        for free, after in pairwise((*self._ticks, now)):
            if after - free > INTERVAL + TOLERANCE:
                return min(now - free, LONGEST_HOLD)
        return 0.0


class Arrivals:
    """Stamps requests with the time at which they arrived.

    `monotonic` measures how long the event loop was held. A test that sets the clock sets it, too.
    """

    def __init__(self, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._hold = LoopHold(monotonic())

    def stamp(self) -> datetime:
        """When the request that the server has just handed over arrived."""
        return self._clock.now() - timedelta(seconds=self._hold.waited(self._monotonic()))

    async def watch(self) -> None:
        """Tick until cancelled; the delay of each tick is a metric."""
        self._hold = LoopHold(self._monotonic())
        while True:
            await asyncio.sleep(INTERVAL)
            event_loop_delay_seconds.observe(self._hold.tick(self._monotonic()))
