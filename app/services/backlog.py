"""The backlog for Prometheus, read from PostgreSQL and Redis at the time of the request."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta

import structlog

from app.core.telemetry import Measured
from app.core.timeouts import with_timeout
from app.models import Channel
from app.services.components import Components
from app.services.unit_of_work import reading

PATIENCE_SECONDS = 1.5
QUEUE = "ias"

log = structlog.get_logger(__name__)


async def measure(parts: Components) -> Sequence[Measured]:
    """Measure the backlog.

    Parts that do not answer in time are left out, and their `ias_backlog_known` is 0.
    """
    answers = await asyncio.gather(_known("database", _database(parts)), _known("redis", _queue(parts)))
    return [each for answer in answers for each in answer]


async def _known(part: str, ask: Awaitable[Sequence[Measured]]) -> Sequence[Measured]:
    try:
        answer = await with_timeout(ask, PATIENCE_SECONDS)
    except Exception as error:  # noqa: BLE001 -- the other metrics are shown in any case
        log.warning("backlog_unknown", part=part, error=repr(error))
        answer = []
    return [*answer, Measured("ias_backlog_known", bool(answer), {"part": part})]


async def _database(parts: Components) -> Sequence[Measured]:
    now, grace = parts.clock.now(), timedelta(seconds=parts.settings.grace_seconds)
    async with reading(parts.engine) as reads:
        backlog = await reads.backlog.measure(now, grace)
        deliveries = await reads.backlog.deliveries(now)
    measured = [
        Measured("ias_jobs_waiting", backlog["jobs_waiting"]),
        Measured("ias_jobs_oldest_due_seconds", backlog["jobs_late"] or 0),
        Measured("ias_attempts_overdue", backlog["attempts_overdue"]),
        Measured("ias_messages_unpublished", backlog["messages_unpublished"]),
        Measured("ias_messages_oldest_seconds", backlog["messages_late"] or 0),
    ]
    if backlog["worker_silent"] is not None:
        measured.append(Measured("ias_worker_silence_seconds", backlog["worker_silent"]))
    for channel in Channel:
        waiting, late = deliveries.get(channel, (0, 0))
        measured.append(Measured("ias_deliveries_waiting", waiting, {"channel": channel}))
        measured.append(Measured("ias_deliveries_oldest_due_seconds", late, {"channel": channel}))
    return measured


async def _queue(parts: Components) -> Sequence[Measured]:
    # Kombu keeps a queue as a list of that name.
    return [Measured("ias_queue_messages", await parts.redis.llen(QUEUE))]
