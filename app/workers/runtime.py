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
from app.workers.celery_app import LONG_TASK_SECONDS, SECONDS_TO_REACT, TASK_SECONDS, celery_app
from app.workers.leases import MAX_DELIVERIES, retry_delay

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TaskContext:
    """What a task gets besides its arguments.

    The job is finished in the transaction of `uow`. A task with independent steps may use a transaction for
    each of them over `parts.engine`; then each step must be harmless if it is repeated after a crash.
    """

    uow: UnitOfWork
    now: datetime
    parts: Components


Task = Callable[..., Coroutine[Any, Any, None]]


def task(function: Task) -> Task:
    """Register a function `async def name(context: TaskContext, *, …_id: str)` for jobs of its name.

    The message holds only the job's id, so that nobody with access to Redis can add a job.
    """
    return _registered(function, TASK_SECONDS)


def long_task(function: Task) -> Task:
    """As `task`, for work on all attempts of a test, which cannot be cut into jobs."""
    return _registered(function, LONG_TASK_SECONDS)


def _registered(function: Task, seconds: int) -> Task:
    def run(self: Any) -> None:
        _current_runner().run(UUID(self.request.id), function, seconds)

    celery_app.task(name=function.__name__, bind=True, time_limit=seconds + SECONDS_TO_REACT)(run)
    return function


class JobRunner:
    """Runs jobs in one process of the Celery worker, with one event loop and its components."""

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._parts = self._loop.run(
            self._stack.enter_async_context(
                open_components(settings, application_name="ias-task", pool_size=3)
            )
        )

    def close(self) -> None:
        """Close the components and the event loop."""
        self._loop.run(self._stack.aclose())
        self._loop.close()

    def run(self, job_id: UUID, function: Task, seconds: int) -> None:
        """Run the job unless it is finished or running elsewhere. A failure is recorded, not raised."""
        with bound_contextvars(job_id=str(job_id), task=function.__name__):
            self._loop.run(self._run(job_id, function, seconds))

    async def _run(self, job_id: UUID, function: Task, seconds: int) -> None:
        began, outcome = time.monotonic(), "failed"
        try:
            async with asyncio.timeout(seconds), unit_of_work(self._parts.engine) as uow:
                outcome = await self._do(uow, job_id, function)
        except Exception as error:  # noqa: BLE001 -- after any error the job is delivered again
            outcome = await self._record_failure(job_id, error)
        finally:
            tasks_total.labels(function.__name__, outcome).inc()
            task_seconds.labels(function.__name__).observe(time.monotonic() - began)

    async def _do(self, uow: UnitOfWork, job_id: UUID, function: Task) -> str:
        job = await uow.jobs.lock_unfinished(job_id)
        if job is None:
            return "done_elsewhere"
        now = self._parts.clock.now()
        if job.deliveries > MAX_DELIVERIES:
            # None of its deliveries ended with an error, so that it must have killed its worker each time.
            await self._give_up(uow, job_id, f"not done after {MAX_DELIVERIES} deliveries")
            return "given_up"
        # The job is marked before the task runs, so that after the task only the commit can fail.
        await uow.jobs.finish(job_id, now)
        await function(TaskContext(uow, now, self._parts), **job.arguments)
        return "done"

    async def _record_failure(self, job_id: UUID, error: Exception) -> str:
        async with unit_of_work(self._parts.engine) as uow:
            job = await uow.jobs.lock_unfinished(job_id)
            if job is None:
                return "failed"
            log.warning("job_attempt_failed", deliveries=job.deliveries, exc_info=error)
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
        raise RuntimeError("a task runs only in a process of the Celery worker")
    return _runner


def _start(**_: object) -> None:
    global _runner  # noqa: PLW0603 -- Celery's signals have no other place for state
    _runner = JobRunner(get_settings())


def _stop(**_: object) -> None:
    global _runner  # noqa: PLW0603
    if _runner is not None:
        _runner.close()
        _runner = None


worker_process_init.connect(_start)
worker_process_shutdown.connect(_stop)
