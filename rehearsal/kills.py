"""kill -9 of the programs of an `ias up` in the middle of everything, and whether they come back."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from app.cli.local.home import Home

_PATIENCE = 60.0
_FIRST, _LAST = 0.3, 0.65
"""Between which shares of the test's time the programs die."""
_SWEPT = 12.0
"""How long after the test's time the attempts that nobody has submitted are being graded."""


Moments = Sequence[tuple[float, str]]
"""Seconds from the beginning, and who dies then."""


@dataclass(frozen=True, slots=True)
class Outage:
    """How long something was away, by this process's monotonic clock."""

    name: str
    killed_at: float
    back_at: float


def in_the_middle(names: Sequence[str], seconds: float) -> Moments:
    """One after the other in the middle of a test, and the worker again while it grades."""
    step = (_LAST - _FIRST) / max(1, len(names) - 1)
    moments = [((_FIRST + step * number) * seconds, name) for number, name in enumerate(names)]
    return [*moments, (seconds + _SWEPT, "worker")] if "worker" in names else moments


@dataclass
class Killer:
    """Kills what is named at its moment, and says so; only what run.json lists."""

    home: Home
    moments: Moments
    say: Callable[[str], None] = lambda _: None
    outages: list[Outage] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def back_after(self) -> list[tuple[str, float]]:
        """How many seconds each was away."""
        return [(outage.name, outage.back_at - outage.killed_at) for outage in self.outages]

    async def run(self) -> None:
        """One after the other: each must be back before the next one dies."""
        began = time.monotonic()
        for moment, name in self.moments:
            await asyncio.sleep(began + moment - time.monotonic())
            await self._kill(name)

    async def _kill(self, name: str) -> None:
        pid = self._pid(name)
        if pid is None:
            self.problems.append(f"{name} does not run here, so it cannot be killed")
            return
        os.kill(pid, signal.SIGKILL)
        killed_at = time.monotonic()
        self.say(f"kill -9 {name}")
        while time.monotonic() < killed_at + _PATIENCE:
            await asyncio.sleep(0.1)
            if self._pid(name) not in (None, pid) and await self._is_ready():
                self.outages.append(Outage(name, killed_at, time.monotonic()))
                self.say(f"{name} is back after {time.monotonic() - killed_at:.1f} s")
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
