"""The outbox (docs/decisions/0016) and the workers' heartbeats."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.core.ids import uuid7
from app.models import Job, Worker
from app.repositories.base import Repository


class JobRepository(Repository):
    """Jobs are inserted in the transaction that needs them and published after its commit."""

    def add(self, task: str, **arguments: Any) -> UUID:
        """Add a job that runs `task` after this transaction commits. Arguments are ids, not objects."""
        job = Job(id=uuid7(), task=task, arguments=arguments)
        self._session.add(job)
        return job.id

    async def lease_due(self, now: datetime, lease: timedelta, limit: int = 100) -> Sequence[Job]:
        """Lease due jobs and return them. No other worker gets them before the lease ends."""
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
        """Lock an unfinished job. Returns None if it is finished or locked by another worker."""
        statement = select(Job).where(Job.id == job_id, Job.finished_at.is_(None))
        return (await self._session.scalars(statement.with_for_update(skip_locked=True))).one_or_none()

    async def finish(self, job_id: UUID, now: datetime, error: str | None = None) -> None:
        """Mark a job as finished, or as abandoned because of `error`."""
        await self._session.execute(update(Job).where(Job.id == job_id).values(finished_at=now, error=error))

    async def delete_finished(self, before: datetime) -> None:
        """Delete jobs that finished before `before` without an error."""
        await self._session.execute(delete(Job).where(Job.finished_at < before, Job.error.is_(None)))

    async def is_waiting(self, task: str, arguments: Mapping[str, Any] | None = None) -> bool:
        """Whether a job of this task, with these arguments if they are given, is not finished."""
        waiting = select(Job.id).where(Job.task == task, Job.finished_at.is_(None))
        if arguments is not None:
            waiting = waiting.where(Job.arguments == arguments)
        return bool(await self._session.scalar(select(waiting.exists())))

    async def depth(self) -> int:
        """The number of unfinished jobs."""
        statement = select(func.count()).select_from(Job).where(Job.finished_at.is_(None))
        return (await self._session.scalar(statement)) or 0


class WorkerRepository(Repository):
    """Workers and their heartbeats."""

    async def record_heartbeat(self, worker_id: UUID, started_at: datetime, now: datetime) -> None:
        """Record that the worker runs."""
        values = {"id": worker_id, "started_at": started_at, "seen_at": now}
        statement = insert(Worker).values(values)
        await self._session.execute(
            statement.on_conflict_do_update(index_elements=["id"], set_={"seen_at": now})
        )

    async def delete(self, worker_id: UUID) -> None:
        """Delete the row of a worker that shuts down."""
        await self._session.execute(delete(Worker).where(Worker.id == worker_id))

    async def latest_heartbeat(self) -> datetime | None:
        """The time of the latest heartbeat of any worker."""
        return await self._session.scalar(select(func.max(Worker.seen_at)))

    async def delete_stale(self, before: datetime) -> None:
        """Delete workers whose last heartbeat is older than `before`."""
        await self._session.execute(delete(Worker).where(Worker.seen_at < before))


_WRITTEN = text("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
_REPLAYED = text("select pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint where pg_is_in_recovery()")


class HealthRepository(Repository):
    """Checks the database connection."""

    async def ping(self) -> None:
        await self._session.execute(text("select 1"))

    async def written(self) -> int:
        """The position in the log of a primary up to which it has written."""
        return int((await self._session.scalar(_WRITTEN)) or 0)

    async def replayed(self) -> int | None:
        """The position up to which a replica shows what was written, or None if this is no replica."""
        position = await self._session.scalar(_REPLAYED)
        return None if position is None else int(position)
