"""Two transactions at once: the first holds what it has locked while the second runs into it.

Nothing here waits for a while and hopes. PostgreSQL says whether the second transaction waits for the first.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import DomainError
from app.database import driver_connection
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.waiting import PATIENCE

Work = Callable[[UnitOfWork], Awaitable[Any]]

PID = text("select pg_backend_pid()")
BLOCKED = "select $1 = any(pg_blocking_pids($2))"
BLOCKING = """
    select exists (
        select from pg_stat_activity
        where coalesce(wait_event_type, 'Lock') = 'Lock' and $1 = any(pg_blocking_pids(pid))
    )
"""
WAITING = """
    select count(*) >= $1 from pg_stat_activity
    where datname = current_database() and coalesce(wait_event_type, 'Lock') = 'Lock'
        and cardinality(pg_blocking_pids(pid)) > 0
"""
POLL_SECONDS = 0.002


@dataclass
class Outcome:
    """What came of one of the two: a value or an error."""

    value: Any = None
    error: Exception | None = None

    @property
    def code(self) -> str:
        """`ok`, or the code of the problem document."""
        if self.error is None:
            return "ok"
        return self.error.code if isinstance(self.error, DomainError) else type(self.error).__name__

    def result(self) -> Any:
        """The value; raises the error if there is one."""
        if self.error is not None:
            raise self.error
        return self.value


@dataclass
class Overlap:
    """What came of both, and whether the second one waited for the first one's commit."""

    first: Outcome
    second: Outcome
    waited: bool = False
    ranks: list[list[int]] = field(default_factory=list)
    """The ranks of the locks that each of them took, in the order in which it took them."""


async def overlap(engine: AsyncEngine, first: Work, second: Work) -> Overlap:
    """Run `first` up to its commit, then `second`; commit `first` when `second` waits for it or is done."""
    begun: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    both = Overlap(Outcome(), Outcome())
    async with asyncio.timeout(PATIENCE):
        other: asyncio.Task[None] | None = None
        try:
            async with unit_of_work(engine) as uow:
                holder = await uow.session.scalar(PID)
                both.first.value = await first(uow)
                await uow.session.flush()
                both.ranks.append(list(uow.session.info.get("locks", [])))
                other = asyncio.create_task(_second(engine, second, both, begun))
                both.waited = await polled(engine, BLOCKED, holder, await begun, until=other)
        except Exception as error:  # noqa: BLE001 -- the caller looks at it
            both.first.error = error
        if other is not None:
            await other
    assert both.ranks == [sorted(ranks) for ranks in both.ranks], "locks were taken out of their order"
    return both


async def until_waiting(engine: AsyncEngine, count: int) -> None:
    """Return when so many transactions of this database wait for another one."""
    await polled(engine, WAITING, count)


async def is_waited_for(engine: AsyncEngine, holder: int, other: "asyncio.Task[Any]") -> bool:
    """True once some transaction waits for that of this process id, False once the task has ended without."""
    return await polled(engine, BLOCKING, holder, until=other)


async def polled(
    engine: AsyncEngine, question: str, *arguments: object, until: asyncio.Task[Any] | None = None
) -> bool:
    """True once PostgreSQL answers yes, False once the task has ended without."""
    async with asyncio.timeout(PATIENCE), driver_connection(engine) as observer:
        while until is None or not until.done():
            if await observer.fetchval(question, *arguments):
                return True
            await asyncio.sleep(POLL_SECONDS)
    return False


async def alone(engine: AsyncEngine, work: Work) -> Outcome:
    """Do something in a transaction of its own."""
    outcome = Outcome()
    try:
        async with unit_of_work(engine) as uow:
            outcome.value = await work(uow)
    except Exception as error:  # noqa: BLE001 -- the caller looks at it
        outcome.error = error
    return outcome


async def _second(engine: AsyncEngine, work: Work, both: Overlap, begun: asyncio.Future[int]) -> None:
    try:
        async with unit_of_work(engine) as uow:
            begun.set_result(await uow.session.scalar(PID) or 0)
            try:
                both.second.value = await work(uow)
            finally:
                both.ranks.append(list(uow.session.info.get("locks", [])))
    except Exception as error:  # noqa: BLE001 -- the caller looks at it
        both.second.error = error
