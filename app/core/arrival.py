"""When a request arrived: stamped before anything is awaited, and fair where the event loop was held."""

import asyncio
import time
from datetime import datetime, timedelta

from app.core.clock import Clock
from app.core.telemetry import event_loop_delay_seconds

INTERVAL = 0.02
"""Seconds between two ticks of the probe."""
TOLERANCE = 0.1
"""A tick that is later than this means that the event loop was held."""
TICKS_AFTER_HOLD = 3
"""For how many ticks after a hold requests count as having waited in it."""
LONGEST_HOLD = 60.0
"""No request is dated back by more seconds than this."""


class LoopHold:
    """Whether the event loop was held, judged by ticks; all times are seconds of a monotonic clock.

    While the loop is held, requests wait in the kernel, and nobody knows when each of them came. The only
    safe statement is that it came after the loop was last free. So all of them are dated to that moment: no
    candidate loses an answer because the server was busy.

    The tick that ends a hold may run before the sockets are read, and a new connection is accepted in one
    round of the loop and read in the next. So a hold counts until a few ticks after it were in time.
    """

    def __init__(self, now: float) -> None:
        self._last_tick = now
        self._held_since: float | None = None
        self._ticks_left = 0

    def tick(self, now: float) -> float:
        """Note that the loop runs. Returns by how many seconds this tick was late."""
        delay = max(0.0, now - self._last_tick - INTERVAL)
        if delay > TOLERANCE:
            self._held_since = self._free_before()
            self._ticks_left = TICKS_AFTER_HOLD
        elif self._ticks_left > 0:
            self._ticks_left -= 1
        self._last_tick = now
        return delay

    def waited(self, now: float) -> float:
        """For how many seconds a request that is seen now may have waited for the loop."""
        is_held = now - self._last_tick > INTERVAL + TOLERANCE
        if not is_held and self._ticks_left == 0:
            return 0.0
        return min(now - self._free_before(), LONGEST_HOLD)

    def _free_before(self) -> float:
        """When the loop was last known to be free: before a hold whose requests are still being read, too."""
        if self._ticks_left > 0 and self._held_since is not None:
            return self._held_since
        return self._last_tick


class Arrivals:
    """Stamps requests with the time at which they arrived."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hold = LoopHold(time.monotonic())

    def stamp(self) -> datetime:
        """When the request that the server has just handed over arrived."""
        return self._clock.now() - timedelta(seconds=self._hold.waited(time.monotonic()))

    async def watch(self) -> None:
        """Tick until cancelled; the delay of each tick is a metric."""
        self._hold = LoopHold(time.monotonic())
        while True:
            await asyncio.sleep(INTERVAL)
            event_loop_delay_seconds.observe(self._hold.tick(time.monotonic()))
