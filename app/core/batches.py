"""Carries out requests of many callers in batches: those that arrived during the batch before."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from typing import Any, TypeAlias, TypeVar

from app.core.errors import Unavailable
from app.core.outcome_timeouts import OutcomeTimeouts

Request = TypeVar("Request")
Outcome = TypeVar("Outcome")
Work: TypeAlias = Callable[[Sequence[Request]], Awaitable[Sequence[Outcome]]]
"""Carries out a batch, and returns the outcome of each of its requests."""

_QueuedRequest: TypeAlias = tuple[Any, "asyncio.Future[Any]"]


class Batches:
    """Carries out requests of one key together, one batch of a key after the other.

    A request starts immediately if no batch of its key and fewer than `most_running` batches are running. No
    request waits for a batch to fill. If all places are taken, keys wait in the order of their first request.
    """

    def __init__(
        self,
        *,
        most_running: int = 8,
        most: int = 128,
        most_waiting: int = 10_000,
        longest_wait: float = 20.0,
    ) -> None:
        self._turns = asyncio.Semaphore(most_running)
        self._most = most
        self._most_waiting = most_waiting
        self._timeouts = OutcomeTimeouts(longest_wait)
        self._queues: dict[Hashable, deque[_QueuedRequest]] = {}
        self._queued_count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def outcome(self, key: Hashable, request: Request, work: Work[Request, Outcome]) -> Outcome:
        """The outcome of a request. All requests of a key must pass the same `work`.

        If the caller is cancelled, the request may be carried out all the same. Raises what `work` raises,
        and Unavailable if too many requests wait, or if this one has waited for too long.
        """
        if self._queued_count >= self._most_waiting:
            raise Unavailable
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queued_count += 1
        if (queue := self._queues.get(key)) is None:
            queue = self._queues[key] = deque()
            # An empty context: log lines of a batch must not have the id of the request that started it.
            task = asyncio.get_running_loop().create_task(self._run(key, work), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        queue.append((request, future))
        return await self._timeouts.wait(future)

    async def close(self) -> None:
        """Carry out what waits."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, key: Hashable, work: Work[Any, Any]) -> None:
        queue = self._queues[key]
        try:
            while queue:
                async with self._turns:
                    if batch := self._next(queue):
                        await _carry_out(batch, work)
        finally:
            # Also after an error: the next request starts a task only if its key has no queue.
            self._queued_count -= len(queue)
            del self._queues[key]

    def _next(self, queue: deque[_QueuedRequest]) -> Sequence[_QueuedRequest]:
        """The next requests of a queue, without those whose callers wait no more."""
        batch: list[_QueuedRequest] = []
        while queue and len(batch) < self._most:
            request, future = queue.popleft()
            self._queued_count -= 1
            if not future.done():
                batch.append((request, future))
        return batch


async def _carry_out(batch: Sequence[_QueuedRequest], work: Work[Any, Any]) -> None:
    try:
        outcomes = await work([request for request, _ in batch])
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 -- each caller gets it
        failed = Unavailable() if isinstance(error, asyncio.CancelledError) else error
        for _, future in batch:
            if not future.done():  # The caller may have gone.
                future.set_exception(failed)
        return
    for (_, future), outcome in zip(batch, outcomes, strict=True):
        if not future.done():
            future.set_result(outcome)
