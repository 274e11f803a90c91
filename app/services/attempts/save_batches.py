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
from app.core.outcome_timeouts import OutcomeTimeouts
from app.repositories.attempts import SaveOutcome, SaveRequest
from app.repositories.attempts.response_log import ResponseLog
from app.repositories.attempts.save_statement import is_unaccounted

log = structlog.get_logger(__name__)

MOST_BATCHES = 2
SINGLE_AT_ONCE = 4
CONNECTIONS = MOST_BATCHES + SINGLE_AT_ONCE
"""Connections of a process for saves: those of the batches, and of requests that are saved one by one."""
MOST_REQUESTS = 256
"""Requests of a batch."""
MOST_RESPONSES = 2_000
"""Responses of a batch, unless its only request has more."""
MOST_WAITING = 10_000
"""Requests that wait in a process. Saving them takes two seconds at 5,000 a second (docs/performance.md)."""

LONGEST_WAIT = 20.0
"""Seconds after which a caller is told to try again: a database that hangs must not hold callers for long."""


@dataclass(frozen=True, slots=True, eq=False)
class _QueuedRequest:
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
        self._callers = OutcomeTimeouts(longest_wait)
        self._queue: deque[_QueuedRequest] = deque()
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
        if len(self._queue) + self._single >= self._most_waiting:
            raise Unavailable
        queued = _QueuedRequest(request, asyncio.get_running_loop().create_future())
        self._queue.append(queued)
        self._start_batches()
        return await self._callers.wait(queued.outcome)

    async def close(self) -> None:
        """Save what waits."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _start_batches(self) -> None:
        if self._queue and not self._is_starting and self._batches < MOST_BATCHES:
            self._batches += 1
            self._is_starting = True
            self._run(self._save_batches())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        # An empty context: the work is not that of the request which happens to start it.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _save_batches(self) -> None:
        batch: list[_QueuedRequest] = []
        is_done = False
        try:
            async with self._log.connection() as connection:
                while batch := self._take_batch():
                    await self._save_one_batch(connection, batch)
                # Counted down before the connection is returned to the pool, so that a request that arrives
                # during the return starts a new batch and does not wait for one.
                self._batches -= 1
                is_done = True
        except Exception as error:
            # A cancellation is not caught: only the end of a process cancels a batch.
            if is_done:
                log.warning("connection_of_saves_not_returned", exc_info=True)
            else:
                failed = batch or self._take_batch()
                self._fail(failed, error)
                self._batches -= 1
                # If nothing failed, every queued request is for an attempt that is being saved; the batch or
                # single save of that attempt takes them next.
                if failed:
                    self._start_batches()

    def _take_batch(self) -> list[_QueuedRequest]:
        """The requests that waited longest, at most one of an attempt."""
        self._is_starting = False
        batch: list[_QueuedRequest] = []
        passed: list[_QueuedRequest] = []
        responses = 0
        while self._queue and len(batch) < MOST_REQUESTS:
            request = self._queue[0].request
            if request.attempt.id in self._attempts:
                passed.append(self._queue.popleft())
                continue
            responses += len(request.events)
            if batch and responses > MOST_RESPONSES:
                break
            self._attempts.add(request.attempt.id)
            batch.append(self._queue.popleft())
        self._start_batches()  # What exceeds this batch goes with another one, if that finds a connection.
        self._queue.extendleft(reversed(passed))
        return batch

    async def _save_one_batch(self, connection: asyncpg.Connection, batch: list[_QueuedRequest]) -> None:
        try:
            outcomes = await self._log.save_skipping_locked(connection, [queued.request for queued in batch])
        except Exception as error:
            # A request that PostgreSQL, the driver or the arguments' encoding refuses fails alone.
            if connection.is_closed() or isinstance(error, TimeoutError):
                raise
            log.warning("batch_of_saves_failed", exc_info=True)
            outcomes = [None] * len(batch)
        decided = [
            (queued, outcome, outcome is None or is_unaccounted(queued.request, outcome))
            for queued, outcome in zip(batch, outcomes, strict=True)
        ]
        # Nothing below fails: a request is never answered with an error while it is saved by itself.
        for queued, outcome, is_single in decided:
            if is_single:
                self._single += 1
                self._run(self._save_single(queued, outcome))
            else:
                queued.succeed(outcome)
                self._attempts.discard(queued.request.attempt.id)

    async def _save_single(self, queued: _QueuedRequest, first: SaveOutcome | None) -> None:
        """Save one request by itself, after whoever has locked its attempt."""
        try:
            async with self._single_turns:
                queued.succeed(await self._log.save_single(queued.request, first))
        except Exception as error:  # noqa: BLE001 -- the caller gets it
            queued.fail(error)
        finally:
            self._single -= 1
            self._attempts.discard(queued.request.attempt.id)
            self._start_batches()

    def _fail(self, batch: list[_QueuedRequest], error: Exception) -> None:
        for queued in batch:
            queued.fail(error)
            self._attempts.discard(queued.request.attempt.id)
