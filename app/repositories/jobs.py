"""The outbox (docs/decisions/0016) and the workers' heartbeats."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.models import Job, Worker
from app.repositories.base import Repository


class JobRepository(Repository):
    """Jobs are written in the transaction that needs them and published after its commit."""

    def add(self, task: str, **arguments: Any) -> None:
        """Ask for `task` to be run after this transaction commits. Arguments are ids, not things."""
        self._session.add(Job(task=task, arguments=arguments))

    async def lease_due(self, now: datetime, lease: timedelta, limit: int = 100) -> Sequence[Job]:
        """Take the jobs that are to be published now; nobody else gets them until the lease is over."""
        due = (
            select(Job.id)
            .where(Job.finished_at.is_(None), Job.leased_until <= now)
            .order_by(Job.leased_until, Job.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(Job)
            .where(Job.id.in_(due))
            .values(leased_until=now + lease, deliveries=Job.deliveries + 1)
            .returning(Job)
        )
        return (await self._session.scalars(statement)).all()

    async def lock_unfinished(self, job_id: UUID) -> Job | None:
        """The job, for this transaction alone; None where it is done or being done elsewhere."""
        statement = select(Job).where(Job.id == job_id, Job.finished_at.is_(None))
        return (await self._session.scalars(statement.with_for_update(skip_locked=True))).one_or_none()

    async def finish(self, job_id: UUID, now: datetime, error: str | None = None) -> None:
        """Mark a job done, or given up because of `error`."""
        await self._session.execute(update(Job).where(Job.id == job_id).values(finished_at=now, error=error))

    async def forget_finished(self, before: datetime) -> None:
        """Delete jobs that were done well before."""
        await self._session.execute(delete(Job).where(Job.finished_at < before, Job.error.is_(None)))

    async def depth(self) -> int:
        """How many jobs wait."""
        statement = select(func.count()).select_from(Job).where(Job.finished_at.is_(None))
        return (await self._session.scalar(statement)) or 0


class WorkerRepository(Repository):
    """The workers that run, by their heartbeats."""

    async def record_heartbeat(self, worker_id: UUID, started_at: datetime, now: datetime) -> None:
        """Record that the worker runs."""
        values = {"id": worker_id, "started_at": started_at, "seen_at": now}
        statement = insert(Worker).values(values)
        await self._session.execute(
            statement.on_conflict_do_update(index_elements=["id"], set_={"seen_at": now})
        )

    async def delete(self, worker_id: UUID) -> None:
        """Delete the row of a worker that stops in order."""
        await self._session.execute(delete(Worker).where(Worker.id == worker_id))

    async def latest_heartbeat(self) -> datetime | None:
        """When any worker was last seen."""
        return await self._session.scalar(select(func.max(Worker.seen_at)))

    async def forget_dead(self, before: datetime) -> None:
        """Delete workers not seen since `before`."""
        await self._session.execute(delete(Worker).where(Worker.seen_at < before))


class HealthRepository(Repository):
    """Whether the database answers."""

    async def ping(self) -> None:
        await self._session.execute(text("select 1"))
