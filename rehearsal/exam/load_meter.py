"""Measures whether the rehearsal itself is fast enough: the delay of its event loop and its use of a core."""

import asyncio
import time
from collections import deque

_STEP = 0.1


class LoadMeter:
    """Measures this process, because a load generator that is too slow measures itself."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self._began = time.monotonic()
        self._used = time.process_time()
        self._samples: deque[tuple[float, float]] = deque(maxlen=50)

    @property
    def load(self) -> float:
        """The share of a core that was used since the beginning."""
        return (time.process_time() - self._used) / max(0.001, time.monotonic() - self._began)

    @property
    def load_now(self) -> float:
        """The share of a core that was used in the last seconds."""
        if len(self._samples) < 2:
            return 0.0
        (first, used_first), (last, used_last) = self._samples[0], self._samples[-1]
        return (used_last - used_first) / max(0.001, last - first)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due = time.monotonic() + _STEP
            await asyncio.sleep(_STEP)
            self.delays.append(time.monotonic() - due)
            self._samples.append((time.monotonic(), time.process_time()))
