"""Loops over PostgreSQL that run in every worker. Only `Relay` needs Redis (docs/decisions/0016)."""

import asyncio
from dataclasses import fields
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.clock import Clock
from app.core.ids import uuid7
from app.repositories.backlog import DueWork
from app.services import attempts, exams, idempotency, tests
from app.services.unit_of_work import looking, unit_of_work
from app.workers.broker import Broker
from app.workers.leases import MIN_LEASE, lease_of

log = structlog.get_logger(__name__)

UNGRADED_AFTER = timedelta(minutes=10)
KEEP_FINISHED_JOBS = timedelta(days=7)
KEEP_DEAD_WORKERS = timedelta(minutes=5)
KEEP_PUBLISHED_MESSAGES = timedelta(days=1)


class Relay:
    """Publishes jobs to the broker after their transactions have committed."""

    def __init__(self, engine: AsyncEngine, clock: Clock, broker: Broker) -> None:
        self._engine = engine
        self._clock = clock
        self._broker = broker

    async def step(self) -> None:
        """Publish the jobs that are due, once the workers have taken all jobs that were published before.

        Other jobs wait in PostgreSQL. So a long queue is not sent twice, and `deliveries` of a job counts the
        times that it could run: it does not grow while Redis is down or no worker consumes.
        """
        if await self._broker.waiting() == 0 and (jobs := await self._lease()):
            # The lease is committed first, because a worker skips a job whose row is locked. If publishing
            # fails, the jobs wait for the end of their lease.
            await self._broker.publish(jobs)

    async def _lease(self) -> list[tuple[UUID, str]]:
        now = self._clock.now()
        async with unit_of_work(self._engine) as uow:
            jobs = await uow.jobs.lease_due(now, MIN_LEASE)
            for job in jobs:
                job.leased_until = now + lease_of(job.deliveries)
            return [(job.id, job.task) for job in jobs]


class WakeUp:
    """Wakes the loops that have work: one statement looks for the work of all of them.

    Without it each loop would ask for itself, and an idle worker would use several percent of a core. LISTEN
    would need no asking, but does not work through a pooler in transaction mode, and with NOTIFY transactions
    commit one after the other (docs/decisions/0090).
    """

    def __init__(self, engine: AsyncEngine, clock: Clock, closing_delay: timedelta) -> None:
        self._engine = engine
        self._clock = clock
        self._closing_delay = closing_delay
        self.events = {field.name: asyncio.Event() for field in fields(DueWork)}

    async def look(self) -> None:
        """Wake the loops whose work is due."""
        async with looking(self._engine) as reads:
            due = await reads.backlog.due(self._clock.now(), self._closing_delay)
        for kind, event in self.events.items():
            if getattr(due, kind):
                event.set()


class Heartbeat:
    """Records in the database that this worker runs."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._id = uuid7()
        self._started_at = clock.now()
        self.first_beat = asyncio.Event()

    async def beat(self) -> None:
        """Write the current time into the worker's row."""
        async with unit_of_work(self._engine) as uow:
            await uow.workers.record_heartbeat(self._id, self._started_at, self._clock.now())
        self.first_beat.set()

    async def stop(self) -> None:
        """Delete the worker's row."""
        async with unit_of_work(self._engine) as uow:
            await uow.workers.delete(self._id)


class Housekeeping:
    """Closes overdue attempts, announces windows, makes partitions, and deletes old rows."""

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

    async def announce_windows(self) -> None:
        """Send messages for papers that have opened or closed."""
        async with unit_of_work(self._engine) as uow:
            await exams.announce_windows(uow, self._clock.now())

    async def repair_attempts(self) -> None:
        """Grade attempts whose job was lost or given up, and void attempts that run in cancelled exams."""
        async with unit_of_work(self._engine) as uow:
            asked = await attempts.request_missing_grading(uow, self._clock.now(), UNGRADED_AFTER)
            voided = await exams.void_left_over(uow, self._clock.now())
        if asked or voided:
            log.warning("attempts_repaired", grading_requested=asked, voided=voided)

    async def count_candidates(self) -> None:
        """Count the candidates of each test, by which lists of tests are ordered."""
        async with unit_of_work(self._engine) as uow:
            await tests.refresh_popularity(uow)

    async def make_partitions(self) -> None:
        """Make the partitions for the responses of the next weeks."""
        async with unit_of_work(self._engine) as uow:
            await uow.attempts.ensure_partitions(self._clock.now())

    async def pack_logs(self) -> None:
        """Pack the logs of attempts that started at least a week ago and are graded or void."""
        packed = await attempts.pack_old_logs(self._engine, self._clock.now())
        if packed:
            log.info("logs_packed", attempts=packed)

    async def delete_old(self) -> None:
        """Delete finished jobs, dead workers and expired rows. Jobs that were given up are kept."""
        now = self._clock.now()
        async with unit_of_work(self._engine) as uow:
            await uow.jobs.delete_finished(now - KEEP_FINISHED_JOBS)
            await uow.workers.delete_stale(now - KEEP_DEAD_WORKERS)
            await uow.revocations.delete_expired()
            await uow.tickets.delete_expired(now)
            await uow.messages.delete_published(now - KEEP_PUBLISHED_MESSAGES)
            await uow.kept_responses.delete_before(now - idempotency.KEPT_FOR)
