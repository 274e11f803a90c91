"""Saves of many candidates in one transaction: whatever arrived while the one before was running.

The reasons are in docs/decisions/0088.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from contextvars import Context
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from app.core.errors import Unavailable
from app.core.waiting import Waiting
from app.repositories.attempts import SaveOutcome, SaveRequest
from app.repositories.attempts.response_log import ResponseLog
from app.repositories.attempts.save_statement import is_unaccounted

log = structlog.get_logger(__name__)

BATCHES_AT_ONCE = 2
SINGLE_AT_ONCE = 4
CONNECTIONS = BATCHES_AT_ONCE + SINGLE_AT_ONCE
"""Connections of a process for saves: those of the batches, and of requests that are saved one by one."""
MOST_REQUESTS = 256
"""Requests of a batch."""
MOST_RESPONSES = 2_000
"""Responses of a batch, unless its only request has more."""
MOST_WAITING = 10_000
"""Requests that wait in a process. Saving them takes a second or two."""

LONGEST_WAIT = 20.0
"""Seconds after which a caller is told to try again: a database that hangs must not hold callers for long."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    request: SaveRequest
    outcome: "asyncio.Future[SaveOutcome | None]"

    def succeed(self, outcome: SaveOutcome | None) -> None:
        if not self.outcome.done():  # The caller may have gone.
            self.outcome.set_result(outcome)

    def fail(self, error: BaseException) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)


class SaveBatches:
    """Saves responses. Each caller is answered after the commit of the transaction that has its responses.

    A request that finds a free connection is saved at once. A batch has at most one request of an attempt,
    and no other batch has one at the same time: the requests of an attempt are saved in their order.

    A batch skips attempts that another transaction has locked: these requests are saved one by one, and so is
    each request of a batch that fails. So no request harms those of others. If the connection is lost or the
    statement times out, all requests of the batch fail with 503.
    """

    def __init__(
        self, log: ResponseLog, most_waiting: int = MOST_WAITING, longest_wait: float = LONGEST_WAIT
    ) -> None:
        self._log = log
        self._most_waiting = most_waiting
        self._callers = Waiting(longest_wait)
        self._waiting: deque[_Waiting] = deque()
        self._attempts: set[UUID] = set()
        """The attempts of the requests that are being saved."""
        self._batches = 0
        self._is_starting = False
        """Whether a started batch has not taken its requests yet. It will take what arrives until then, so no
        second one is started."""
        self._single_turns = asyncio.Semaphore(SINGLE_AT_ONCE)
        self._single = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def save(self, request: SaveRequest) -> SaveOutcome | None:
        """Save and commit; None where the attempt is not this person's.

        If the caller is cancelled, the responses may be saved all the same. Raises Unavailable if too many
        requests wait, or if this one has waited for too long.
        """
        if len(self._waiting) + self._single >= self._most_waiting:
            raise Unavailable
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._start_batches()
        return await self._callers.outcome(waiting.outcome)

    async def close(self) -> None:
        """Save what waits."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _start_batches(self) -> None:
        if self._waiting and not self._is_starting and self._batches < BATCHES_AT_ONCE:
            self._batches += 1
            self._is_starting = True
            self._run(self._save_batches())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        # An empty context: the work is not that of the request which happens to start it.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _save_batches(self) -> None:
        batch: list[_Waiting] = []
        is_done = False
        try:
            async with self._log.connection() as connection:
                while batch := self._take_batch():
                    await self._save(connection, batch)
                # Counted down before the connection is returned to the pool, so that a request that arrives
                # during the return starts a new batch and does not wait for one.
                self._batches -= 1
                is_done = True
        except Exception as error:  # noqa: BLE001 -- each caller gets it
            if not is_done:
                failed = batch or self._take_batch()
                self._fail(failed, error)
                self._batches -= 1
                # If nothing failed, every queued request is for an attempt that is being saved; the batch or
                # single save of that attempt takes them next.
                if failed:
                    self._start_batches()

    def _take_batch(self) -> list[_Waiting]:
        """The requests that waited longest, at most one of an attempt."""
        self._is_starting = False
        batch: list[_Waiting] = []
        passed: list[_Waiting] = []
        responses = 0
        while self._waiting and len(batch) < MOST_REQUESTS:
            request = self._waiting[0].request
            if request.attempt.id in self._attempts:
                passed.append(self._waiting.popleft())
                continue
            responses += len(request.events)
            if batch and responses > MOST_RESPONSES:
                break
            self._attempts.add(request.attempt.id)
            batch.append(self._waiting.popleft())
        self._start_batches()  # What exceeds this batch goes with another one, if that finds a connection.
        self._waiting.extendleft(reversed(passed))
        batch.sort(key=lambda waiting: waiting.request.attempt.id)
        return batch

    async def _save(self, connection: asyncpg.Connection, batch: list[_Waiting]) -> None:
        try:
            outcomes = await self._log.save_unlocked(connection, [waiting.request for waiting in batch])
        except Exception as error:
            # A request that PostgreSQL, the driver or the arguments' encoding refuses fails alone.
            if connection.is_closed() or isinstance(error, TimeoutError):
                raise
            log.warning("batch_of_saves_failed", exc_info=True)
            outcomes = [None] * len(batch)
        decided = [
            (waiting, outcome, outcome is None or is_unaccounted(waiting.request, outcome))
            for waiting, outcome in zip(batch, outcomes, strict=True)
        ]
        # Nothing below fails: a request is never answered with an error while it is saved by itself.
        for waiting, outcome, is_single in decided:
            if is_single:
                self._single += 1
                self._run(self._save_single(waiting, outcome))
            else:
                waiting.succeed(outcome)
                self._attempts.discard(waiting.request.attempt.id)

    async def _save_single(self, waiting: _Waiting, first: SaveOutcome | None) -> None:
        """Save one request by itself, after whoever has locked its attempt."""
        try:
            async with self._single_turns:
                waiting.succeed(await self._log.save_single(waiting.request, first))
        except Exception as error:  # noqa: BLE001 -- the caller gets it
            waiting.fail(error)
        finally:
            self._single -= 1
            self._attempts.discard(waiting.request.attempt.id)
            self._start_batches()

    def _fail(self, batch: list[_Waiting], error: Exception) -> None:
        for waiting in batch:
            waiting.fail(error)
            self._attempts.discard(waiting.request.attempt.id)
