"""A read replica for requests that may read what was true some seconds ago (docs/decisions/0094)."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
import structlog
from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.cache import REDIS_FAILURES
from app.core.telemetry import replica_lag_seconds, replica_reads_total
from app.services.components import Components
from app.services.unit_of_work import Reading, looking, reading

SECONDS = 1.0
"""The interval at which the replica is compared with the primary."""
TIMEOUT = 2.0
"""Seconds for a comparison, and for a connection to the replica."""
REDIS_SECONDS = 0.2

_FAILURES = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WritePosition:
    """The primary had written up to a position at a time."""

    at: float
    position: int


def lag_of(marks: deque[WritePosition], replayed: int, now: float) -> float:
    """How far a replica is behind that has replayed up to a position.

    It shows everything up to the last mark that it has passed. The servers' clocks do not matter, and a
    replica that has lost its connection falls behind as well.
    """
    if marks[-1].position <= replayed:
        return 0.0
    passed = [mark.at for mark in marks if mark.position <= replayed]
    return now - (passed[-1] if passed else marks[0].at)


class Replica:
    """Decides whether a request reads from the replica. Without a usable one it reads from the primary."""

    def __init__(self, engine: AsyncEngine, probe: AsyncEngine, redis: Redis, longest_lag: float) -> None:
        self._engine = engine
        self._probe = probe
        self._redis = redis
        self._longest_lag = longest_lag
        self._marks: deque[WritePosition] = deque(maxlen=60)
        self._usable_until = 0.0
        self._is_used = False

    async def step(self) -> None:
        """Compare the replica with the primary, and decide until the next comparison."""
        try:
            async with asyncio.timeout(TIMEOUT):
                lag = await self._compare()
        except _FAILURES as error:
            self._stop_using(repr(error))
            return
        if lag is None:
            self._stop_using("not a replica")
            return
        replica_lag_seconds.set(lag)
        if lag > self._longest_lag:
            self._stop_using("behind", lag=round(lag, 1))
            return
        # A comparison that hangs must not leave the decision as it is.
        self._usable_until = time.monotonic() + SECONDS + TIMEOUT
        if not self._is_used:
            log.info("replica_used", lag=round(lag, 1))
        self._is_used = True

    async def note_write(self, user_id: str) -> None:
        """Remember that a person has just written. Until the replica shows it, they read from the primary."""
        milliseconds = int(1000 * (self._longest_lag + SECONDS + TIMEOUT))
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                await self._redis.set(_key(user_id), 1, px=milliseconds)
        except REDIS_FAILURES as error:
            log.warning("write_not_noted", error=repr(error))

    async def open(self, stack: AsyncExitStack, primary: AsyncEngine, user_id: str) -> Reading | None:
        """A transaction on the replica, or None if this person must read from the primary now."""
        if time.monotonic() > self._usable_until or await self._may_miss_writes(user_id):
            return None
        opening = AsyncExitStack()
        try:
            async with asyncio.timeout(TIMEOUT):
                reads = await opening.enter_async_context(reading(self._engine, primary=primary))
                await reads.session.connection()
        except _FAILURES as error:
            await opening.aclose()
            self._stop_using(repr(error))
            return None
        stack.push_async_exit(opening)
        return reads

    async def _compare(self) -> float | None:
        async with looking(self._probe) as reads:
            self._marks.append(WritePosition(time.monotonic(), await reads.health.written()))
        async with looking(self._engine) as reads:
            replayed = await reads.health.replayed()
        return None if replayed is None else lag_of(self._marks, replayed, time.monotonic())

    async def _may_miss_writes(self, user_id: str) -> bool:
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                return bool(await self._redis.exists(_key(user_id)))
        except REDIS_FAILURES:
            return True

    def _stop_using(self, reason: str, **more: float) -> None:
        if self._is_used or not self._usable_until:
            log.warning("replica_not_used", reason=reason, **more)
        if not more:
            replica_lag_seconds.set(-1)
        # Not 0, so that a replica that was never usable is logged once.
        self._usable_until, self._is_used = 0.1, False


@asynccontextmanager
async def reading_with_lag(parts: Components, user_id: str | None) -> AsyncIterator[Reading]:
    """Like `reading`, from the replica if there is one and it is recent enough for this person.

    What a person has written themselves is always shown to them, as long as Redis answers.
    """
    async with AsyncExitStack() as stack:
        reads = None
        if parts.replica is not None:
            if user_id is not None:
                reads = await parts.replica.open(stack, parts.engine, user_id)
            replica_reads_total.labels("primary" if reads is None else "replica").inc()
        if reads is None:
            reads = await stack.enter_async_context(reading(parts.engine))
        yield reads


def _key(user_id: str) -> str:
    return f"ias:wrote:{user_id}"
