"""How a job runs: once, in one transaction with the mark that it is done (docs/decisions/0016)."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from celery.signals import worker_process_init, worker_process_shutdown
from structlog.contextvars import bound_contextvars

from app.config import Settings, get_settings
from app.core.telemetry import redact_text, task_seconds, tasks_total
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.startup import open_components
from app.workers.celery_app import TASK_SECONDS, celery_app
from app.workers.leases import MAX_DELIVERIES, retry_delay

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What a task is given besides its arguments.

    Its job is finished in the transaction of `uow`. A task with many independent parts gives each a
    transaction of its own over `parts.engine`; whatever repeats after a crash must then do no harm.
    """

    uow: UnitOfWork
    now: datetime
    parts: Components


Task = Callable[..., Coroutine[Any, Any, None]]


def task(function: Task) -> Task:
    """Let jobs called like this function be run by it: `async def name(work: Work, *, …_id: str)`.

    The message carries the job's id alone, so whoever can write to Redis can ask for nothing new.
    """

    def run(self: Any) -> None:
        _current_runner().run(UUID(self.request.id), function)

    celery_app.task(name=function.__name__, bind=True)(run)
    return function


class JobRunner:
    """What a worker's process keeps between jobs: its event loop, and the parts that live in it."""

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._parts = self._loop.run(
            self._stack.enter_async_context(
                open_components(settings, application_name="ias-task", pool_size=2)
            )
        )

    def close(self) -> None:
        """Close what was opened."""
        self._loop.run(self._stack.aclose())
        self._loop.close()

    def run(self, job_id: UUID, function: Task) -> None:
        """Run the job unless it is done or being done elsewhere. Its failure is noted, not raised."""
        with bound_contextvars(job_id=str(job_id), task=function.__name__):
            self._loop.run(self._run(job_id, function))

    async def _run(self, job_id: UUID, function: Task) -> None:
        began, outcome = time.monotonic(), "failed"
        try:
            async with asyncio.timeout(TASK_SECONDS), unit_of_work(self._parts.engine) as uow:
                outcome = await self._do(uow, job_id, function)
        except Exception as error:  # noqa: BLE001 -- whatever went wrong, the job gets its next chance
            outcome = await self._note_failure(job_id, error)
        finally:
            tasks_total.labels(function.__name__, outcome).inc()
            task_seconds.labels(function.__name__).observe(time.monotonic() - began)

    async def _do(self, uow: UnitOfWork, job_id: UUID, function: Task) -> str:
        job = await uow.jobs.lock_unfinished(job_id)
        if job is None:
            return "done_elsewhere"
        now = self._parts.clock.now()
        if job.deliveries > MAX_DELIVERIES:
            # It has never failed in order, or it would not be here: it takes its worker along.
            await self._give_up(uow, job_id, f"not done after {MAX_DELIVERIES} deliveries")
            return "given_up"
        # Marked first and committed last: between the task's end and the commit nothing is left to go wrong
        # but the commit itself.
        await uow.jobs.finish(job_id, now)
        await function(Work(uow, now, self._parts), **job.arguments)
        return "done"

    async def _note_failure(self, job_id: UUID, error: Exception) -> str:
        async with unit_of_work(self._parts.engine) as uow:
            job = await uow.jobs.lock_unfinished(job_id)
            if job is None:
                return "failed"
            log.warning("job_failed", deliveries=job.deliveries, exc_info=error)
            if job.deliveries >= MAX_DELIVERIES:
                await self._give_up(uow, job_id, redact_text(f"{type(error).__name__}: {error}")[:500])
                return "given_up"
            job.leased_until = self._parts.clock.now() + retry_delay(job.deliveries)
            return "failed"

    async def _give_up(self, uow: UnitOfWork, job_id: UUID, reason: str) -> None:
        log.error("job_given_up", reason=reason)
        await uow.jobs.finish(job_id, self._parts.clock.now(), reason)


_runner: JobRunner | None = None


def _current_runner() -> JobRunner:
    if _runner is None:
        raise RuntimeError("a task runs in a process that a Celery worker has started, and nowhere else")
    return _runner


def _start(**_: object) -> None:
    global _runner  # noqa: PLW0603 -- Celery's signals leave no other place
    _runner = JobRunner(get_settings())


def _stop(**_: object) -> None:
    global _runner  # noqa: PLW0603
    if _runner is not None:
        _runner.close()
        _runner = None


worker_process_init.connect(_start)
worker_process_shutdown.connect(_stop)
