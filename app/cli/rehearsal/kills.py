"""kill -9 of the programs of an `ias up` in the middle of everything, and whether they come back."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from app.cli.home import Home

_PATIENCE = 60.0
_FIRST, _LAST = 0.3, 0.65
"""Between which shares of the test's time the programs die."""
_SWEPT = 12.0
"""How long after the test's time the attempts that nobody has submitted are being graded."""


@dataclass
class Killer:
    """Kills `names` in the middle of the test, the worker again while it grades; only what run.json lists."""

    home: Home
    names: tuple[str, ...]
    seconds: int
    back_after: list[tuple[str, float]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """One after the other: each must be back before the next one dies."""
        began = time.monotonic()
        for moment, name in self._moments():
            await asyncio.sleep(began + moment - time.monotonic())
            await self._kill(name)

    def _moments(self) -> Iterator[tuple[float, str]]:
        step = (_LAST - _FIRST) / max(1, len(self.names) - 1)
        for number, name in enumerate(self.names):
            yield (_FIRST + step * number) * self.seconds, name
        if "worker" in self.names:
            yield self.seconds + _SWEPT, "worker"

    async def _kill(self, name: str) -> None:
        pid = self._pid(name)
        if pid is None:
            self.problems.append(f"{name} does not run here, so it cannot be killed")
            return
        os.kill(pid, signal.SIGKILL)
        killed_at = time.monotonic()
        while time.monotonic() < killed_at + _PATIENCE:
            await asyncio.sleep(0.1)
            if self._pid(name) not in (None, pid) and await self._is_ready():
                self.back_after.append((name, time.monotonic() - killed_at))
                return
        self.problems.append(f"{name} was killed and is not back after {_PATIENCE:.0f} s")

    def _pid(self, name: str) -> int | None:
        """What run.json says now: `ias up` writes it anew when it has replaced a program."""
        run = self.home.read_run()
        return run["pids"].get(name) if run else None

    async def _is_ready(self) -> bool:
        run = self.home.read_run()
        if run is None:
            return False
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            try:
                answer = await http.get(f"{run['api_url']}/v1/health/ready")
            except httpx.TransportError:
                return False
        return answer.is_success and answer.json()["status"] == "ready"
