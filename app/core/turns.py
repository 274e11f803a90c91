"""Turns: a few pieces of heavy work at a time, one for each caller, and a bounded number that wait."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.core.errors import Unavailable

_RETRY_AFTER = 10


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    caller: Hashable
    turn: "asyncio.Future[None]"


class Turns:
    """Lets `at_once` callers work and `queue` others wait, each for at most `seconds`."""

    def __init__(self, *, at_once: int, queue: int, seconds: float, busy: str) -> None:
        self._at_once = at_once
        self._queue = queue
        self._seconds = seconds
        self._busy = busy
        self._running: list[Hashable] = []
        self._waiting: deque[_Waiter] = deque()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @asynccontextmanager
    async def turn(self, caller: Hashable) -> AsyncIterator[None]:
        """Work in this block, at once or after a wait. Other work of the same caller waits for its end.

        Raises Unavailable with the sentence `busy` where too many wait, or after waiting too long.
        """
        if not self._may_start(caller):
            await self._wait(caller)
        else:
            self._running.append(caller)
        try:
            yield
        finally:
            self._running.remove(caller)
            self._start_next()

    def _may_start(self, caller: Hashable) -> bool:
        return len(self._running) < self._at_once and caller not in self._running

    async def _wait(self, caller: Hashable) -> None:
        if len(self._waiting) >= self._queue:
            raise Unavailable(self._busy, _RETRY_AFTER)
        waiter = _Waiter(caller, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._seconds):
                await waiter.turn
        except TimeoutError:
            self._give_up(waiter)
            raise Unavailable(self._busy, _RETRY_AFTER) from None
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise

    def _give_up(self, waiter: _Waiter) -> None:
        """The waiter is gone; a place that it was given meanwhile goes to the next one."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif waiter.turn.done() and not waiter.turn.cancelled():
            self._running.remove(waiter.caller)
            self._start_next()

    def _start_next(self) -> None:
        """Let those who wait begin, the first ones first, except callers whose other work is running."""
        for waiter in list(self._waiting):
            if self._may_start(waiter.caller):
                self._waiting.remove(waiter)
                if not waiter.turn.done():
                    self._running.append(waiter.caller)
                    waiter.turn.set_result(None)
