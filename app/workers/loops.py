"""Loops over PostgreSQL that run in every worker and do not need Redis (docs/decisions/0016)."""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.clock import Clock
from app.core.ids import uuid7
from app.services import attempts, exams
from app.services.unit_of_work import unit_of_work
from app.workers.broker import Broker
from app.workers.leases import SHORTEST_LEASE, lease_of

log = structlog.get_logger(__name__)

GRADING_PATIENCE = timedelta(minutes=10)
KEEP_FINISHED_JOBS = timedelta(days=7)
KEEP_DEAD_WORKERS = timedelta(minutes=5)
KEEP_PUBLISHED_MESSAGES = timedelta(days=1)


class Relay:
    """Publishes the jobs of committed transactions."""

    def __init__(self, engine: AsyncEngine, clock: Clock, broker: Broker) -> None:
        self._engine = engine
        self._clock = clock
        self._broker = broker

    async def step(self) -> None:
        """Publish what is due, once the workers have taken all that was published before.

        What waits, waits in PostgreSQL. So a long queue is not sent twice, and a job's deliveries count its
        chances to run: none is used up while Redis is down or no worker consumes.
        """
        if await self._broker.waiting() == 0 and (jobs := await self._lease()):
            # The lease must be committed before: the worker may be quicker than we are, and what it finds
            # locked it leaves alone. If publishing fails the jobs wait for the end of their lease.
            await self._broker.publish(jobs)

    async def _lease(self) -> list[tuple[UUID, str]]:
        now = self._clock.now()
        async with unit_of_work(self._engine) as uow:
            jobs = await uow.jobs.lease_due(now, SHORTEST_LEASE)
            for job in jobs:
                job.leased_until = now + lease_of(job.deliveries)
            return [(job.id, job.task) for job in jobs]


class Heart:
    """Shows that this worker lives."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._id = uuid7()
        self._started_at = clock.now()
        self.first_beat = asyncio.Event()

    async def beat(self) -> None:
        """Write the time beside our name."""
        async with unit_of_work(self._engine) as uow:
            await uow.workers.record_heartbeat(self._id, self._started_at, self._clock.now())
        self.first_beat.set()

    async def stop(self) -> None:
        """Take the row along."""
        async with unit_of_work(self._engine) as uow:
            await uow.workers.delete(self._id)


class Housekeeping:
    """What is due every now and then."""

    def __init__(self, engine: AsyncEngine, clock: Clock, closing_delay: timedelta) -> None:
        self._engine = engine
        self._clock = clock
        self._closing_delay = closing_delay

    async def close_overdue(self) -> None:
        """End the attempts whose deadline passed more than the closing delay ago."""
        async with unit_of_work(self._engine) as uow:
            closed = await attempts.close_overdue(uow, self._clock.now(), self._closing_delay)
        if closed:
            log.info("overdue_attempts_closed", count=closed)

    async def tell_windows(self) -> None:
        """Tell the rooms of exams whose papers have opened or closed."""
        async with unit_of_work(self._engine) as uow:
            await exams.tell_windows(uow, self._clock.now())

    async def grade_forgotten(self) -> None:
        """See to attempts whose grading was given up or lost, and to those left over in cancelled exams."""
        async with unit_of_work(self._engine) as uow:
            asked = await attempts.grade_forgotten(uow, self._clock.now(), GRADING_PATIENCE)
            voided = await exams.void_left_over(uow, self._clock.now())
        if asked or voided:
            log.warning("attempts_left_over", grading_asked_again=asked, voided=voided)

    async def make_partitions(self) -> None:
        """Have partitions for the responses of the next weeks."""
        async with unit_of_work(self._engine) as uow:
            await uow.attempts.ensure_partitions(self._clock.now())

    async def forget(self) -> None:
        """Delete what is done with or dead; given-up jobs stay to be looked at."""
        now = self._clock.now()
        async with unit_of_work(self._engine) as uow:
            await uow.jobs.delete_finished(now - KEEP_FINISHED_JOBS)
            await uow.workers.delete_stale(now - KEEP_DEAD_WORKERS)
            await uow.revocations.delete_expired()
            await uow.tickets.delete_expired(now)
            await uow.messages.delete_published(now - KEEP_PUBLISHED_MESSAGES)
