"""Counts and ages of waiting work, for metrics and health checks."""

from collections.abc import Mapping
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


class BacklogRepository(Repository):
    """Measures the backlog of jobs, attempts, messages and deliveries."""

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
