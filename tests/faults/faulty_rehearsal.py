"""Candidates who take a test while a fault happens, and what is checked afterwards."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from rehearsal.run import Options, Rehearsal
from tests.faults.system import System, environment_of

_FAULT_BEGINS = 0.25
"""The fault begins at this share of the test's time, when all have started and few have submitted."""

_MAX_RESPONSE_SECONDS = 36.0
"""Seconds after which even a request that fails must have been answered."""

Inject = Callable[[System], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `inject` begins it on entering and takes it away on leaving, `seconds` later."""

    name: str
    title: str
    inject: Inject
    seconds: float = 0.0
    recovery: int = 0
    """How much longer than others the test takes, so that it outlasts a slow restart on a busy machine."""
    needs_disk: bool = False
    """Whether it fills a file system of its own, which only root may mount; elsewhere it is skipped."""
    expects: str | None = None
    """What /health/ready must say at least once while it lasts."""
    during: Callable[[System], Awaitable[list[str]]] | None = None
    """A further check while the fault lasts; returns what is wrong."""


@dataclass(slots=True)
class Observed:
    """What was seen. The scenario has passed if `problems` is empty."""

    name: str
    title: str
    problems: list[str] = field(default_factory=list)
    delays: list[str] = field(default_factory=list)
    """What came too late by the server's clock: the test was too short for this machine."""
    acknowledged: int = 0
    waits: int = 0
    lost: int = 0
    slowest_save: float = 0.0
    slowest_refusal: float = 0.0
    said: list[str] = field(default_factory=list)
    skipped: bool = False
    healed_after: float | None = None
    seconds: float = 0.0


class FaultyRehearsal(Rehearsal):
    """A rehearsal in the middle of which a fault happens."""

    def __init__(self, options: Options, fault: Callable[[], Awaitable[None]]) -> None:
        super().__init__(options)
        self._fault = fault

    async def _take_test(self) -> None:
        await asyncio.gather(self._inject(), *(attempt.take() for attempt in self.attempts))

    async def _inject(self) -> None:
        await asyncio.sleep(_FAULT_BEGINS * self.options.seconds)
        await self._fault()


async def rehearse_fault(
    system: System, fault: Fault, *, seed: int, candidates: int = 8, seconds: int = 16
) -> Observed:
    """Let candidates take a test of so many seconds while the fault happens, and check everything."""
    began, observed = time.monotonic(), Observed(fault.name, fault.title)

    async def happen() -> None:
        try:
            await _happen(system, fault, observed)
        except Exception as error:  # noqa: BLE001 -- the candidates are to finish, and the table is to tell
            observed.problems.append(f"{type(error).__name__}: {error}")

    with environment_of(system):
        options = Options(system.api_url, system.home.run_file, candidates, 12, seconds, devices=2, seed=seed)
        rehearsal = FaultyRehearsal(options, happen)
        try:
            async with asyncio.timeout(300):
                await rehearsal.run()
        except Exception as error:  # noqa: BLE001
            observed.problems.append(f"{type(error).__name__}: {error}")
    _note(rehearsal, observed)
    observed.seconds = time.monotonic() - began
    return observed


async def _happen(system: System, fault: Fault, observed: Observed) -> None:
    watching = asyncio.create_task(_watch(system, observed))
    try:
        async with fault.inject(system):
            held = asyncio.create_task(asyncio.sleep(fault.seconds))
            if fault.during is not None:
                observed.problems += await fault.during(system)
            await held
            ended = time.monotonic()
        await system.wait_until_ready(90)
        observed.healed_after = time.monotonic() - ended
    finally:
        watching.cancel()
    if fault.expects is not None and fault.expects not in observed.said:
        observed.problems.append(f"/health/ready said {observed.said}, never {fault.expects}")


async def _watch(system: System, observed: Observed) -> None:
    """Note what /health/ready says, each change once."""
    while True:
        said = await system.readiness()
        if not observed.said or observed.said[-1] != said:
            observed.said.append(said)
        await asyncio.sleep(0.2)


def _note(rehearsal: Rehearsal, observed: Observed) -> None:
    counts, latencies = rehearsal.metrics.counts, rehearsal.metrics.latencies
    observed.problems += rehearsal.problems
    observed.delays += rehearsal.delays
    observed.acknowledged = sum(len(attempt.log.acknowledged) for attempt in rehearsal.attempts)
    observed.waits = counts["responses 503"]
    observed.lost = counts["connections lost"]
    observed.slowest_save = max(latencies["save"], default=0.0)
    observed.slowest_refusal = max(latencies["responses 503"], default=0.0)
    if counts["malformed refusals"]:
        observed.problems.append(
            f"{counts['malformed refusals']} answers with 429 or 503 had no Retry-After or problem document"
        )
    if observed.slowest_refusal > _MAX_RESPONSE_SECONDS:
        observed.problems.append(f"a 503 came after {observed.slowest_refusal:.0f} s")
    if not observed.acknowledged:
        observed.problems.append("no answer was acknowledged")
