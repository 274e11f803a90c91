"""Steps two transactions statement by statement, in an order that a random generator draws.

Each side works on an engine of its own, which stops before every statement and before every commit. The
schedule lets one side go on at a time. A side that waits for a lock of the other one, as PostgreSQL says,
is left waiting while the other goes on, so the order of statements is the same in every run.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

POLL_SECONDS = 0.002
"""For so long a statement may run before PostgreSQL is asked whether it waits. It decides nothing."""

CONNECTIONS = 2
"""A worker's side holds its job in one transaction and grades in another."""

BLOCKED = """
select exists (select from unnest($1::int[]) as pid where pg_blocking_pids(pid) && $2::int[])
"""


class Stuck(Exception):
    """Neither side goes on and PostgreSQL ends neither."""


@dataclass(eq=False)
class Side:
    """One of two programs: an engine that stops at every statement while `stepping`."""

    name: str
    engine: AsyncEngine
    pids: list[int] = field(default_factory=list)
    stepping: bool = False
    trace: list[tuple[str, str]] = field(default_factory=list)
    """What both sides did, in the order in which they were let go on."""

    def __post_init__(self) -> None:
        self._go = asyncio.Event()
        self._stopped: asyncio.Future[None] | None = None
        self.is_done = False
        self.is_waiting = False
        self._at = ""
        event.listen(self.engine.sync_engine, "before_cursor_execute", self._before_statement)
        event.listen(self.engine.sync_engine, "commit", self._before_commit)

    async def connect(self) -> None:
        """Open the connections, whose server processes are then known."""
        opened = [await self.engine.connect() for _ in range(CONNECTIONS)]
        self.pids = [await each.scalar(text("select pg_backend_pid()")) for each in opened]
        for each in opened:
            await each.close()

    def _before_statement(self, _c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self.stepping:
            await_only(self._stop_at(re.sub(r"\s+", " ", statement).strip()))

    def _before_commit(self, _: Any) -> None:
        if self.stepping:
            await_only(self._stop_at("commit"))

    async def _stop_at(self, label: str) -> None:
        self._at = label
        self._arrive()
        await self._go.wait()
        self._go.clear()
        self.trace.append((self.name, label))

    def _arrive(self) -> None:
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_result(None)

    async def run(self, program: Callable[["Side"], Awaitable[None]]) -> None:
        """Do the program, stopping before its first statement."""
        self.is_done, self.is_waiting, self.stepping = False, False, True
        try:
            await program(self)
        finally:
            self.stepping, self.is_done, self.is_waiting = False, True, False
            self._arrive()

    def prepare(self) -> None:
        """Expect the first stop."""
        self._go.clear()
        self._stopped = asyncio.get_running_loop().create_future()

    def release(self) -> None:
        """Let it go on to its next stop."""
        self.prepare()
        self._go.set()

    @property
    def stopped(self) -> asyncio.Future[None]:
        """Done once it has come to its next stop, or to its end."""
        assert self._stopped is not None
        return self._stopped


class Stepper:
    """Runs two programs by a drawn schedule; `observer` is a connection that only watches."""

    def __init__(self, sides: Sequence[Side], observer: asyncpg.Connection) -> None:
        self.sides = sides
        self._observer = observer

    async def run(
        self,
        programs: Sequence[Callable[[Side], Awaitable[None]]],
        draw: random.Random,
        switch: float,
    ) -> list[tuple[str, str]]:
        """Run both programs to their ends; `switch` is how often the schedule changes sides."""
        trace: list[tuple[str, str]] = []
        for side in self.sides:
            side.trace = trace
            side.prepare()
        tasks = [
            asyncio.create_task(side.run(program)) for side, program in zip(self.sides, programs, strict=True)
        ]
        try:
            async with asyncio.timeout(60):
                await self._schedule(draw, switch)
                await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task
        return trace

    async def _schedule(self, draw: random.Random, switch: float) -> None:
        for side in self.sides:
            await side.stopped
        current = draw.choice(self.sides)
        while free := [side for side in self.sides if not side.is_done and not side.is_waiting]:
            if current not in free or (len(free) > 1 and draw.random() < switch):
                current = next(side for side in free if side is not current)
            current.release()
            await self._settle(current)
            for other in self.sides:
                if other is not current and other.is_waiting:
                    await self._settle(other)
            if all(side.is_waiting for side in self.sides):
                await self._end_deadlock()

    async def _settle(self, side: Side) -> None:
        """Wait until it has stopped, or until PostgreSQL says that it waits for the other."""
        other = next(each for each in self.sides if each is not side)
        while not (await asyncio.wait({side.stopped}, timeout=POLL_SECONDS))[0]:
            if not other.is_done and await self._observer.fetchval(BLOCKED, side.pids, other.pids):
                side.is_waiting = True
                return
        side.is_waiting = False

    async def _end_deadlock(self) -> None:
        """PostgreSQL ends one of two that wait for each other; its program then fails."""
        stops = [side.stopped for side in self.sides]
        ended, _ = await asyncio.wait(stops, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        if not ended:
            raise Stuck
        for side in self.sides:
            if side.stopped.done():
                side.is_waiting = False
        for side in self.sides:
            if side.is_waiting:
                await self._settle(side)
