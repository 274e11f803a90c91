"""Counts and ages of waiting work, for metrics and health checks, and which loops have work now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from app.repositories.base import Repository

# Each subquery reads a partial index of waiting rows, so it is cheap if none wait.
BACKLOG = text(
    """
    select
      (select count(*) from ias.jobs where finished_at is null) as jobs_waiting,
      (select extract(epoch from :now - min(leased_until)) from ias.jobs
        where finished_at is null and leased_until <= :now) as jobs_late,
      (select count(*) from ias.attempts
        where status = 'in_progress' and deadline_at < :overdue_before) as attempts_overdue,
      (select count(*) from ias.messages where published_at is null) as messages_unpublished,
      (select extract(epoch from :now - min(created_at)) from ias.messages
        where published_at is null) as messages_late,
      (select extract(epoch from :now - max(seen_at)) from ias.workers) as worker_silent
    """
)
DELIVERIES = text(
    """
    select channel, count(*) as waiting,
      extract(epoch from :now - min(due_at) filter (where due_at <= :now)) as late
    from ias.deliveries where status = 'waiting' group by channel
    """
)

# One statement for all loops of a worker, which would otherwise ask each for itself. Each part looks for one
# row, by a partial index or in a small table.
DUE = text(
    """
    select
      exists (select from ias.jobs where finished_at is null and leased_until <= :now) as jobs,
      exists (select from ias.messages where published_at is null) as messages,
      exists (select from ias.attempts
        where status = 'in_progress' and deadline_at < :overdue_before) as overdue_attempts,
      exists (select from ias.exam_papers join ias.exams on exams.id = exam_id
        where published_at is not null and cancelled_at is null
          and (opening_told_at is null and starts_at <= :now
            or closing_told_at is null and (ends_at <= :now or closed_at is not null))) as exam_windows,
      exists (select from ias.deliveries where status = 'waiting' and due_at <= :now) as deliveries,
      exists (select from ias.auth_mails where due_at <= :now) as auth_mails,
      exists (select from ias.invitations
        where due_at <= :now and sent_at is null and error is null) as invitations
    """
)


@dataclass(frozen=True, slots=True)
class DueWork:
    """Which kinds of work wait for a worker now."""

    jobs: bool
    messages: bool
    overdue_attempts: bool
    exam_windows: bool
    deliveries: bool
    auth_mails: bool
    invitations: bool


class BacklogRepository(Repository):
    """Measures the backlog of jobs, attempts, messages and deliveries."""

    async def due(self, now: datetime, grace: timedelta) -> DueWork:
        """Which kinds of work wait, in one statement."""
        row = (await self._session.execute(DUE, {"now": now, "overdue_before": now - grace})).one()
        return DueWork(*row)

    async def measure(self, now: datetime, grace: timedelta) -> dict[str, Any]:
        """Counts and ages of everything but deliveries. Ages are in seconds, None if nothing waits."""
        values = {"now": now, "overdue_before": now - grace}
        return dict((await self._session.execute(BACKLOG, values)).mappings().one())

    async def deliveries(self, now: datetime) -> Mapping[str, tuple[int, float]]:
        """By channel: how many deliveries wait, and by how many seconds the oldest due one is late.

        The count includes deliveries that wait for the end of quiet hours or for another try.
        """
        rows = await self._session.execute(DELIVERIES, {"now": now})
        return {row.channel: (row.waiting, float(row.late or 0)) for row in rows}
