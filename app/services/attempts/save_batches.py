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
from app.core.outages import is_outage_for_all
from app.core.outcome_timeouts import OutcomeTimeouts
from app.repositories.attempts import SaveOutcome, SaveRequest
from app.repositories.attempts.response_log import ResponseLog
from app.repositories.attempts.save_statement import has_events_of_others

log = structlog.get_logger(__name__)

MAX_CONCURRENT_BATCHES = 2
MAX_CONCURRENT_SINGLES = 4
CONNECTIONS = MAX_CONCURRENT_BATCHES + MAX_CONCURRENT_SINGLES
"""Connections of a process for saves: those of the batches, and of requests that are saved one by one."""
MAX_REQUESTS_PER_BATCH = 256
"""Requests of a batch."""
MAX_RESPONSES_PER_BATCH = 2_000
"""Responses of a batch, unless its only request has more."""
MAX_WAITING_REQUESTS = 10_000
"""Requests that wait in a process. Saving them takes two seconds at 5,000 a second (docs/performance.md)."""

MAX_WAIT_SECONDS = 20.0
"""Seconds in the queue after which a caller is told to try again: a database that hangs must not hold callers
for long. It limits each wait in the queue, not the whole request, which may wait twice and read before."""


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

    A request that finds fewer than two batches running is saved at once. The requests of an attempt are
    saved in their order: each waits until the one before it is saved.

    A request that fails does not fail others. A batch skips attempts that another transaction has locked:
    these requests are saved one by one, and so is each request of a batch that fails. They have four
    connections of their own. While these wait for locks, further requests for locked attempts are set aside;
    when one of the four is free again, the next batches try them once more. In an outage, for example if
    the connection is lost or the statement times out, all requests of the batch fail with 503.
    """

    def __init__(
        self,
        log: ResponseLog,
        most_waiting: int = MAX_WAITING_REQUESTS,
        longest_wait: float = MAX_WAIT_SECONDS,
    ) -> None:
        self._log = log
        self._most_waiting = most_waiting
        self._callers = OutcomeTimeouts(longest_wait)
        self._waiting = 0
        """Requests without an outcome, those that are being saved included."""
        self._queue: deque[_QueuedRequest] = deque()
        """What the next batches take. It has at most one request of an attempt."""
        self._later_of_attempt: dict[UUID, list[_QueuedRequest]] = {}
        """Of each attempt that has a request in the queue or being saved: the requests that come after it."""
        self._batches = 0
        self._is_batch_starting = False
        """A batch was started and has not taken its requests. No other is started until then."""
        self._single_turns = asyncio.Semaphore(MAX_CONCURRENT_SINGLES)
        self._singles = 0
        """Requests that are saved one by one, or wait for a turn to be."""
        self._set_aside: deque[_QueuedRequest] = deque()
        """Requests for locked attempts. They return to the queue when a single save ends and fewer than
        `MAX_CONCURRENT_SINGLES` are left."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def save(self, request: SaveRequest) -> SaveOutcome | None:
        """Save and commit; None where the attempt is not this person's.

        If the caller is cancelled, the responses may be saved all the same. Raises Unavailable if too many
        requests wait, or if this one has waited for too long.
        """
        if self._waiting >= self._most_waiting:
            raise Unavailable
        queued = _QueuedRequest(request, asyncio.get_running_loop().create_future())
        self._waiting += 1
        if (after := self._later_of_attempt.get(request.attempt.id)) is not None:
            after.append(queued)
        else:
            self._later_of_attempt[request.attempt.id] = []
            self._queue.append(queued)
            self._start_batches()
        return await self._callers.wait(queued.outcome)

    async def close(self) -> None:
        """Save what waits. If the database hangs, only the end of the process stops this."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _start_batches(self) -> None:
        if self._queue and not self._is_batch_starting and self._batches < MAX_CONCURRENT_BATCHES:
            self._batches += 1
            self._is_batch_starting = True
            self._run(self._save_with_connection())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        # An empty context: the work is not that of the request which happens to start it.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _save_with_connection(self) -> None:
        """Open a connection, save batch after batch, and return the connection."""
        has_connection = False
        try:
            async with self._log.connection() as connection:
                has_connection = True
                await self._save_until_empty(connection)
        except Exception as error:
            # A cancellation is not caught: only the end of a process cancels a batch.
            if has_connection:
                log.warning("connection_of_saves_not_returned", exc_info=True)
            else:
                # Fail the next batch: there is no connection for it.
                self._fail(self._take_batch(), error)
                self._end_batches()

    async def _save_until_empty(self, connection: asyncpg.Connection) -> None:
        while batch := self._take_batch():
            try:
                await self._save_one_batch(connection, batch)
            except Exception as error:  # noqa: BLE001 -- the callers get it
                self._fail(batch, error)
                break
        # Before the connection is returned to the pool: what arrives during the return starts a new batch.
        self._end_batches()

    def _end_batches(self) -> None:
        self._batches -= 1
        self._start_batches()

    def _take_batch(self) -> list[_QueuedRequest]:
        """The requests that waited longest."""
        self._is_batch_starting = False
        batch: list[_QueuedRequest] = []
        responses = 0
        while self._queue and len(batch) < MAX_REQUESTS_PER_BATCH:
            responses += len(self._queue[0].request.events)
            if batch and responses > MAX_RESPONSES_PER_BATCH:
                break
            batch.append(self._queue.popleft())
        self._start_batches()  # What exceeds this batch goes with another one, if that finds a connection.
        return batch

    async def _save_one_batch(self, connection: asyncpg.Connection, batch: list[_QueuedRequest]) -> None:
        try:
            outcomes = await self._log.save_skipping_locked(connection, [queued.request for queued in batch])
        except Exception as error:
            # A request that PostgreSQL, the driver or the arguments' encoding refuses fails alone.
            if connection.is_closed() or is_outage_for_all(error):
                raise
            log.warning("batch_of_saves_failed", exc_info=True)
            for queued in batch:
                self._start_single(queued)
            return
        decided = [
            (queued, outcome, outcome is not None and has_events_of_others(queued.request, outcome))
            for queued, outcome in zip(batch, outcomes, strict=True)
        ]
        # Nothing below may raise: `_fail` would answer requests whose single saves have started.
        for queued, outcome, is_incomplete in decided:
            if is_incomplete:
                self._start_single(queued, outcome)
            elif outcome is not None:
                queued.succeed(outcome)
                self._release(queued)
            elif self._singles < MAX_CONCURRENT_SINGLES:
                self._start_single(queued)
            else:
                self._set_aside.append(queued)

    def _start_single(self, queued: _QueuedRequest, outcome_in_batch: SaveOutcome | None = None) -> None:
        self._singles += 1
        self._run(self._save_single(queued, outcome_in_batch))

    async def _save_single(self, queued: _QueuedRequest, outcome_in_batch: SaveOutcome | None) -> None:
        """Save one request by itself, after whoever has locked its attempt."""
        try:
            async with self._single_turns:
                queued.succeed(await self._log.save_single(queued.request, outcome_in_batch))
        except Exception as error:  # noqa: BLE001 -- the caller gets it
            queued.fail(error)
        finally:
            self._release(queued)
            self._singles -= 1
            if self._singles < MAX_CONCURRENT_SINGLES:
                self._queue.extendleft(reversed(self._set_aside))  # In front, in their order.
                self._set_aside.clear()
            self._start_batches()

    def _fail(self, batch: list[_QueuedRequest], error: Exception) -> None:
        for queued in batch:
            queued.fail(error)
            self._release(queued)

    def _release(self, queued: _QueuedRequest) -> None:
        """Let the next request of the attempt into the queue, in front: it has waited for this one."""
        self._waiting -= 1
        attempt_id = queued.request.attempt.id
        if after := self._later_of_attempt[attempt_id]:
            self._queue.appendleft(after.pop(0))
        else:
            del self._later_of_attempt[attempt_id]
