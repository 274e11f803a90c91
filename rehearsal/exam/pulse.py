"""Whether the rehearsal itself keeps up: how late its event loop wakes, and how much of a core it takes."""

import asyncio
import time
from collections import deque

_STEP = 0.1


class Pulse:
    """A load generator that is too slow measures itself: so it is measured, too."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self._began = time.monotonic()
        self._used = time.process_time()
        self._marks: deque[tuple[float, float]] = deque(maxlen=50)

    @property
    def load(self) -> float:
        """The share of a core since the beginning."""
        return (time.process_time() - self._used) / max(0.001, time.monotonic() - self._began)

    @property
    def load_now(self) -> float:
        """The share of a core in the last seconds."""
        if len(self._marks) < 2:
            return 0.0
        (first, used_first), (last, used_last) = self._marks[0], self._marks[-1]
        return (used_last - used_first) / max(0.001, last - first)

    async def beat(self) -> None:
        """Measure until cancelled."""
        while True:
            due = time.monotonic() + _STEP
            await asyncio.sleep(_STEP)
            self.delays.append(time.monotonic() - due)
            self._marks.append((time.monotonic(), time.process_time()))
