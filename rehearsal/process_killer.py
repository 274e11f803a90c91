"""kill -9 of programs of an `ias up`, and a check that they are started again."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

_BACK_WITHIN = 120.0
_FIRST, _LAST = 0.3, 0.65
"""The programs are killed between these shares of the test's time."""
_GRADING_AFTER = 12.0
"""So many seconds after the test's time, attempts that nobody submitted are being graded."""


KillSchedule = Sequence[tuple[float, str]]
"""Seconds from the beginning, and the name of the program that is killed."""


@dataclass(frozen=True, slots=True)
class Outage:
    """How long a program was not available, by this process's monotonic clock."""

    name: str
    killed_at: float
    back_at: float


def kill_schedule(names: Sequence[str], seconds: float) -> KillSchedule:
    """Kill one program after the other in the middle of a test, and the worker again while it grades."""
    step = (_LAST - _FIRST) / max(1, len(names) - 1)
    moments = [((_FIRST + step * number) * seconds, name) for number, name in enumerate(names)]
    return [*moments, (seconds + _GRADING_AFTER, "worker")] if "worker" in names else moments


@dataclass
class ProcessKiller:
    """Kills programs that run.json lists, each at its time, and reports it."""

    run_file: Path
    schedule: KillSchedule
    report: Callable[[str], None] = lambda _: None
    outages: list[Outage] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def recovery_times(self) -> list[tuple[str, float]]:
        """The seconds until each program was available again."""
        return [(outage.name, outage.back_at - outage.killed_at) for outage in self.outages]

    async def run(self) -> None:
        """Kill one program after the other; each must be available again before the next one is killed."""
        began = time.monotonic()
        for moment, name in self.schedule:
            await asyncio.sleep(began + moment - time.monotonic())
            await self._kill(name)

    async def _kill(self, name: str) -> None:
        pid = self._pid(name)
        if pid is None:
            self.problems.append(f"{name} does not run here, so it cannot be killed")
            return
        os.kill(pid, signal.SIGKILL)
        killed_at = time.monotonic()
        self.report(f"kill -9 {name}")
        while time.monotonic() < killed_at + _BACK_WITHIN:
            await asyncio.sleep(0.1)
            if self._pid(name) not in (None, pid) and await self._is_ready():
                self.outages.append(Outage(name, killed_at, time.monotonic()))
                self.report(f"{name} is back after {time.monotonic() - killed_at:.1f} s")
                return
        self.problems.append(f"{name} was killed and is not back after {_BACK_WITHIN:.0f} s")

    def _pid(self, name: str) -> int | None:
        """The process id in run.json, which `ias up` writes again after it has replaced a program."""
        run = self._read_run()
        return run["pids"].get(name) if run else None

    async def _is_ready(self) -> bool:
        run = self._read_run()
        if run is None:
            return False
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            try:
                answer = await http.get(f"{run['api_url']}/v1/health/ready")
            except httpx.TransportError:
                return False
        return answer.is_success and answer.json()["status"] == "ready"

    def _read_run(self) -> dict[str, Any] | None:
        with suppress(FileNotFoundError, ValueError):
            run: dict[str, Any] = json.loads(self.run_file.read_text())
            return run
        return None
